"""Curation steps: each one keeps a pair, edits its answer, or drops the pair with a reason."""

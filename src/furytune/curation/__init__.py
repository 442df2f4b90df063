"""Steps that check pairs: each keeps a pair, edits its answer, or drops it with a reason."""

"""Tuning jobs, whichever service runs them."""

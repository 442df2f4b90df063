"""Tuning jobs, independent of the service that runs them."""

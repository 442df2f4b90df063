"""Reads Python packages without importing them."""

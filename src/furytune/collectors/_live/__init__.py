"""Reads Discord over its REST API."""

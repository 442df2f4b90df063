"""Strategies and conformance suites, for whoever writes a plugin."""

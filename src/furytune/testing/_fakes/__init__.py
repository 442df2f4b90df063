"""Fake services on loopback that speak the real protocols."""

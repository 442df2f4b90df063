"""Services on loopback that speak the real protocols."""

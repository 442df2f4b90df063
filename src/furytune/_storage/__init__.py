"""How files are written, locked and named, so that a crash loses nothing."""

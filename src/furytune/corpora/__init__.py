"""Makes passages out of source code and documentation."""

"""How values are checked, and written the same way every time."""

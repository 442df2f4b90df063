"""What people decide about pairs: stored, applied to every later run, exchanged with spreadsheets, and compared."""

"""Messages of Matrix rooms."""

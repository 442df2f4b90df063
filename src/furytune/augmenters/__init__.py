"""What knowledge goes into a prompt."""

"""What may be collected, shown and kept of people, and how it is removed."""

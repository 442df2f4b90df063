"""The parts of the fake GitHub."""

"""Checks where requests may go, and limits how much of an answer is read."""

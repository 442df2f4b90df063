"""Turns linked posts into pairs: conversations, turns, candidates, and what each candidate is worth."""

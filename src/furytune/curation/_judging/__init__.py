"""Asks a model for the grade of a pair."""

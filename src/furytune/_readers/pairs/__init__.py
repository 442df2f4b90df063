"""Reads question-answer pairs from the records of CSV and JSON files."""

"""Question-answer pairs in CSV and JSON files."""

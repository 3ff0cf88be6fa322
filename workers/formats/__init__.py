"""File formats of results: PNG charts and CSV tables."""

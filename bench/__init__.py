"""Benchmarks: one file per question; see README.md."""

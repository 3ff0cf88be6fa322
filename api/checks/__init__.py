"""Checks on a submitted job, before it is stored."""

"""Writes letters: words first, then their layout. No input or output."""

"""Writes mails: their words, their layout, their bytes. No input or output but reading templates at the start."""

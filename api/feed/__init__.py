"""One reader of the store's events for each API process, and its many subscribers."""

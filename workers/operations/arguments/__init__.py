"""The types of an operation's arguments, made exact: the API and the worker take the same values."""

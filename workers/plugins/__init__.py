"""Plug-ins' services: loading them, and what they call others with."""

"""Plug-ins' services: loads and runs them, and gives them the means to call other services and dispatch events."""

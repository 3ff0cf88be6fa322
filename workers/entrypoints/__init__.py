"""Nameko entrypoints: doorbells, wakes, RPC calls, events, HTTP requests and timers call the services' methods."""

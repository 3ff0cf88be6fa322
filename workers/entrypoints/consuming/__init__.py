"""How the entrypoints consume queues: connections that come back, messages that are not trusted."""

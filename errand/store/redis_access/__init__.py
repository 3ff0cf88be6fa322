"""How the parts of the store ask Redis: scripts by their hash, deadlines, and what happens while it is away."""

"""What the API and the workers both know about the types of an operation's arguments."""

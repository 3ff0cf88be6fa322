"""The webhook service: tells receivers how jobs ended, by signed events."""

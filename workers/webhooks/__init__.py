"""The webhooks service: sends signed events that report how jobs ended."""

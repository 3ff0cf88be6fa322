"""The views of schedules."""

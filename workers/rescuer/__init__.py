"""The rescuer: recovers stuck jobs, releases delayed ones, fires schedules."""

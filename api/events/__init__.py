"""Server-Sent Events of jobs, and `Prefer: wait`."""

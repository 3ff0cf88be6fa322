"""What runs inside a child process: `python -m workers.compute.child`. The worker's side is in `children/`."""

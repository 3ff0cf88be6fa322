"""The compute service: claims jobs, runs them here or in child processes, commits their outcomes."""

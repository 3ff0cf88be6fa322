"""The views of jobs: submit, show, list, cancel, delete, run again."""

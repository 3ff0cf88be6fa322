"""The views of jobs: submit, show, list, control, run again."""

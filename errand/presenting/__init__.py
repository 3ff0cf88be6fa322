"""What people read about a job: reports, safe text, tables and pictures."""

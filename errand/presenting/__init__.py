"""What people read of a job: reports, safe text, tables and pictures in results."""

"""Which thread answers a request, and the group commit of jobs submitted at the same time."""

"""HTTP requests to addresses that clients wrote, never to private networks."""

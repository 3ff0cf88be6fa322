"""From the API to the broker: rings the doorbells of accepted jobs."""

"""The API document and the Swagger UI that shows it."""

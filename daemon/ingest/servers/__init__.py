"""One module an ingest server: its hooks' form, and its API."""

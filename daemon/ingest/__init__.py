"""The ingest servers: one module each for what its hooks say, one each for its API, and what they have in common."""

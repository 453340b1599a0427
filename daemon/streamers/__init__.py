"""Streamers and their keys: names, the table of them, and the keys in memory."""

"""Trouble and news that reach a person: what is told, when, and how it gets there."""

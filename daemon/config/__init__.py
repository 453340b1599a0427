"""The configuration: its model, how it is read, compared and reloaded, and the rules' share of it."""

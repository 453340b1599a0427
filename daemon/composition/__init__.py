"""The daemon's parts put together, one module for each side of it. Nothing else builds; ``daemon.app`` runs them.

Whatever needs another part is built after it: the event queue is the first.
"""

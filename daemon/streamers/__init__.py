"""Streamers and their keys: names, the table of them, and the keys in memory."""

from daemon.streamers.store import StreamerStore

__all__ = ["StreamerStore"]

"""OBS: a supervised connection, the inputs in it, and the proof that they play."""

from daemon.obs.adapter import ObsAdapter

__all__ = ["ObsAdapter"]

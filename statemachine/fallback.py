"""When OBS's own media source takes the place of a plugin that fails.

A plugin may be there and still be of no use: one of GStreamer's elements is missing. Nobody says so; but a picture
that OBS's own media source shows, right after the plugin has failed at it, proves it. The plugin is tried again now and
then, and whenever OBS comes back.
"""

from dataclasses import dataclass, replace

from statemachine import facts

AGAIN_AFTER = 600.0
"""Seconds until the plugin is tried again."""
TRUSTED_FAILURES = 2
"""Failures in a row of a plugin that has shown a picture before; of one that has not, the first is enough."""


@dataclass(frozen=True, slots=True)
class FallbackState:
    """All that is remembered of it."""

    allowed: bool = False
    proven: bool = False
    """The plugin has shown a picture since OBS came."""
    failures: int = 0
    why: str = ""
    """The last failure, in words."""
    trial: bool = False
    """The next input is OBS's own, to see whether that plays."""
    since: float | None = None
    """Fallen back; counted anew with each try of the plugin that fails."""


class Fallback:
    """Told how attempts go; says of which kind the next input is."""

    def __init__(self) -> None:
        self.state = FallbackState()
        self.facts: list[facts.Fact] = []

    def obs_ready(self, allowed: bool) -> None:
        """A new OBS: the plugin is trusted anew."""
        self.state = FallbackState(allowed=allowed)

    def plain(self, now: float) -> bool:
        """The next input is to be OBS's own media source."""
        state = self.state
        return state.trial or (state.since is not None and now < state.since + AGAIN_AFTER)

    def failed(self, now: float, why: str, *, plain: bool) -> bool:
        """An input has shown no picture; True if the same stream is to be tried again at once, the other way."""
        state = self.state
        if not state.allowed:
            return False
        if plain:
            # Nor does OBS's own: it is the stream.
            self.state = replace(state, trial=False, failures=0)
            return False
        if state.since is not None:
            self.state = replace(state, since=now, why=why)
            return True
        failures = state.failures + 1
        trial = failures >= (TRUSTED_FAILURES if state.proven else 1)
        self.state = replace(state, failures=failures, trial=trial, why=why)
        return trial

    def proven(self, now: float, *, plain: bool) -> None:
        """An input has shown a picture."""
        state = self.state
        if not plain:
            if state.since is not None:
                self.facts.append(facts.PluginWorks(now))
            self.state = FallbackState(allowed=state.allowed, proven=True)
        elif state.trial:
            self.facts.append(facts.PluginFailed(now, state.why))
            self.state = replace(state, trial=False, failures=0, since=now)

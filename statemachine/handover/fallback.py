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
SUSPECTS_MOST = 8
"""How many are tried the other way at a time."""


@dataclass(frozen=True, slots=True)
class FallbackState:
    """All that is remembered of it."""

    allowed: bool = False
    proven: bool = False
    """The plugin has shown a picture since OBS came."""
    failures: int = 0
    why: str = ""
    """The last failure, in words."""
    suspects: tuple[str, ...] = ()
    """Streamers whose next input is OBS's own, to see whether that plays: another one's picture proves nothing."""
    since: float | None = None
    """Fallen back; counted anew with each try of the plugin that fails."""


class Fallback:
    """Told how attempts go; says of which kind the next input is."""

    def __init__(self) -> None:
        self.state = FallbackState()
        self.facts: list[facts.Fact] = []

    def restore(self, state: FallbackState) -> None:
        """Stand where the snapshot was taken."""
        self.state = state

    def obs_ready(self, allowed: bool) -> None:
        """A new OBS: the plugin is trusted anew."""
        self.state = FallbackState(allowed=allowed)

    def plain(self, now: float, streamer: str) -> bool:
        """The next input of that streamer is to be OBS's own media source."""
        state = self.state
        return streamer in state.suspects or (state.since is not None and now < state.since + AGAIN_AFTER)

    def failed(self, now: float, streamer: str, why: str, *, plain: bool) -> bool:
        """An input has shown no picture; True if the same stream is to be tried again at once, the other way."""
        state = self.state
        if plain:
            if streamer in state.suspects:
                # Nor does OBS's own: it is the stream.
                others = tuple(other for other in state.suspects if other != streamer)
                self.state = replace(state, suspects=others, failures=0)
            return False
        if state.since is not None:
            self.state = replace(state, since=now, why=why)
            return True
        failures = state.failures + 1
        suspects = state.suspects
        if failures >= (TRUSTED_FAILURES if state.proven else 1):
            suspects = (*(other for other in suspects if other != streamer), streamer)[-SUSPECTS_MOST:]
        self.state = replace(state, failures=failures, suspects=suspects, why=why)
        return streamer in suspects

    def proven(self, now: float, streamer: str, *, plain: bool) -> None:
        """An input has shown a picture."""
        state = self.state
        if not plain:
            if state.since is not None:
                self.facts.append(facts.PluginWorks(now))
            self.state = FallbackState(allowed=state.allowed, proven=True)
        elif streamer in state.suspects:
            self.facts.append(facts.PluginFailed(now, state.why))
            self.state = replace(state, suspects=(), failures=0, since=now)

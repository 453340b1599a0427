"""What the program shows, recorded: one entry for each change, with the number of frames that it lasted.

An entry is made at every rendered frame that differs and after every single change in between, but not inside a
SERIAL_FRAME batch, which OBS runs between two frames. An entry of no frames is a state in which OBS *could* have
rendered a frame: hiding one input and showing the next by two plain requests leaves a blank there, always, however the
requests fell. The queries count such entries unless asked not to (`rendered_only`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.fakes.obs_model import Input, Scene


@dataclass(frozen=True)
class Layer:
    """One enabled item of the program, nested scenes unfolded.

    own: its name bears the daemon's prefix; picture: it has one to show; frozen: a stream's picture that stands still;
    stale: an older picture than the stream's newest; opacity: 0 to 1; audible: its sound is in the mix.
    """

    source: str
    own: bool
    picture: bool
    frozen: bool
    stale: bool
    opacity: float
    audible: bool

    @property
    def visible(self) -> bool:
        return self.picture and self.opacity > 0


@dataclass
class Shot:
    """What the program showed from `at` (seconds of the clock) and frame number `frame` on, for `frames` frames."""

    at: float
    frame: int
    scene: str | None
    layers: tuple[Layer, ...]  # the bottom first
    frames: int = 0

    @property
    def own(self) -> tuple[str, ...]:
        """The own inputs that are shown, the bottom first."""
        return tuple(layer.source for layer in self.layers if layer.own)

    @property
    def on_air(self) -> str | None:
        """The uppermost own input that is shown and has a picture."""
        return next((layer.source for layer in reversed(self.layers) if layer.own and layer.visible), None)

    @property
    def blank(self) -> bool:
        """Nothing in the program has a picture, not even a slate or a background."""
        return not any(layer.visible for layer in self.layers)

    @property
    def frozen(self) -> bool:
        """The one on air stands still."""
        return any(layer.frozen for layer in self.layers if layer.own and layer.source == self.on_air)

    @property
    def stale(self) -> bool:
        """The one on air shows an old picture."""
        return any(layer.stale for layer in self.layers if layer.own and layer.source == self.on_air)

    @property
    def silent(self) -> bool:
        return not any(layer.audible for layer in self.layers)


@dataclass(frozen=True)
class Cut:
    """The one on air changed. `clean`: from one shot to the very next, each with that one own input and no other."""

    at: float
    outgoing: str
    incoming: str
    clean: bool


@dataclass
class Program:
    """The record. `prefix` says which inputs are the daemon's own."""

    prefix: str = "GMOTHERSTREAM_"
    shots: list[Shot] = field(default_factory=list)
    _held: int = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Several changes that no frame can come between."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    def sample(self, at: float, frame: int, scenes: Sequence[Scene], *, rendered: bool) -> None:
        """``scenes`` are what viewers get, the bottom first: two while a transition runs."""
        if self._held:
            return
        layers = tuple(layer for scene in scenes for layer in self._layers(scene))
        name = scenes[-1].name if scenes else None
        last = self.shots[-1] if self.shots else None
        if last is None or last.layers != layers or last.scene != name:
            last = Shot(at, frame, name, layers)
            self.shots.append(last)
        if rendered:
            last.frames += 1

    def _layers(self, scene: Scene) -> Iterator[Layer]:
        for item in scene.items:
            if not item.enabled:
                continue
            source = item.source
            if isinstance(source, Scene):
                yield from self._layers(source)
            elif isinstance(source, Input):
                medium = source.medium
                yield Layer(
                    source=source.name,
                    own=source.name.startswith(self.prefix),
                    picture=medium.picture and medium.drawn,
                    frozen=medium.frozen,
                    stale=medium.picture and medium.stale,
                    opacity=source.opacity,
                    audible=source.kind.audio
                    and not source.muted
                    and source.volume > 0
                    and medium.picture
                    and not medium.frozen,
                )

    # Questions. `since` is a mark taken earlier

    def mark(self) -> int:
        """A place in the record to ask from. The shot that is on now counts as after it."""
        return max(len(self.shots) - 1, 0)

    @property
    def now(self) -> Shot:
        return self.shots[-1]

    @property
    def on_air(self) -> str | None:
        return self.shots[-1].on_air if self.shots else None

    def find(self, wrong: Callable[[Shot], bool], since: int = 0, *, rendered_only: bool = False) -> list[Shot]:
        return [shot for shot in self.shots[since:] if wrong(shot) and (shot.frames or not rendered_only)]

    def blanks(self, since: int = 0, *, own: bool = True, rendered_only: bool = False) -> list[Shot]:
        """Shots without a picture of an own input, from the first that had one on; `own=False`: of anything at all."""

        def has(shot: Shot) -> bool:
            return shot.on_air is not None if own else not shot.blank

        first = next((place for place, shot in enumerate(self.shots) if place >= since and has(shot)), None)
        if first is None:
            return []
        return self.find(lambda shot: not has(shot), first, rendered_only=rendered_only)

    def doubles(self, since: int = 0, *, rendered_only: bool = False) -> list[Shot]:
        """Shots in which more than one own input was shown."""
        return self.find(lambda shot: len(shot.own) > 1, since, rendered_only=rendered_only)

    def freezes(self, since: int = 0, *, rendered_only: bool = False) -> list[Shot]:
        """Shots in which the one on air stood still."""
        return self.find(lambda shot: shot.frozen, since, rendered_only=rendered_only)

    def stales(self, since: int = 0, *, rendered_only: bool = False) -> list[Shot]:
        """Shots in which the one on air showed an old picture."""
        return self.find(lambda shot: shot.stale, since, rendered_only=rendered_only)

    def cuts(self, since: int = 0) -> list[Cut]:
        """Each change of the one on air, blanks in between left out of `outgoing`."""
        cuts: list[Cut] = []
        last: Shot | None = None
        before: Shot | None = None
        for shot in self.shots[since:]:
            if shot.on_air is not None:
                if last is not None and last.on_air is not None and last.on_air != shot.on_air:
                    clean = before is last and len(last.own) == 1 and len(shot.own) == 1
                    cuts.append(Cut(shot.at, last.on_air, shot.on_air, clean))
                last = shot
            before = shot
        return cuts

    def assert_seamless(self, since: int = 0) -> None:
        """Never blank nor stale once on air, never two own inputs, every cut in one frame. Raises AssertionError."""
        wrong = [f"blank: {shot}" for shot in self.blanks(since)]
        wrong += [f"stale: {shot}" for shot in self.stales(since)]
        wrong += [f"two at once: {shot}" for shot in self.doubles(since)]
        wrong += [f"not in one frame: {cut}" for cut in self.cuts(since) if not cut.clean]
        if wrong:
            raise AssertionError("\n".join(wrong))

"""What Prometheus reads: counted from the rules' facts, sampled from their view."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from statemachine import facts
from statemachine.handover.states import State
from statemachine.view import View

# From the cut of an input that was ready (a frame or two) to one that is given up after ready_timeout.
SECONDS = (0.02, 0.035, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0)


class ChannelRegistry(CollectorRegistry):
    """Labels all that is collected with the channel: one Prometheus may watch over many."""

    def __init__(self, channel: str) -> None:
        super().__init__()
        self._channel = channel

    def collect(self) -> Iterator[Metric]:
        """What its collectors tell."""
        for metric in super().collect():
            metric.samples = [
                sample._replace(labels={**sample.labels, "channel": self._channel}) for sample in metric.samples
            ]
            yield metric


class Metrics:
    """An observer of the dispatcher, and a collector that looks at the view when it is asked."""

    def __init__(
        self, registry: CollectorRegistry, view: Callable[[], View], obs_connected: Callable[[], bool]
    ) -> None:
        self._handovers = Counter(
            "motherstream_handovers", "Hand-overs that have ended", ["outcome", "reason"], registry=registry
        )
        self._seconds = Histogram(
            "motherstream_handover_seconds",
            "Seconds from when a hand-over was due until its picture was shown",
            buckets=SECONDS,
            registry=registry,
        )
        self._phases = Histogram(
            "motherstream_phase_seconds", "Time spent in each state", ["state"], buckets=SECONDS, registry=registry
        )
        self._refused = Counter("motherstream_refused", "Requests refused", ["code"], registry=registry)
        self._orphans = Counter("motherstream_orphans", "Inputs that OBS did not remove when asked", registry=registry)
        self._lost = Counter("motherstream_obs_lost", "Connections to OBS that were lost", registry=registry)
        self._blank = Gauge(
            "motherstream_off_air_since_seconds",
            "When the program was last emptied, seconds since the epoch; 0 while somebody is on air",
            registry=registry,
        )
        self._poor = Counter(
            "motherstream_low_bitrate", "Steps taken because of low bitrates", ["step"], registry=registry
        )
        self._measured = Counter(
            "motherstream_quality",
            "Steps taken because of a stream's sound or picture",
            ["quantity", "step"],
            registry=registry,
        )
        self._entered = 0.0
        registry.register(_Sampler(view, obs_connected))

    def observe(self, told: Sequence[facts.Fact]) -> None:
        """Count what has happened."""
        for fact in told:
            match fact:
                case facts.StateChanged():
                    self._state_changed(fact)
                case facts.HandoverEnded():
                    self._handover_ended(fact)
                case facts.OnAirChanged():
                    self._blank.set(0.0 if fact.input else fact.at)
                case facts.Refused():
                    self._refused.labels(fact.code).inc()
                case facts.LowBitrate() if fact.step != "over":
                    self._poor.labels(fact.step).inc()
                case facts.SilenceOnAir() if fact.step not in ("over", "unmeasured"):
                    self._measured.labels("sound", fact.step).inc()
                case facts.MeasuredOnAir() | facts.MeasuredInLine() if fact.step not in ("over", "unmeasured"):
                    self._measured.labels(fact.quantity, fact.step).inc()
                case facts.OrphanReported():
                    self._orphans.inc()
                case _:
                    pass

    def _state_changed(self, fact: facts.StateChanged) -> None:
        if self._entered:
            self._phases.labels(fact.source.value).observe(max(0.0, fact.at - self._entered))
        self._entered = fact.at
        if fact.dest is State.RECOVERING:
            self._lost.inc()

    def _handover_ended(self, fact: facts.HandoverEnded) -> None:
        self._handovers.labels(fact.outcome, fact.reason).inc()
        if fact.outcome == "completed" and fact.to_streamer:
            self._seconds.observe(fact.seconds)


class _Sampler(Collector):
    """Gauges that follow from the view; names of streamers are no labels, because there may be thousands."""

    def __init__(self, view: Callable[[], View], obs_connected: Callable[[], bool]) -> None:
        self._view = view
        self._connected = obs_connected

    def collect(self) -> Iterator[Metric]:
        """One sample of each."""
        view = self._view()
        states = GaugeMetricFamily("motherstream_state", "1 for the current state", labels=["state"])
        for state in State:
            states.add_metric([state.value], float(view.state is state))
        yield states
        for name, text, value in self._gauges(view):
            yield GaugeMetricFamily(name, text, value=value)

    def _gauges(self, view: View) -> Sequence[tuple[str, str, float]]:
        """Each with what it is, and its value."""
        on_air = view.on_air is not None or view.program.input is not None
        owned = int(on_air) + int(view.standby is not None) + len(view.orphans)
        return (
            ("motherstream_queue_length", "Streamers in the line-up", float(len(view.queue))),
            ("motherstream_on_air", "1 while somebody is on air", float(on_air)),
            (
                "motherstream_program_shown",
                "1 while viewers see the streamer on air, 0 while they are shown another scene or it is unknown",
                float(view.program.shown is True),
            ),
            ("motherstream_studio_mode", "1 while OBS's studio mode is on", float(view.program.studio_mode is True)),
            (
                "motherstream_standby_ready",
                "1 while the next streamer's input is ready",
                float(view.standby is not None and view.standby.ready),
            ),
            (
                "motherstream_standby_given_up",
                "1 while standby is suspended because OBS renders late",
                float(view.standby_off is not None and view.standby_off.reason == "render_lag"),
            ),
            (
                "motherstream_passed_over",
                "Waiting streamers whose sound or picture lets others go first",
                float(sum(place.passed_over for place in view.queue)),
            ),
            (
                "motherstream_covered",
                "1 while the slate is shown in place of the streamer whose turn it is",
                float(bool(view.covered)),
            ),
            ("motherstream_held", "1 while turns are held", float(view.held)),
            ("motherstream_inputs_owned", "Inputs in OBS that the daemon made", float(owned)),
            ("motherstream_obs_connected", "1 while OBS can be used", float(self._connected())),
        )

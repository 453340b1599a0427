"""Health for Prometheus. Names of streamers are no labels, because there may be thousands."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from daemon.health.issues import BY_NAME
from daemon.health.monitor import HealthMonitor
from daemon.health.samples import Sample

GAUGES: Final = {
    "motherstream_health_score": "Stream health score, 0 to 100",
    "motherstream_bitrate_kbps": "kbit/s received from the streamer on air",
    "motherstream_loudness_lufs": "Integrated loudness of the streamer on air over 5 minutes, LUFS",
    "motherstream_level_lufs": "Momentary loudness of the streamer on air, LUFS",
    "motherstream_true_peak_dbtp": "True peak of the streamer on air over a minute, dBTP",
    "motherstream_still_seconds": "Seconds since the picture on air last moved",
    "motherstream_picture_pace": "Seconds of media played per second on air; 1 is right",
    "motherstream_picture_jitter_ms": "Milliseconds by which the picture on air strays from the clock",
    "motherstream_obs_fps": "Frames per second that OBS renders",
    "motherstream_obs_render_lag_ratio": "Share of frames that OBS rendered late",
    "motherstream_obs_encoder_lag_ratio": "Share of frames that OBS skipped while encoding",
    "motherstream_obs_dropped_ratio": "Share of frames dropped because of the network",
    "motherstream_obs_memory_megabytes": "Memory usage of OBS",
    "motherstream_obs_cpu_percent": "CPU usage of OBS",
    "motherstream_obs_streaming": "1 while OBS's output is streaming",
}


def _gauges(sample: Sample) -> dict[str, float | None]:
    on_air = bool(sample.input) and sample.connected
    return {
        "motherstream_bitrate_kbps": sample.bitrate,
        "motherstream_loudness_lufs": sample.loudness,
        "motherstream_level_lufs": sample.level,
        "motherstream_true_peak_dbtp": sample.peak,
        "motherstream_still_seconds": sample.still if on_air else None,
        "motherstream_picture_pace": sample.progress,
        "motherstream_picture_jitter_ms": sample.jitter,
        "motherstream_obs_fps": sample.fps,
        "motherstream_obs_render_lag_ratio": sample.render_lag,
        "motherstream_obs_encoder_lag_ratio": sample.encoder_lag,
        "motherstream_obs_dropped_ratio": sample.dropped,
        "motherstream_obs_memory_megabytes": sample.memory,
        "motherstream_obs_cpu_percent": sample.cpu,
        "motherstream_obs_streaming": None if sample.streaming is None else float(sample.streaming),
    }


class HealthMetrics(Collector):
    """Looks at the monitor when it is asked. What is not known has no sample."""

    def __init__(self, registry: CollectorRegistry, monitor: HealthMonitor) -> None:
        self._monitor = monitor
        registry.register(self)

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering must not ask for values."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """As of the last sample; the totals as of the daemon's start."""
        kept = self._monitor.kept
        latest = kept.latest
        sample = latest.sample if latest else None
        score = latest.assessment.score if latest else None
        issues = GaugeMetricFamily("motherstream_health_issue", "1 while the issue is present", labels=["issue"])
        if latest:
            for issue in BY_NAME:
                issues.add_metric([issue], float(issue in latest.assessment.issues))
        yield issues
        gauges = _gauges(sample) if sample else {}
        for name, text in GAUGES.items():
            value = score if name == "motherstream_health_score" else gauges.get(name)
            family = GaugeMetricFamily(name, text)
            if value is not None:
                family.add_metric([], value)
            yield family
        for name, text, total in (
            ("motherstream_stalled_seconds", "Seconds on air without a new picture", kept.stalled_seconds),
            ("motherstream_blank_seconds", "Seconds with nobody on air while somebody published", kept.blank_seconds),
            ("motherstream_off_air_seconds", "Seconds with nobody on air at all", kept.off_air_seconds),
            ("motherstream_health_samples", "Samples taken", float(kept.taken)),
        ):
            yield CounterMetricFamily(name, text, value=total)

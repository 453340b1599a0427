"""How the show plays: sampled, judged, kept, reported. Nothing here changes anything in OBS or in the line-up."""

from daemon.health.metrics import HealthMetrics
from daemon.health.monitor import HealthMonitor
from daemon.health.reporter import Reporter

__all__ = ["HealthMetrics", "HealthMonitor", "Reporter"]

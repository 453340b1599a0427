"""The rules' share of the configuration."""

from daemon.config.model import Config
from daemon.config.quality import COVERED, Quality
from statemachine.policy import Grades, Policy, QualityPolicy


def policy_of(config: Config) -> Policy:
    """What the rules need to know of it."""
    obs, sources, queue = config.obs, config.sources, config.queue
    return Policy(
        mode=sources.mode,
        prefix=sources.prefix,
        static_input=sources.static_input,
        z_offset=sources.z_offset,
        ready_timeout=sources.ready_timeout,
        cut_timeout=sources.cut_timeout,
        cleanup_grace=sources.cleanup_grace,
        job_delay=sources.job_delay,
        standby=sources.standby,
        slate=obs.slate,
        template=obs.template,
        studio_mode=obs.studio_mode,
        program=obs.program,
        fade=config.transition.duration if config.transition.kind == "fade" else 0.0,
        turn=queue.turn,
        turn_when_alone=queue.turn_when_alone,
        after_turn=queue.after_turn,
        reconnect_grace=queue.reconnect_grace,
        grace_cap=queue.grace_cap,
        during_grace=queue.during_grace,
        block_last=queue.block_last,
        kick_unannounced=config.ingest.kick_unannounced,
        kick_unreachable=config.ingest.kick_unreachable,
        standby_lag=sources.standby_lag,
        stall=config.health.stall,
        low_bitrate=config.health.low_bitrate,
        low_bitrate_warn=config.health.low_bitrate_warn,
        low_bitrate_slate=config.health.low_bitrate_slate,
        low_bitrate_skip=config.health.low_bitrate_skip,
        low_bitrate_kick=config.health.low_bitrate_kick,
        quality=_quality(config.quality),
        target_loudness=sources.target_loudness,
    )


def _quality(quality: Quality) -> QualityPolicy:
    def grades(name: str) -> Grades:
        return Grades(*(getattr(quality, f"{name}{suffix}") for suffix in ("_warn", "", "_skip", "_kick")))

    return QualityPolicy(no_video=quality.no_video, unfit=quality.unfit, **{name: grades(name) for name in COVERED})

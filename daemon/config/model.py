"""What may be configured: one model a section, every key with its default, its range and its comment.

Durations are seconds unless a comment says otherwise. `daemon.config.loader` fills the models from the file,
the environment and the files of secrets; `daemon.config.keys` compares them and writes the example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from daemon.config.types import (
    LONGEST_TURN,
    AppName,
    File,
    Float,
    Host,
    HttpUrl,
    Int,
    Name,
    Network,
    Prefix,
    PublicUrl,
    RtmpUrl,
    Template,
    is_loopback,
)
from daemon.core.redaction import redact


def live(default: object, comment: str, **limits: Any) -> Any:
    """A key whose change takes effect while the daemon runs."""
    return Field(default, description=comment, json_schema_extra={"live": True}, **limits)


def fixed(default: object, comment: str, **limits: Any) -> Any:
    """A key whose change waits for the next start."""
    return Field(default, description=comment, json_schema_extra={"live": False}, **limits)


class Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, redact(value) if isinstance(value, str) else value


class Http(Section):
    """The control API, the hooks and the dashboard."""

    host: Host = fixed("127.0.0.1", "address to listen on; anything but loopback needs a token")
    port: Int = fixed(8000, "port to listen on; 0 takes a free one", ge=0, le=65535)
    token: SecretStr = fixed("", "bearer token that the API asks for; empty asks for none")
    token_file: File = fixed("", "file that holds the token")
    public_url: PublicUrl = live(
        "", "what people type where a proxy is in front, such as https://show.example.org/live"
    )
    trusted_proxies: tuple[Network, ...] = live((), "addresses of proxies whose X-Forwarded-… headers are trusted")


class Hooks(Section):
    """Who may report that a stream has begun or ended."""

    secret: SecretStr = live("", "the hook URL must bear it as ?secret=; required where http.token is set")
    secret_file: File = live("", "file that holds the secret")
    allow: tuple[Network, ...] = live(("127.0.0.0/8", "::1/128"), "networks that hooks may come from; [] is nowhere")


class Obs(Section):
    """OBS Studio, through obs-websocket."""

    host: Host = live("127.0.0.1", "where OBS runs")
    port: Int = live(4455, "port of obs-websocket", ge=1, le=65535)
    password: SecretStr = live("", "password of obs-websocket; empty where authentication is off")
    password_file: File = live("", "file that holds the password")
    scene: Name = live("MOTHERSTREAM", "scene that the streams are shown in")
    slate: str = live("", "scene item shown while nobody is on air; empty for none")
    template: str = live("", "input whose sound, filters, transform and crop each fresh one gets; empty for none")
    keep_streaming: bool = live(False, "start OBS's output, and restart it when it is stuck")
    request_timeout: Float = live(5.0, "seconds that OBS may take to answer", ge=0.1, le=60)
    studio_mode: Literal["leave", "drive", "hold"] = live(
        "leave", "leave: switch studio mode off; drive: hand over by its transition; hold: no hand-over while it is on"
    )
    program: Literal["follow", "warn"] = live(
        "follow", "while another scene is shown: follow stops the turn's clock, warn lets it go on"
    )


class Pipeline(Section):
    """The GStreamer pipeline of an input."""

    rtmp_element: Literal["rtmpsrc", "rtmp2src"] = live("rtmpsrc", "element that reads RTMP: rtmpsrc or rtmp2src")
    timeout: Int = live(10, "seconds without data after which the element gives up; 0 never", ge=0, le=600)
    do_timestamp: bool = live(True, "stamp the data as it arrives")
    video_queue_time: Float = live(3.0, "seconds of picture held; longer than a GOP; 0 for no bound", ge=0, le=60)
    video_queue_buffers: Int = live(0, "frames held; 0 for no bound", ge=0, le=100_000)
    audio_queue_time: Float = live(3.0, "seconds of sound held; 0 for no bound", ge=0, le=60)
    audio_queue_buffers: Int = live(0, "buffers of sound held; 0 for no bound", ge=0, le=100_000)
    leaky: bool = live(True, "a full queue drops its oldest data, and does not wait")
    scale: bool = live(True, "scale to width and height, with borders")
    clocksync: bool = live(True, "pass frames on at the clock's pace")
    rate: Int = live(48000, "samples a second", ge=8000, le=192_000)
    channels: Int = live(2, "channels of sound", ge=1, le=8)


class Properties(Section):
    """Settings of the OBS GStreamer source."""

    use_timestamps_video: bool = live(True, "keep the pipeline's timestamps of the picture")
    use_timestamps_audio: bool = live(True, "keep the pipeline's timestamps of the sound")
    normalize_timestamps: bool = live(False, "begin each stream's timestamps at 0; clocksync does it")
    reset_timestamps_on_discontinuity: bool = live(False, "begin anew at a jump; clocksync manages jumps")
    max_timestamp_jump: Int = live(0, "milliseconds that count as a jump; 0 for none", ge=0, le=3_600_000)
    sync_appsinks: bool = live(True, "give frames out at the clock's pace")
    video_buffer_size: Int = live(0, "frames that the plugin holds besides the queue", ge=0, le=100_000)
    audio_buffer_size: Int = live(0, "sound buffers that the plugin holds besides the queue", ge=0, le=100_000)
    buffering_enabled: bool = live(False, "OBS's own buffering")
    drop_on_latency: bool = live(True, "drop frames where OBS is too slow")
    restart_on_eos: bool = live(True, "start again after the stream's end")
    restart_on_error: bool = live(True, "start again after an error")
    restart_timeout: Int = live(2000, "milliseconds before it starts again", ge=0, le=600_000)


class Ffmpeg(Section):
    """Settings of OBS's built-in media source."""

    buffering_mb: Int = live(
        2, "megabytes read ahead; 0 throws away what was probed, and the start waits for another GOP", ge=0, le=16
    )
    reconnect_delay_sec: Int = live(1, "whole seconds between attempts to connect", ge=1, le=60)
    input_format: str = live("", "format to expect, such as flv; empty finds out")
    ffmpeg_options: str = live(
        "fpsprobesize=0 tcp_nodelay=1 analyzeduration=500000",
        "options for FFmpeg; these start without measuring the frame rate, and wait half a second for a missing sound",
    )


class Sources(Section):
    """The inputs that are made for streams."""

    kind: Literal["auto", "gstreamer", "ffmpeg"] = live("auto", "gstreamer, ffmpeg, or auto: gstreamer if OBS has it")
    mode: Literal["dynamic", "pooled", "static"] = live(
        "dynamic", "dynamic: a fresh input each; pooled: two; static: one"
    )
    prefix: Prefix = fixed("GMOTHERSTREAM_", "inputs are named so, followed by a number")
    static_input: Name = live("GMOTHERSTREAM", "the one input of mode static")
    z_offset: Int = live(5, "layers of the scene that stay above an input", ge=0, le=1000)
    width: Int = live(1920, "pixels of the picture", ge=16, le=16_384)
    height: Int = live(1080, "pixels of the picture", ge=16, le=16_384)
    ready_timeout: Float = live(15.0, "seconds until an input that does not play is given up", ge=0.5, le=600)
    poll_interval: Float = live(0.5, "seconds between looks at a waiting input", ge=0.05, le=10)
    cut_timeout: Float = live(2.0, "seconds that OBS may take for a cut", ge=0.1, le=60)
    cleanup_grace: Float = live(
        1.0, "seconds that the outgoing input outlives a cut; below 1, OBS may cut its sound short", ge=0, le=60
    )
    job_delay: Float = live(2.0, "seconds between hand-overs, at least", ge=0, le=60)
    standby: bool = live(True, "make the next streamer's input ready ahead of the turn")
    standby_lag: Float = live(
        0.25,
        "share of OBS's frames that may be late before standby is suspended; 0 for no bound",
        ge=0,
        le=1,
    )
    pipeline: Pipeline = Pipeline()
    properties: Properties = Properties()
    ffmpeg: Ffmpeg = Ffmpeg()


class Transition(Section):
    """How the picture changes."""

    kind: Literal["cut", "fade"] = live("cut", "cut or fade")
    duration: Float = live(0.5, "seconds of a fade", ge=0.05, le=10)


class Ingest(Section):
    """The RTMP server that streamers publish to."""

    rtmp_url: RtmpUrl = live(
        "rtmp://127.0.0.1:1935/{app}/{stream}", "where to play; also {stream_key}, {param}, {vhost}"
    )
    default_app: AppName = live("", "app of MediaMTX paths of one level, such as live; empty refuses them")
    kick_unannounced: bool = live(True, "kick once whom no hook announced, so that the encoder comes back with one")
    apps: tuple[str, ...] = live((), "apps whose publishers are this channel's; [] is all")
    vhosts: tuple[str, ...] = live((), "SRS's virtual hosts whose publishers are this channel's; [] is all")
    reconcile: Float = live(5.0, "seconds between looks at the server's own list of streams", ge=0.5, le=300)
    srs_api: HttpUrl = fixed("", "SRS's HTTP API, such as http://127.0.0.1:1985; empty for none")
    srs_token: SecretStr = fixed("", "bearer token of SRS's API")
    srs_token_file: File = fixed("", "file that holds it")
    oryx_api: HttpUrl = fixed("", "Oryx's HTTP API, such as http://127.0.0.1:2022")
    oryx_token: SecretStr = fixed("", "bearer token of Oryx's API")
    oryx_token_file: File = fixed("", "file that holds it")
    mediamtx_api: HttpUrl = fixed("", "MediaMTX's HTTP API, such as http://127.0.0.1:9997")
    nginx_stat: HttpUrl = fixed("", "nginx-rtmp's rtmp_stat, such as http://127.0.0.1:8080/stat")
    nginx_control: HttpUrl = fixed("", "nginx-rtmp's rtmp_control, for kicks: http://127.0.0.1:8080/control")


class Queue(Section):
    """The line-up: who may publish, and for how long."""

    auth: Literal["keys", "open", "http"] = live(
        "keys", "keys: the streamers' own; open: anybody; http: auth_url decides"
    )
    auth_url: HttpUrl = live("", "URL that is asked where auth is http")
    auth_timeout: Float = live(3.0, "seconds that it may take; then the answer is no", ge=0.1, le=25)
    turn: Float = live(3600.0, "seconds of a turn, counted from the picture", ge=1, le=LONGEST_TURN)
    turn_when_alone: bool = live(False, "let a turn end although nobody waits")
    after_turn: Literal["requeue", "kick"] = live("requeue", "after a turn or a skip: requeue to the tail, or kick")
    reconnect_grace: Float = live(8.0, "seconds that a dropped streamer keeps the turn", ge=0, le=300)
    grace_cap: Float = live(60.0, "most seconds of grace in one turn", ge=0, le=3600)
    during_grace: Literal["next", "slate"] = live("next", "shown meanwhile: the next streamer, or the slate")
    block_last: bool = live(False, "the last one on air may not come straight back")


class Health(Section):
    """How the picture is watched."""

    interval: Float = live(1.0, "seconds between samples", ge=0.1, le=60)
    history: Int = fixed(3600, "samples kept in memory", ge=1, le=100_000)
    stall: Float = live(
        1.0, "seconds that a picture may stand still; half of it where a standby is ready", ge=0.2, le=60
    )
    low_bitrate: Float = live(250.0, "kbit/s under which a stream is poor; 0 for no bound", ge=0, le=1_000_000)
    low_bitrate_warn: Float = live(10.0, "seconds of a poor stream until it is told; 0 never", ge=0, le=86_400)
    low_bitrate_slate: Float = live(0.0, "until the slate is shown in its place; 0 never", ge=0, le=86_400)
    low_bitrate_skip: Float = live(0.0, "until the next one follows, if there is one; 0 never", ge=0, le=86_400)
    low_bitrate_kick: Float = live(0.0, "until it is disconnected and blocked for 5 minutes; 0 never", ge=0, le=86_400)
    report_dir: File = fixed("logs/stream-health", "folder of the hourly reports; empty for none")


class Quality(Section):
    """What is measured of the one on air, where somebody measures (POST /measurements)."""

    silence: Float = live(0.0, "seconds without sound until it is told; 0 never", ge=0, le=86_400)


class Overlays(Section):
    """Inputs of the scene that tell the viewers of the show; each empty for none."""

    on_air_text: str = live("", "text input that says who is on air")
    on_air_template: Template = live("{on_air}", "its text; also {next}, {remaining}, {queue}")
    next_text: str = live("", "text input that says who is next")
    next_template: Template = live("{next}", "its text")
    remaining_text: str = live("", "text input that says what is left of the turn")
    remaining_template: Template = live("{remaining}", "its text")
    timer: str = live("", "scene item shown while somebody is on air, such as TIMER")
    time_remaining: str = live("", "scene item shown with it, such as TIME REMAINING")
    loading: str = live("", "scene item shown while the first picture is awaited, such as LOADING")


class Store(Section):
    """What outlives a restart."""

    path: Path = fixed("motherstream.db", "SQLite file")


class Log(Section):
    """What is told."""

    file: File = fixed("logs/motherstream.log", "log file besides standard error; empty for none")
    level: Literal["debug", "info", "warning", "error"] = live("info", "debug, info, warning or error")
    format: Literal["auto", "json", "console"] = fixed(
        "auto", "json, console, or auto: colours on a terminal, else JSON"
    )


class Notify(Section):
    """Who is told."""

    urls: tuple[SecretStr, ...] = live((), "Apprise URLs: Discord, Slack, Telegram, mail and many more")
    urls_file: File = live("", "file that holds them, one a line")


class Config(Section):
    """Everything that may be configured."""

    http: Http = Http()
    hooks: Hooks = Hooks()
    obs: Obs = Obs()
    sources: Sources = Sources()
    transition: Transition = Transition()
    ingest: Ingest = Ingest()
    queue: Queue = Queue()
    health: Health = Health()
    quality: Quality = Quality()
    overlays: Overlays = Overlays()
    store: Store = Store()
    log: Log = Log()
    notify: Notify = Notify()


HOOKS_NEED_SECRET: Final = (
    "is required where http.token is set, as what a proxy passes on seems to come from this machine: "
    "make one (openssl rand -hex 24), and end each hook's URL in ?secret= and the same"
)


class Conflict(NamedTuple):
    """Keys that do not go together; the first is the one to mend."""

    keys: tuple[str, ...]
    message: str


def conflicts(config: Config) -> Iterator[Conflict]:
    """What is wrong although each value by itself is right."""
    http, obs, sources, queue = config.http, config.obs, config.sources, config.queue
    if not is_loopback(http.host) and not http.token.get_secret_value():
        yield Conflict(("http.token", "http.host"), f"is required where http.host is not loopback (it is {http.host})")
    if http.token.get_secret_value() and not config.hooks.secret.get_secret_value():
        yield Conflict(("hooks.secret", "http.token"), HOOKS_NEED_SECRET)
    if (
        http.public_url
        and not http.token.get_secret_value()
        and not is_loopback(urlsplit(http.public_url).hostname or "")
    ):
        yield Conflict(("http.token", "http.public_url"), "is required where http.public_url is not this machine's own")
    if config.ingest.nginx_control and not config.ingest.nginx_stat:
        yield Conflict(("ingest.nginx_stat", "ingest.nginx_control"), "is required where ingest.nginx_control is set")
    if queue.auth == "http" and not queue.auth_url:
        yield Conflict(("queue.auth_url", "queue.auth"), "is required where queue.auth is http")
    if config.health.low_bitrate_slate and not obs.slate:
        yield Conflict(("health.low_bitrate_slate", "obs.slate"), "needs obs.slate, the scene item to be shown")
    if sources.poll_interval >= sources.ready_timeout:
        keys = ("sources.poll_interval", "sources.ready_timeout")
        yield Conflict(keys, f"is {sources.poll_interval:g}, must be less than sources.ready_timeout")
    own = re.compile(re.escape(sources.prefix) + r"\d+")
    shown = [(f"overlays.{name}", text) for name, text in config.overlays if not name.endswith("_template")]
    made = [("sources.static_input", sources.static_input), ("obs.slate", obs.slate), ("obs.template", obs.template)]
    for key, name in (*made, *shown):
        if own.fullmatch(name):
            message = f"is {name!r}, must not look like an input that is made and removed ({sources.prefix}NUMBER)"
            yield Conflict((key, "sources.prefix"), message)
    for queue_name in ("video_queue", "audio_queue"):
        time, buffers = (f"{queue_name}_time", f"{queue_name}_buffers")
        if not getattr(sources.pipeline, time) and not getattr(sources.pipeline, buffers):
            path = "sources.pipeline."
            yield Conflict((path + time, path + buffers), f"must be above 0 where {path}{buffers} is 0")

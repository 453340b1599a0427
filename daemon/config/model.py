"""What may be configured: one model a section, every key with its default, its range and its comment.

Durations are seconds unless a comment says otherwise. `daemon.config.loader` fills the models from the file,
the environment and the files of secrets; `daemon.config.keys` compares them and writes the example.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from daemon.config.quality import COVERED, Probe, Quality
from daemon.config.section import Section, fixed, live
from daemon.config.types import (
    FIRST_CHANNEL,
    AppName,
    ChannelName,
    DatabaseFile,
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
    StoreUrl,
    Template,
    Token,
    is_loopback,
)
from daemon.core.shapes import LONGEST_TURN
from statemachine.tenure import TTL


class Http(Section):
    """The control API, the hooks and the dashboard."""

    host: Host = fixed("127.0.0.1", "address to listen on; anything but loopback needs a token")
    port: Int = fixed(8000, "port to listen on; 0 picks a free one", ge=0, le=65535)
    token: Token = fixed("", "bearer token that the API requires; empty for none")
    token_file: File = fixed("", "file that holds the token")
    public_url: PublicUrl = live(
        "", "the address people use if a proxy is in front, such as https://show.example.org/live"
    )
    trusted_proxies: tuple[Network, ...] = live((), "addresses of proxies whose X-Forwarded-… headers are trusted")


class Hooks(Section):
    """Who may report that a stream has begun or ended."""

    secret: SecretStr = live("", "expected in the hook URL as ?secret=; required if http.token is set")
    secret_file: File = live("", "file that holds the secret")
    allow: tuple[Network, ...] = live(("127.0.0.0/8", "::1/128"), "networks that hooks may come from; [] for none")


class Obs(Section):
    """OBS Studio, through obs-websocket."""

    host: Host = live("127.0.0.1", "where OBS runs")
    port: Int = live(4455, "port of obs-websocket", ge=1, le=65535)
    password: SecretStr = live("", "password of obs-websocket; empty if authentication is off")
    password_file: File = live("", "file that holds the password")
    scene: Name = live("MOTHERSTREAM", "scene that the streams are shown in")
    slate: str = live("", "scene item shown while nobody is on air; empty for none")
    template: str = live(
        "", "input whose sound, filters, transform and crop are copied to each fresh input; empty for none"
    )
    keep_streaming: bool = live(False, "start OBS's output, and restart it if it gets stuck")
    request_timeout: Float = live(5.0, "seconds to wait for an answer from OBS", ge=0.1, le=60)
    studio_mode: Literal["leave", "drive", "hold"] = live(
        "leave", "leave: switch studio mode off; drive: use its transition; hold: no hand-over while it is on"
    )
    program: Literal["follow", "warn"] = live(
        "follow", "while another scene is shown: follow pauses the turn's clock, warn keeps it running"
    )


class Pipeline(Section):
    """The GStreamer pipeline of an input."""

    rtmp_element: Literal["rtmpsrc", "rtmp2src"] = live("rtmp2src", "element that reads RTMP: rtmp2src or rtmpsrc")
    decoding: Literal["auto", "decodebin"] = live(
        "auto", "auto: as the stream needs it, without waiting; decodebin: look for everything first"
    )
    timeout: Int = live(10, "seconds without data after which the element gives up; 0 for never", ge=0, le=600)
    do_timestamp: bool = live(True, "timestamp the data on arrival")
    video_queue_time: Float = live(3.0, "seconds of picture held; longer than a GOP; 0 for no limit", ge=0, le=60)
    video_queue_buffers: Int = live(0, "frames held; 0 for no limit", ge=0, le=100_000)
    audio_queue_time: Float = live(3.0, "seconds of sound held; 0 for no limit", ge=0, le=60)
    audio_queue_buffers: Int = live(0, "buffers of sound held; 0 for no limit", ge=0, le=100_000)
    leaky: bool = live(True, "a full queue drops its oldest data instead of blocking")
    scale: bool = live(True, "scale to width and height, with borders")
    clocksync: bool = live(True, "pass frames on at the clock's pace")
    rate: Int = live(48000, "samples per second", ge=8000, le=192_000)
    channels: Int = live(2, "channels of sound", ge=1, le=8)


class Properties(Section):
    """Settings of the OBS GStreamer source."""

    use_timestamps_video: bool = live(True, "keep the pipeline's timestamps of the picture")
    use_timestamps_audio: bool = live(True, "keep the pipeline's timestamps of the sound")
    normalize_timestamps: bool = live(False, "start each stream's timestamps at 0; clocksync does this")
    reset_timestamps_on_discontinuity: bool = live(False, "start over at a jump; clocksync handles jumps")
    max_timestamp_jump: Int = live(0, "milliseconds that count as a jump; 0 for none", ge=0, le=3_600_000)
    sync_appsinks: bool = live(True, "release frames at the clock's pace")
    video_buffer_size: Int = live(0, "frames that the plugin holds besides the queue", ge=0, le=100_000)
    audio_buffer_size: Int = live(0, "sound buffers that the plugin holds besides the queue", ge=0, le=100_000)
    buffering_enabled: bool = live(False, "OBS's own buffering")
    drop_on_latency: bool = live(True, "drop frames if OBS is too slow")
    restart_on_eos: bool = live(True, "restart after the stream ends")
    restart_on_error: bool = live(True, "restart after an error")
    restart_timeout: Int = live(2000, "milliseconds before a restart", ge=0, le=600_000)


class Ffmpeg(Section):
    """Settings of OBS's built-in media source."""

    buffering_mb: Int = live(
        2, "megabytes read ahead; 0 discards what was probed, so the start waits for another GOP", ge=0, le=16
    )
    reconnect_delay_sec: Int = live(1, "whole seconds between attempts to connect", ge=1, le=60)
    input_format: str = live("", "format to expect, such as flv; empty to detect it")
    ffmpeg_options: str = live(
        "fpsprobesize=0 tcp_nodelay=1 analyzeduration=500000",
        "options for FFmpeg; these skip measuring the frame rate, and wait half a second for missing sound",
    )


class Sources(Section):
    """The inputs created for streams."""

    kind: Literal["auto", "gstreamer", "ffmpeg"] = live("auto", "gstreamer, ffmpeg, or auto: gstreamer if OBS has it")
    mode: Literal["dynamic", "pooled", "static"] = live(
        "dynamic", "dynamic: a fresh input per hand-over; pooled: two; static: one"
    )
    prefix: Prefix = fixed("GMOTHERSTREAM_", "names of inputs: this and a number")
    static_input: Name = live("GMOTHERSTREAM", "the one input of mode static")
    z_offset: Int = live(5, "layers of the scene kept above an input", ge=0, le=1000)
    width: Int = live(1920, "pixels of the picture", ge=16, le=16_384)
    height: Int = live(1080, "pixels of the picture", ge=16, le=16_384)
    ready_timeout: Float = live(15.0, "seconds until an input that does not play is abandoned", ge=0.5, le=600)
    poll_interval: Float = live(0.5, "seconds between checks of a waiting input", ge=0.05, le=10)
    cut_timeout: Float = live(2.0, "seconds to wait for a cut", ge=0.1, le=60)
    cleanup_grace: Float = live(
        1.0, "seconds the outgoing input stays after a cut; below 1, OBS may cut its sound short", ge=0, le=60
    )
    job_delay: Float = live(2.0, "minimum seconds between hand-overs", ge=0, le=60)
    target_loudness: Float = live(
        0.0, "LUFS that each streamer's sound is brought to, such as -14, within 12 dB; 0 to leave it", ge=-40, le=0
    )
    standby: bool = live(True, "prepare the next streamer's input ahead of the turn")
    standby_lag: Float = live(
        0.25,
        "share of OBS's frames that may be late before standby is suspended; 0 for no limit",
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
        "rtmp://127.0.0.1:1935/{app}/{stream}", "where OBS plays streams from; also {stream_key}, {param}, {vhost}"
    )
    default_app: AppName = live("", "app for single-level MediaMTX paths, such as live; empty to refuse them")
    kick_unannounced: bool = live(
        True, "kick a publisher once if no hook announced it, so that its encoder returns with one"
    )
    kick_unreachable: bool = live(
        True, "kick a publisher once if OBS cannot open a stream that the server lists, so that it publishes again"
    )
    apps: tuple[str, ...] = live((), "apps whose publishers belong to this channel; [] for all")
    vhosts: tuple[str, ...] = live((), "SRS virtual hosts whose publishers belong to this channel; [] for all")
    reconcile: Float = live(5.0, "seconds between reads of the server's own list of streams", ge=0.5, le=300)
    srs_api: HttpUrl = fixed("", "SRS's HTTP API, such as http://127.0.0.1:1985; empty for none")
    srs_token: SecretStr = fixed("", "bearer token of SRS's API")
    srs_token_file: File = fixed("", "file that holds the token")
    oryx_api: HttpUrl = fixed("", "Oryx's HTTP API, such as http://127.0.0.1:2022")
    oryx_token: SecretStr = fixed("", "bearer token of Oryx's API")
    oryx_token_file: File = fixed("", "file that holds the token")
    mediamtx_api: HttpUrl = fixed("", "MediaMTX's HTTP API, such as http://127.0.0.1:9997")
    nginx_stat: HttpUrl = fixed("", "nginx-rtmp's rtmp_stat, such as http://127.0.0.1:8080/stat")
    nginx_control: HttpUrl = fixed("", "nginx-rtmp's rtmp_control, for kicks: http://127.0.0.1:8080/control")


class Queue(Section):
    """The line-up: who may publish, and for how long."""

    auth: Literal["keys", "open", "http"] = live(
        "keys", "keys: each streamer's own; open: anybody; http: auth_url decides"
    )
    auth_url: HttpUrl = live("", "URL to ask if auth is http")
    auth_timeout: Float = live(3.0, "seconds to wait for its answer; then it counts as no", ge=0.1, le=25)
    turn: Float = live(3600.0, "seconds of a turn, counted from the picture", ge=1, le=LONGEST_TURN)
    turn_when_alone: bool = live(False, "end turns even if nobody is waiting")
    after_turn: Literal["requeue", "kick"] = live("requeue", "after a turn or a skip: requeue (to the end) or kick")
    reconnect_grace: Float = live(8.0, "seconds that a dropped streamer keeps the turn", ge=0, le=300)
    grace_cap: Float = live(60.0, "maximum seconds of grace in one turn", ge=0, le=3600)
    during_grace: Literal["next", "slate"] = live("next", "shown in the meantime: the next streamer, or the slate")
    block_last: bool = live(False, "the last one on air may not come straight back")


class Health(Section):
    """How the picture is monitored."""

    interval: Float = live(1.0, "seconds between samples", ge=0.1, le=60)
    history: Int = fixed(3600, "samples kept in memory", ge=1, le=100_000)
    stall: Float = live(1.0, "seconds a picture may stand still; half of that if a standby is ready", ge=0.2, le=60)
    low_bitrate: Float = live(250.0, "kbit/s below which a stream counts as poor; 0 for no limit", ge=0, le=1_000_000)
    low_bitrate_warn: Float = live(10.0, "seconds of a poor stream until it is reported; 0 for never", ge=0, le=86_400)
    low_bitrate_slate: Float = live(0.0, "until the slate is shown instead; 0 for never", ge=0, le=86_400)
    low_bitrate_skip: Float = live(
        0.0, "until the next streamer follows, if there is one; 0 for never", ge=0, le=86_400
    )
    low_bitrate_kick: Float = live(
        0.0, "until it is disconnected and blocked for 5 minutes; 0 for never", ge=0, le=86_400
    )
    report_dir: File = fixed("logs/stream-health", "folder of the hourly reports; empty for none")


class Overlays(Section):
    """Inputs of the scene that tell viewers about the show; each empty for none."""

    on_air_text: str = live("", "text input that shows who is on air")
    on_air_template: Template = live("{on_air}", "its text; also {next}, {remaining}, {queue}")
    next_text: str = live("", "text input that shows who is next")
    next_template: Template = live("{next}", "its text")
    remaining_text: str = live("", "text input that shows the time left in the turn")
    remaining_template: Template = live("{remaining}", "its text")
    timer: str = live("", "scene item shown while somebody is on air, such as TIMER")
    time_remaining: str = live("", "scene item shown with it, such as TIME REMAINING")
    loading: str = live("", "scene item shown while waiting for the first picture, such as LOADING")


class Store(Section):
    """What survives a restart, and what is shared with other daemons."""

    path: DatabaseFile = fixed("motherstream.db", "SQLite file")
    url: StoreUrl = fixed(
        "", "PostgreSQL: a second daemon can take over, channels share keys; postgresql://USER:PASSWORD@HOST/NAME"
    )
    url_file: File = fixed("", "file that holds it")
    address: HttpUrl = fixed(
        "", "where the channel's other daemon reaches this one, such as http://10.0.0.2:8000; empty for http.host"
    )
    lease: Float = fixed(TTL, "seconds without a sign of life until the other daemon takes over", ge=2, le=12)


class Log(Section):
    """The log."""

    file: File = fixed("logs/motherstream.log", "log file, in addition to standard error; empty for none")
    level: Literal["debug", "info", "warning", "error"] = live("info", "debug, info, warning or error")
    format: Literal["auto", "json", "console"] = fixed(
        "auto", "json, console, or auto: colours on a terminal, else JSON"
    )


class Notify(Section):
    """Notifications."""

    urls: tuple[SecretStr, ...] = live((), "Apprise URLs: Discord, Slack, Telegram, email and many more")
    urls_file: File = live("", "file that holds them, one per line")


class Config(Section):
    """Everything that may be configured."""

    channel: ChannelName = fixed(FIRST_CHANNEL, "this channel's name, which labels its log, its metrics and its events")
    http: Http = Http()
    hooks: Hooks = Hooks()
    obs: Obs = Obs()
    sources: Sources = Sources()
    transition: Transition = Transition()
    ingest: Ingest = Ingest()
    queue: Queue = Queue()
    health: Health = Health()
    probe: Probe = Probe()
    quality: Quality = Quality()
    overlays: Overlays = Overlays()
    store: Store = Store()
    log: Log = Log()
    notify: Notify = Notify()


HOOKS_NEED_SECRET: Final = (
    "is required if http.token is set, because what a proxy passes on seems to come from this machine: "  # noqa: S105  # a sentence
    "make one (openssl rand -hex 24), and append it to each hook URL as ?secret="
)


EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  # the addresses that stand for all of this machine's
DEFAULT_PORTS: Final = {"http": 80, "https": 443, "rtmp": 1935, "rtmps": 443}


class Conflict(NamedTuple):
    """Keys that do not go together; the first is the one to mend."""

    keys: tuple[str, ...]
    message: str


def conflicts(config: Config) -> Iterator[Conflict]:
    """What is wrong although each value by itself is right."""
    yield from _door_conflicts(config)
    yield from _missing_companions(config)
    yield from _same_secrets(config)
    yield from _source_conflicts(config.sources)
    yield from _name_conflicts(config)
    yield from _port_conflicts(config)


def _door_conflicts(config: Config) -> Iterator[Conflict]:
    """Who could come in from elsewhere without a token or a secret."""
    http, token = config.http, config.http.token.get_secret_value()
    if not is_loopback(http.host) and not token:
        yield Conflict(("http.token", "http.host"), f"is required if http.host is not loopback (it is {http.host})")
    if token and not config.hooks.secret.get_secret_value():
        yield Conflict(("hooks.secret", "http.token"), HOOKS_NEED_SECRET)
    if http.public_url and not token and not is_loopback(urlsplit(http.public_url).hostname or ""):
        yield Conflict(("http.token", "http.public_url"), "is required if http.public_url is not this machine's own")


def _missing_companions(config: Config) -> Iterator[Conflict]:
    """Keys that mean nothing without another one."""
    if config.ingest.nginx_control and not config.ingest.nginx_stat:
        yield Conflict(("ingest.nginx_stat", "ingest.nginx_control"), "is required if ingest.nginx_control is set")
    if config.queue.auth == "http" and not config.queue.auth_url:
        yield Conflict(("queue.auth_url", "queue.auth"), "is required if queue.auth is http")
    covers = {"health.low_bitrate_slate": config.health.low_bitrate_slate}
    covers |= {f"quality.{name}": getattr(config.quality, name) for name in COVERED}
    for key, seconds in covers.items():
        if seconds and not config.obs.slate:
            yield Conflict((key, "obs.slate"), "needs obs.slate, the scene item to be shown")
    if (
        config.http.token.get_secret_value()
        and config.probe.enabled == "on"
        and not config.probe.token.get_secret_value()
    ):
        message = "is required if http.token is set: make one (openssl rand -hex 24), and give it to the probe"
        yield Conflict(("probe.token", "probe.enabled"), message)


def _same_secrets(config: Config) -> Iterator[Conflict]:
    """The probe may do nothing but report."""
    own = config.probe.token.get_secret_value()
    if own and own == config.http.token.get_secret_value():
        yield Conflict(("probe.token", "http.token"), "must not be http.token: with that the probe could do everything")
    if own and own == config.hooks.secret.get_secret_value():
        yield Conflict(("probe.token", "hooks.secret"), "must not be hooks.secret: make another one")


def _source_conflicts(sources: Sources) -> Iterator[Conflict]:
    """An input that could not become ready, or would hold back for ever what it has."""
    if sources.poll_interval >= sources.ready_timeout:
        keys = ("sources.poll_interval", "sources.ready_timeout")
        yield Conflict(keys, f"is {sources.poll_interval:g}, must be less than sources.ready_timeout")
    for queue_name in ("video_queue", "audio_queue"):
        time, buffers = (f"{queue_name}_time", f"{queue_name}_buffers")
        if not getattr(sources.pipeline, time) and not getattr(sources.pipeline, buffers):
            path = "sources.pipeline."
            yield Conflict((path + time, path + buffers), f"must be above 0 where {path}{buffers} is 0")


def _name_conflicts(config: Config) -> Iterator[Conflict]:
    """What belongs to people may not be named as what is made and removed."""
    sources, obs = config.sources, config.obs
    own = re.compile(re.escape(sources.prefix) + r"\d+")
    shown = [(f"overlays.{name}", text) for name, text in config.overlays if not name.endswith("_template")]
    made = [("sources.static_input", sources.static_input), ("obs.slate", obs.slate), ("obs.template", obs.template)]
    for key, name in (("obs.slate", obs.slate), *shown):
        if name and name == obs.scene:
            yield Conflict((key, "obs.scene"), "is obs.scene itself, must be an item in it")
    for key, name in (*made, *shown):
        if own.fullmatch(name):
            message = f"is {name!r}, must not look like an input that is made and removed ({sources.prefix}NUMBER)"
            yield Conflict((key, "sources.prefix"), message)


def _port_conflicts(config: Config) -> Iterator[Conflict]:
    """Where somebody else listens on this machine, the daemon cannot, and where it does, it would ask itself."""
    http, obs, ingest = config.http, config.obs, config.ingest
    if http.host not in EVERYWHERE and not is_loopback(http.host):
        return
    urls = {f"ingest.{key}": value for key, value in ingest if key.endswith(("_url", "_api", "_stat", "_control"))}
    addresses = [("obs.port", obs.host, obs.port)]
    for key, url in {**urls, "queue.auth_url": config.queue.auth_url}.items():
        parts = urlsplit(url)
        addresses.append((key, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)))
    for key, host, port in addresses:
        if port == http.port and is_loopback(host):
            yield Conflict((key, "http.port"), f"has the port of http.port, {port}, where the daemon itself listens")

"""``motherstream check``: look at the studio as the daemon would, and say how to mend what is amiss."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from daemon.cli.check_door import look_at_door
from daemon.config.model import Config
from daemon.core.ports import IngestError, ObsError
from daemon.ingest.api import open_client
from daemon.ingest.servers.registry import configured
from daemon.ingest.sessions import SessionDirectory
from daemon.notify.apprise import INSTALL_HINT, AppriseTarget, TargetError, is_installed, schema_of
from daemon.obs.connection import NONSENSE, Link, PasswordRefused
from daemon.obs.inventory import read_inputs
from daemon.obs.program import read_program
from daemon.obs.scene_items import read_items
from daemon.obs.sources import FFMPEG, GSTREAMER, choose
from daemon.obs.trial import plays
from daemon.observability.wording import STUDIO_MODE
from daemon.streamers.store import StreamerError, StreamerStore

ANSWER_WITHIN = 5.0
"""Seconds for each answer."""
PLUGIN = (
    "OBS's log names the GStreamer element that is missing: install gstreamer1.0-plugins-base, -good, -bad and "
    'gstreamer1.0-libav, or set sources.kind = "ffmpeg"'
)


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line: what was looked at, and, where it is not well, how to mend it."""

    what: str
    ok: bool
    detail: str = ""


async def check(config: Config) -> list[CheckLine]:
    """All results, in the order in which they build on one another."""
    return [
        *[result async for result in _obs(config)],
        *[result async for result in _ingest(config)],
        *[CheckLine(*found) for found in look_at_door(config)],
        *_line_up(config),
        *_notifications(config),
    ]


async def _obs(config: Config) -> AsyncIterator[CheckLine]:
    obs = config.obs
    where = f"OBS at {obs.host}:{obs.port}"
    try:
        link = await Link.open(obs.host, obs.port, obs.password.get_secret_value(), seconds=ANSWER_WITHIN)
    except PasswordRefused:
        yield CheckLine(where, True, "reachable")
        mend = "set obs.password to the one in OBS under Tools, WebSocket Server Settings"
        yield CheckLine("OBS's password", False, f"refused: {mend}")
        return
    except ObsError as error:
        mend = "start OBS and enable its WebSocket server (Tools), or set obs.host and obs.port"
        yield CheckLine(where, False, f"{error}: {mend}")
        return
    try:
        version = await link.call("GetVersion")
        numbers = f"OBS {version.get('obsVersion')}, obs-websocket {version.get('obsWebSocketVersion')}"
        yield CheckLine(where, True, numbers)
        yield CheckLine("OBS's password", True)
        scenes = [
            str(scene["sceneName"]) for scene in (await link.call("GetSceneList"))["scenes"] if "sceneName" in scene
        ]
        missing = f"OBS has {', '.join(sorted(scenes))}: create it, or set obs.scene"
        yield CheckLine(f"scene {obs.scene}", obs.scene in scenes, "" if obs.scene in scenes else missing)
        if obs.scene in scenes:
            yield await _program(link, config)
        kinds = (await link.call("GetInputKindList"))["inputKinds"]
        kind = _kind(config, kinds)
        yield kind
        if obs.scene in scenes and kind.ok and choose(config.sources.kind, frozenset(kinds)).kind == GSTREAMER:
            played = await plays(link, obs.scene, config.sources)
            yield CheckLine("obs-gstreamer plays a test picture", played, "" if played else PLUGIN)
        if obs.scene in scenes:
            for result in await _fixtures(link, config):
                yield result
    except (ObsError, *NONSENSE) as error:
        yield CheckLine("OBS's answers", False, f"{error}: is it still starting?")
    finally:
        await link.close()


async def _fixtures(link: Link, config: Config) -> list[CheckLine]:
    """Each item and input that the configuration names: whether OBS has it."""
    obs, sources = config.obs, config.sources
    placed = {("obs.slate", "slate"): obs.slate}
    if sources.mode == "static":
        placed["sources.static_input", "input"] = sources.static_input
    texts: dict[tuple[str, str], str] = {("obs.template", "template"): obs.template}
    for key, name in config.overlays:
        if not key.endswith("_template"):
            (texts if key.endswith("_text") else placed)[f"overlays.{key}", "overlay"] = name
    names = [name for name in placed.values() if name]
    if not names and not any(texts.values()):
        return []
    items = {item.name: item for item in await read_items(link, obs.scene, deep=names)}
    inputs = {name for name, _ in await read_inputs(link)}
    results = []
    for (key, what), name in placed.items():
        if name:
            mend = f"it is not in the scene {obs.scene}: add it, or set {key}"
            holder = items[name].holder if name in items else None
            where = f"inside {holder.name}" + ("" if holder.shown else ", which is hidden") if holder else ""
            results.append(CheckLine(f"{what} {name}", name in items, where if name in items else mend))
    for (key, what), name in texts.items():
        if name:
            mend = f"OBS has no input of that name: create it, or set {key}"
            results.append(CheckLine(f"{what} {name}", name in inputs, "" if name in inputs else mend))
    return results


async def _program(link: Link, config: Config) -> CheckLine:
    """What viewers get."""
    obs = config.obs
    reading = await read_program(link, obs.scene, [])
    if reading is None:
        return CheckLine("program", True, "OBS does not say what viewers see")
    shown = f"viewers see the scene {reading.scene!r}"
    if reading.studio_mode and obs.studio_mode == "hold":
        mend = f'{STUDIO_MODE["hold"]}: do that, or set obs.studio_mode = "leave" or "drive"'
        return CheckLine("program", False, f"{shown}, studio mode is on: {mend}")
    note = f", studio mode is on: {STUDIO_MODE[obs.studio_mode]}" if reading.studio_mode else ""
    if not (reading.live or reading.copied):
        mend = f"switch OBS to {obs.scene!r}, or put that into the scene that is shown"
        return CheckLine("program", False, f"{shown}{note}, not {obs.scene!r}: {mend}")
    return CheckLine("program", True, shown + note)


def _kind(config: Config, kinds: list[str]) -> CheckLine:
    wanted = choose(config.sources.kind, frozenset(kinds)).kind
    if wanted in kinds:
        note = ""
        if wanted == FFMPEG and config.sources.kind == "auto":
            note = "OBS lacks obs-gstreamer: the built-in media source is used"
        return CheckLine(f"source kind {wanted}", True, note)
    mend = (
        'OBS lacks the obs-gstreamer plugin: install it, or set sources.kind = "auto"'
        if wanted == GSTREAMER
        else "OBS lacks its built-in media source: reinstall OBS"
    )
    return CheckLine(f"source kind {wanted}", False, mend)


async def _ingest(config: Config) -> AsyncIterator[CheckLine]:
    async with open_client() as client:
        servers = configured(config.ingest, client, SessionDirectory(lambda: config.ingest.rtmp_url))
        for server in servers:
            try:
                streams = await server.publishers()
            except IngestError as error:
                yield CheckLine(server.where, False, f"{error}: {error.mend}")
            else:
                yield CheckLine(server.where, True, f"{len(streams)} published")
        if not servers:
            yield CheckLine("ingest API", True, "none is configured: hooks only (ingest.srs_api)")


def _line_up(config: Config) -> list[CheckLine]:
    if config.queue.auth != "keys":
        return []
    try:
        count = len(StreamerStore(config.store.path).list())
    except StreamerError as error:
        return [CheckLine("streamers' keys", False, str(error))]
    note = (
        f"{count} streamer{'s' if count > 1 else ''}"
        if count
        else "none yet: `motherstream streamer add NAME` makes the first"
    )
    return [CheckLine("streamers' keys", True, note)]


def _notifications(config: Config) -> Iterator[CheckLine]:
    """Each target's address, without sending anything."""
    urls = [url.get_secret_value() for url in config.notify.urls]
    if urls and not is_installed():
        yield CheckLine("notifications", False, f"Apprise is not installed: {INSTALL_HINT}")
        return
    for number, url in enumerate(urls, 1):
        what = f"notifications to {number} ({schema_of(url)})"
        try:
            AppriseTarget(url)
        except TargetError as error:
            yield CheckLine(what, False, f"{error}: correct it in notify.urls")
        else:
            yield CheckLine(what, True, "the address can be used; `motherstream notify test` sends to it")

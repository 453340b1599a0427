"""``motherstream check``: look at the studio as the daemon would, and say how to mend what is amiss."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from daemon.config import Config
from daemon.ingest.api import open_client
from daemon.ingest.servers import configured
from daemon.ingest.sessions import SessionDirectory
from daemon.obs.connection import Link, PasswordRefused
from daemon.obs.sources import FFMPEG, GSTREAMER, choose
from daemon.ports import IngestError, ObsError
from daemon.streamers import StreamerError, StreamerStore

PATIENCE = 5.0
"""Seconds for each answer."""


@dataclass(frozen=True, slots=True)
class Result:
    """One line: what was looked at, and, where it is not well, how to mend it."""

    what: str
    ok: bool
    detail: str = ""


async def check(config: Config) -> list[Result]:
    """All results, in the order in which they build on one another."""
    return [
        *[result async for result in _obs(config)],
        *[result async for result in _ingest(config)],
        *_line_up(config),
    ]


async def _obs(config: Config) -> AsyncIterator[Result]:
    obs = config.obs
    where = f"OBS at {obs.host}:{obs.port}"
    try:
        link = await Link.open(obs.host, obs.port, obs.password.get_secret_value(), seconds=PATIENCE)
    except PasswordRefused:
        yield Result(where, True, "reachable")
        mend = "set obs.password to the one in OBS under Tools, WebSocket Server Settings"
        yield Result("OBS's password", False, f"refused: {mend}")
        return
    except ObsError as error:
        mend = "start OBS and enable its WebSocket server (Tools), or set obs.host and obs.port"
        yield Result(where, False, f"{error}: {mend}")
        return
    try:
        version = await link.call("GetVersion")
        numbers = f"OBS {version.get('obsVersion')}, obs-websocket {version.get('obsWebSocketVersion')}"
        yield Result(where, True, numbers)
        yield Result("OBS's password", True)
        scenes = [str(scene["sceneName"]) for scene in (await link.call("GetSceneList"))["scenes"]]
        missing = f"OBS has {', '.join(sorted(scenes))}: make it, or set obs.scene"
        yield Result(f"scene {obs.scene}", obs.scene in scenes, "" if obs.scene in scenes else missing)
        kinds = (await link.call("GetInputKindList"))["inputKinds"]
        yield _kind(config, kinds)
        if obs.slate and obs.scene in scenes:
            items = (await link.call("GetSceneItemList", {"sceneName": obs.scene}))["sceneItems"]
            there = any(item["sourceName"] == obs.slate for item in items)
            mend = f"it is not in the scene {obs.scene}: add it, or set obs.slate"
            yield Result(f"slate {obs.slate}", there, "" if there else mend)
    except (ObsError, KeyError, TypeError) as error:
        yield Result("OBS's answers", False, f"{error}: is it still starting?")
    finally:
        await link.close()


def _kind(config: Config, kinds: list[str]) -> Result:
    wanted = choose(config.sources.kind, frozenset(kinds)).kind
    if wanted in kinds:
        note = ""
        if wanted == FFMPEG and config.sources.kind == "auto":
            note = "OBS lacks obs-gstreamer: the built-in media source is used, whose streams start 1.5 s later"
        return Result(f"source kind {wanted}", True, note)
    mend = (
        'OBS lacks the obs-gstreamer plugin: install it, or set sources.kind = "auto"'
        if wanted == GSTREAMER
        else "OBS lacks its built-in media source: reinstall OBS"
    )
    return Result(f"source kind {wanted}", False, mend)


async def _ingest(config: Config) -> AsyncIterator[Result]:
    async with open_client() as client:
        servers = configured(config.ingest, client, SessionDirectory(lambda: config.ingest.rtmp_url))
        for server in servers:
            try:
                streams = await server.publishers()
            except IngestError as error:
                yield Result(server.where, False, f"{error}: start it, or correct its URL in [ingest]")
            else:
                yield Result(server.where, True, f"{len(streams)} published")
        if not servers:
            yield Result("ingest API", True, "none is configured: hooks alone are believed (ingest.srs_api)")


def _line_up(config: Config) -> list[Result]:
    if config.queue.auth != "keys":
        return []
    try:
        count = len(StreamerStore(config.store.path).list())
    except StreamerError as error:
        return [Result("streamers' keys", False, str(error))]
    note = f"{count} streamers" if count else "none yet: `motherstream streamer add NAME` makes the first"
    return [Result("streamers' keys", True, note)]

"""The configured ingest servers' APIs."""

from collections.abc import Callable

import aiohttp

from daemon.config.model import Ingest
from daemon.ingest.api import Api
from daemon.ingest.listing import IngestServer
from daemon.ingest.servers.mediamtx_api import MediaMtxServer
from daemon.ingest.servers.nginx_api import NginxServer
from daemon.ingest.servers.oryx_api import OryxServer
from daemon.ingest.servers.srs_api import SrsServer
from daemon.ingest.sessions import SessionDirectory


def configured(
    config: Ingest,
    client: aiohttp.ClientSession,
    sessions: SessionDirectory,
    default_app: Callable[[], str] = lambda: "",
) -> tuple[IngestServer, ...]:
    """One for each API that ``[ingest]`` names; none where it names none. ``default_app`` is ``ingest.default_app``."""
    servers: list[IngestServer] = []
    if config.srs_api:
        servers.append(SrsServer(Api("SRS", config.srs_api, client, config.srs_token.get_secret_value()), sessions))
    if config.oryx_api:
        oryx = Api("Oryx", config.oryx_api, client, config.oryx_token.get_secret_value())
        servers.append(OryxServer(oryx, sessions))
    if config.mediamtx_api:
        servers.append(MediaMtxServer(Api("MediaMTX", config.mediamtx_api, client), sessions, default_app))
    if config.nginx_stat:
        control = Api("nginx-rtmp", config.nginx_control, client) if config.nginx_control else None
        servers.append(NginxServer(Api("nginx-rtmp", config.nginx_stat, client), control))
    return tuple(servers)

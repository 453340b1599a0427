"""The kinds of ingest servers: how each one's hooks are read and answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from daemon.config.model import Ingest
from daemon.ingest.hook import FORM, JSON, Hook, Reply, Verdict
from daemon.ingest.servers import mediamtx, nginx_rtmp, oryx, srs


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of ingest server."""

    name: str
    path: str
    content_type: str
    parse: Callable[[bytes, Ingest], Hook]
    answer: Callable[[Verdict], Reply]


SERVERS: Final = (
    Server("srs", "/hooks/srs", JSON, lambda raw, _: srs.parse(raw), srs.answer),
    Server("nginx-rtmp", "/hooks/nginx-rtmp", FORM, lambda raw, _: nginx_rtmp.parse(raw), nginx_rtmp.answer),
    Server("oryx", "/hooks/oryx", JSON, lambda raw, _: oryx.parse(raw), oryx.answer),
    Server(
        "mediamtx",
        "/hooks/mediamtx",
        JSON,
        lambda raw, ingest: mediamtx.parse(raw, ingest.default_app),
        mediamtx.answer,
    ),
)
BY_REF: Final = {"srs": SERVERS[0], "nginx": SERVERS[1], "oryx": SERVERS[2], "mediamtx": SERVERS[3]}
"""By what a stream's reference says of its server."""
BY_NAME: Final = {server.name: server for server in SERVERS}

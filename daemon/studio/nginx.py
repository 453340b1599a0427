"""nginx-rtmp as one of the studio's programs: the ingest server that Debian packages."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import aiohttp

from daemon.studio.ports import free_port
from daemon.studio.process import Process, port_open

MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
MODULE_PACKAGE = "libnginx-mod-rtmp"

START_TIMEOUT = 10.0
"""Seconds in which it has to listen."""

CONFIG = """\
load_module {module};
daemon off;
# One process: nothing is left to clean up after it, and no user to change to.
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{rtmp_port};
        chunk_size 4096;
        buflen 100ms;
        ping 30s;
        ping_timeout 10s;
        notify_method post;
{apps}
    }}
}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{http_port};
        location = /stat {{ rtmp_stat all; }}
        location /control {{ rtmp_control all; }}
    }}
}}
"""

APPLICATION = """\
        application {app} {{
            {hooks}
            live on;
            record off;
            # A player gets nothing before a key frame, so that its first picture is whole.
            wait_key on;
            # And no sound before it: OBS would take the stream for one without a picture, and wait up to two GOPs.
            wait_video on;
            interleave off;
            sync 10ms;
            # As SRS does: a player stays connected when its publisher goes, and the publisher may come back.
            idle_streams on;
            publish_notify off;
            play_restart off;
            {drop_idle}
        }}
"""


class Nginx:
    """nginx-rtmp on loopback.

    `apps` are its applications, each with the URL that is asked on publish and told on publish_done, by POST; None lets
    everybody publish. `drop_idle` ends a publisher that has sent nothing for so many seconds; None never does.
    """

    def __init__(self, folder: Path, *, apps: Mapping[str, str | None], drop_idle: float | None) -> None:
        self._apps = dict(apps)
        self.rtmp_port = free_port()
        self.http_port = free_port()
        self._folder = folder
        self._drop_idle = drop_idle
        config = folder / "nginx.conf"
        self.process = Process(
            "nginx",
            # -e: without it nginx first opens the log that was compiled in, which is the system's.
            ("nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)),
            log=folder / "error.log",
        )

    def rtmp_base(self, app: str) -> str:
        """The URL below which an application's streams are published and played, without the stream's name."""
        return f"rtmp://127.0.0.1:{self.rtmp_port}/{app}"

    @property
    def stat_url(self) -> str:
        """Its list of streams (``ingest.nginx_stat``)."""
        return f"http://127.0.0.1:{self.http_port}/stat"

    @property
    def control_url(self) -> str:
        """Where publishers are dropped (``ingest.nginx_control``)."""
        return f"http://127.0.0.1:{self.http_port}/control"

    async def start(self) -> None:
        """Write the configuration, start, wait for the port. Raises StartError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "nginx.conf").write_text(self._config())
        await self.process.start()
        await self.process.answers(lambda: port_open(self.rtmp_port), START_TIMEOUT, poll=0.02)

    async def kill(self) -> None:
        """SIGKILL. It can be started again, on the same ports."""
        await self.process.kill()

    def kill_group(self) -> None:
        """SIGKILL, without waiting."""
        self.process.kill_group()

    async def publishing(self) -> frozenset[str]:
        """The names of the streams that are being published now, by the server's own account."""
        url = self.stat_url
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(url, raise_for_status=True) as answer,
        ):
            root = ElementTree.fromstring(await answer.text())  # noqa: S314  # of the studio's own nginx
        return frozenset(
            stream.findtext("name", "") for stream in root.iter("stream") if stream.find("publishing") is not None
        )

    def _config(self) -> str:
        drop = "" if self._drop_idle is None else f"drop_idle_publisher {round(self._drop_idle * 1000)}ms;"
        apps = [
            APPLICATION.format(app=app, hooks=_hooks(url) if url else "", drop_idle=drop)
            for app, url in self._apps.items()
        ]
        return CONFIG.format(
            module=MODULE,
            folder=self._folder,
            apps="".join(apps),
            rtmp_port=self.rtmp_port,
            http_port=self.http_port,
        )


def _hooks(url: str) -> str:
    if any(mark in url for mark in " \t\r\n;{}\"'"):
        raise ValueError("the hook URL holds a character that would end it in nginx's configuration")
    return f"on_publish {url}; on_publish_done {url};"

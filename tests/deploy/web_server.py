"""A web server of a test's own, as a process that ends with it."""

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.deploy.support import PATH
from tests.support import blocking_until

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""
DEADLINE = 15.0


class WebServer:
    """``with WebServer.nginx(...)``: it listens."""

    def __init__(self, folder: Path, command: Sequence[str], port: int) -> None:
        self._folder = folder
        self._command = command
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def nginx(cls, folder: Path, server: str, port: int) -> Self:
        """With that ``server`` in its ``http``."""
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, server=server))
        return cls(folder, [_program("nginx"), "-p", str(folder), "-e", f"{folder}/error.log", "-c", str(config)], port)

    @classmethod
    def caddy(cls, folder: Path, config: str, port: int) -> Self:
        """With that Caddyfile."""
        (folder / "Caddyfile").write_text(config)
        arguments = ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
        return cls(folder, [_program("caddy"), *arguments], port)

    def __enter__(self) -> Self:
        with (self._folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._command],
                env={**os.environ, "HOME": str(self._folder), "XDG_DATA_HOME": str(self._folder)},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        try:
            blocking_until(
                self._listens,
                ignore=OSError,
                give_up=lambda: self._process is not None and self._process.poll() is not None,
                tell=(self._folder / "console.log").read_text,
            )
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _listens(self) -> bool:
        socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _program(name: str) -> str:
    program = shutil.which(name, path=PATH)
    assert program, f"{name} is missing: deploy/prepare.sh test installs it"
    return program

"""``motherstream check``, the HTTP side: whether the RTMP server's hooks can arrive, and what a proxy needs."""

from collections.abc import Collection, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from daemon.config.model import Config
from daemon.config.types import is_loopback

CONTAINER_SIGNS = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""What Docker and Podman put into each container."""
SHORT_TOKEN = 16
"""Characters below which a token counts as one that can be guessed."""


class Finding(NamedTuple):
    """One line: what was looked at, whether it is well, and how to mend it or what to know."""

    what: str
    ok: bool
    detail: str = ""


def look_at_door(config: Config, signs: Collection[Path] = CONTAINER_SIGNS) -> Iterator[Finding]:
    """What follows from the configuration alone."""
    http = config.http
    yield _hooks(config, in_container=any(sign.exists() for sign in signs))
    if http.public_url and not http.trusted_proxies:
        note = "everybody behind the proxy counts as one client when tokens are wrong: set http.trusted_proxies"
        yield Finding(f"page at {http.public_url}", True, note)
    if 0 < len(http.token.get_secret_value()) < SHORT_TOKEN:
        note = "it is short enough to be guessed: make a good one with `openssl rand -hex 24`"
        yield Finding("http.token", True, note)


def _hooks(config: Config, *, in_container: bool) -> Finding:
    http = config.http
    what = f"hooks to {http.host}:{http.port}"
    elsewhere = [network for network in config.hooks.allow if not _is_here(network)]
    servers = [address for address in _servers(config) if not is_loopback(address)]
    if is_loopback(http.host):
        unheard = [*map(str, elsewhere), *servers]
        if unheard:
            mend = f"nobody at {', '.join(unheard)} can reach this address: set http.host, http.token and hooks.secret"
            return Finding(what, False, mend)
        if in_container:
            note = "only from within this container; for others set http.host, http.token and hooks.secret"
            return Finding(what, True, note)
        note = "only from this machine; for an RTMP server in a container see docs/install.md, In containers"
        return Finding(what, True, note)
    refused = [each for each in servers if _is_address(each) and not _is_allowed(each, config)]
    if refused:
        return Finding(what, False, f"those of {', '.join(refused)} are refused: add it to hooks.allow")
    if not elsewhere:
        note = "hooks.allow admits only this machine; a container's hooks come from its bridge, such as 172.16.0.0/12"
        return Finding(what, True, note)
    return Finding(what, True, f"from {', '.join(map(str, config.hooks.allow))}")


def _servers(config: Config) -> Iterator[str]:
    ingest = config.ingest
    for url in (ingest.srs_api, ingest.oryx_api, ingest.mediamtx_api, ingest.nginx_stat):
        if host := urlsplit(url).hostname:
            yield host


def _is_here(network: IPv4Network | IPv6Network) -> bool:
    return network.network_address.is_loopback


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_allowed(address: str, config: Config) -> bool:
    only = ip_network(address)
    return any(only.version == each.version and only.subnet_of(each) for each in config.hooks.allow)  # type: ignore[arg-type]  # of one version

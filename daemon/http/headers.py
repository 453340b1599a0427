"""The headers that every answer bears which does not set its own."""

from collections.abc import Mapping, MutableMapping
from typing import Final

from aiohttp import web

SERVER: Final = "motherstream"
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def add_headers(headers: MutableMapping[str, str]) -> None:
    """Add what is missing. Called where aiohttp has put its own version there as the server's."""
    headers["Server"] = SERVER
    for name, value in HEADERS.items():
        headers.setdefault(name, value)


def complete(content_type: str) -> Mapping[str, str]:
    """All of them, for an answer that sets none of its own; in the form that is quickest to copy."""
    return web.Response(headers={"Server": SERVER, "Content-Type": content_type, **HEADERS}).headers

"""nginx-rtmp: ``on_publish`` and ``on_publish_done``, form-encoded (``ngx_rtmp_notify_module.c``).

The module writes its own fields first and the publisher's arguments last, so the first of two fields of one name is
nginx's: an argument such as ``?name=bob`` changes nothing. 2xx accepts, 3xx would redirect the stream, 4xx refuses.
"""

from typing import Final
from urllib.parse import parse_qsl

from daemon.ingest.hook import (
    Hook,
    Ignored,
    Publish,
    Reply,
    Unpublish,
    Verdict,
    error_fields,
    json_reply,
    unknown_action,
)
from daemon.ingest.stream import MOST_ARGUMENTS, HookError, arguments_of_url, make_ref

SERVER: Final = "nginx"
OTHERS: Final = frozenset(
    {"connect", "disconnect", "play", "play_done", "done", "update", "update_publish", "update_play", "record_done"}
)
OWN: Final = frozenset({"app", "flashver", "swfurl", "tcurl", "pageurl", "addr", "clientid", "call", "name", "type"})
"""What the module itself sends with a publish."""


def parse(raw: bytes) -> Hook:
    """What the body says. Raises HookError."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MOST_ARGUMENTS + len(OWN))
    except ValueError:
        raise HookError("not_a_form", "the body is not an nginx-rtmp form") from None
    own: dict[str, str] = {}
    arguments = []
    for name, value in pairs:
        if name in OWN and name not in own:
            own[name] = value
        elif name not in OWN:
            arguments.append((name, value))
    call = own.get("call", "")
    if call in OTHERS:
        return Ignored(call)
    if call not in ("publish", "publish_done"):
        return unknown_action(call, "nginx-rtmp")
    ref = make_ref(
        SERVER,
        own.get("app", "").strip().strip("/"),
        own.get("name", ""),
        # OBS users may write the key into the server's URL: then it stands in tcurl alone.
        (*arguments, *arguments_of_url(own.get("tcurl", ""))),
        client_id=own.get("clientid", ""),
        ip=own.get("addr", ""),
    )
    return Publish(ref) if call == "publish" else Unpublish(ref)


def parts_of_query(query: str) -> tuple[str, str]:
    """The hook URL's own arguments and what the module says, of the raw query of a GET (``notify_method get``).

    The module writes its fields behind the URL with a ``?`` of its own, whether there is one already or not, and begins
    with the app (``ngx_rtmp_netcall_http_format_session``). A publisher's arguments come last and may hold marks, too.
    """
    if query.startswith("app=") or "?" not in query:
        return "", query
    own, _, said = query.partition("?")
    return own, said


def answer(verdict: Verdict) -> Reply:
    """The status says it all; the body is for whoever reads along."""
    if verdict.accepted:
        return json_reply(200, code=0)
    return json_reply(verdict.status, **error_fields(verdict))

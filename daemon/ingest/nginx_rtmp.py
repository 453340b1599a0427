"""nginx-rtmp: ``on_publish`` and ``on_publish_done``, form-encoded (``ngx_rtmp_notify_module.c``).

The module writes its own fields first and the publisher's arguments last, so the first of two fields of one name is
nginx's: an argument such as ``?name=bob`` changes nothing. 2xx accepts, 3xx would redirect the stream, 4xx refuses.
"""

from typing import Final
from urllib.parse import parse_qsl

from daemon.ingest.hook import Hook, Ignored, Publish, Reply, Unpublish, Verdict, error_fields, json_reply
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
        raise HookError("not_a_form", "the body is not a form of nginx-rtmp's") from None
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
        raise HookError("unknown_action", "call is none of nginx-rtmp's that are known here")
    ref = make_ref(
        SERVER,
        own.get("app", ""),
        own.get("name", ""),
        # OBS users may write the key into the server's URL: then it stands in tcurl alone.
        (*arguments, *arguments_of_url(own.get("tcurl", ""))),
        client_id=own.get("clientid", ""),
        ip=own.get("addr", ""),
    )
    return Publish(ref) if call == "publish" else Unpublish(ref)


def answer(verdict: Verdict) -> Reply:
    """The status says it all; the body is for whoever reads along."""
    if verdict.accepted:
        return json_reply(200, code=0)
    return json_reply(verdict.status, **error_fields(verdict))

"""All channels of a store at a glance: who is on air, who owns each, and how each is."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from daemon.shared.postgres import Postgres
from statemachine.tenure import LONGEST_SILENCE

GONE: Final = 86_400.0
"""Seconds without a sign of life after which a daemon is no longer shown."""
_FLEET: Final = """
SELECT channel, lease.owner, lease.epoch, lease.expires_at > now() AS owned,
  (SELECT json_agg(json_build_object('name', name, 'address', member.address, 'sees_obs', sees_obs, 'body', body,
     'seen', EXTRACT(epoch FROM now() - seen_at)::float8) ORDER BY name)
   FROM motherstream.member WHERE member.channel = lease.channel) AS daemons
FROM motherstream.lease ORDER BY channel"""


async def read_fleet(postgres: Postgres) -> list[Any]:
    """Each channel, as the API tells it. Raises what Postgres does."""
    return [_channel(row) for row in await postgres.rows(_FLEET)]


def _channel(row: Mapping[str, Any]) -> dict[str, Any]:
    daemons: Sequence[dict[str, Any]] = json.loads(row["daemons"] or "[]")
    live = {each["name"]: each for each in daemons if each["seen"] < GONE}
    owner = live.get(row["owner"]) if row["owned"] else None
    said = json.loads(owner["body"]) if owner else {}
    return {
        "channel": row["channel"],
        "owner": _daemon(owner) if owner else None,
        "heirs": [_daemon(each) for each in live.values() if each is not owner and each["seen"] < LONGEST_SILENCE],
        "state": said.get("state", "UNOWNED") if owner else "UNOWNED",
        "on_air": said.get("on_air"),
        "next": said.get("next"),
        "problems": said.get("problems", []) if owner else ["owner"],
        "lag": said.get("lag", 0),
        "epoch": row["epoch"],
    }


def _daemon(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("name", "address", "sees_obs", "seen")}

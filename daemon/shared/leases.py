"""Who owns a channel: the lease row, and the daemons that live. All by the store's clock.

A beat is one statement: it prolongs the lease of who has it, says that this daemon lives, and tells who else does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from daemon.shared import schema
from daemon.shared.postgres import TOPIC, Postgres, Row
from statemachine.tenure import LONGEST_SILENCE, Claim

_BEAT: Final = """
WITH renewed AS (
  UPDATE motherstream.lease
  SET expires_at = now() + make_interval(secs => $4), rules_at = $5, beat_at = now(), address = $6
  WHERE channel = $1 AND epoch = $2 AND run = $3 RETURNING channel
), lives AS (
  INSERT INTO motherstream.member (channel, name, run, address, sees_obs, body) VALUES ($1, $7, $3, $6, $8, $9)
  ON CONFLICT (channel, name) DO UPDATE SET run = excluded.run, address = excluded.address,
    sees_obs = excluded.sees_obs, body = excluded.body, seen_at = now()
)
SELECT lease.*, EXTRACT(epoch FROM expires_at - now())::float8 AS left,
  EXTRACT(epoch FROM now() - beat_at)::float8 AS age, (SELECT count(*) FROM renewed) AS renewed,
  (SELECT version FROM motherstream.store) AS version, (SELECT keys_changed FROM motherstream.store) AS keys_changed,
  EXTRACT(epoch FROM pg_postmaster_start_time())::float8 AS server,
  EXISTS (SELECT 1 FROM motherstream.inbox WHERE channel = $1) AS waits,
  (SELECT json_agg(json_build_object('name', name, 'address', address, 'sees_obs', sees_obs, 'body', body,
     'age', EXTRACT(epoch FROM now() - seen_at)::float8))
   FROM motherstream.member WHERE channel = $1 AND name <> $7 AND seen_at > now() - interval '1 day') AS others
FROM (SELECT 1) AS one LEFT JOIN motherstream.lease ON channel = $1"""

_TAKE: Final = """
WITH before AS (SELECT * FROM motherstream.lease WHERE channel = $1 FOR UPDATE)
UPDATE motherstream.lease SET owner = $2, run = $3, daemon = $4, address = $5, secret = $6, place = $10,
  epoch = greatest(lease.epoch, $7) + 1, expires_at = now() + make_interval(secs => $8), beat_at = now(),
  rules_at = before.rules_at + EXTRACT(epoch FROM now() - before.beat_at)::float8
FROM before WHERE lease.channel = $1
  AND CASE WHEN $9 THEN before.place = $10 OR before.epoch = 0 ELSE before.expires_at < now() END
RETURNING lease.epoch, lease.rules_at, before.epoch AS former_epoch, before.daemon AS former_daemon,
  before.owner AS former_owner"""


@dataclass(frozen=True, slots=True)
class Me:
    """This daemon, as others know it."""

    channel: str
    name: str
    run: str
    """Of this start."""
    daemon: str
    """Of its database, which copies of that share."""
    place: str
    """Of its database at its place on a machine that was not started anew since: nobody else can be there."""
    address: str
    """Where the channel's other daemon reaches it."""
    secret: str = field(repr=False)
    """What shows to it that somebody is the other daemon: who can read it can write all that is in the store."""


_LEASE: Final = ("owner", "run", "daemon", "place", "address", "secret", "epoch", "left")


@dataclass(frozen=True, slots=True)
class Lease:
    """Who owns the channel, or did last."""

    owner: str
    run: str
    daemon: str
    place: str
    address: str
    secret: str = field(repr=False)
    epoch: int
    left: float
    """Seconds until it is over, below 0 since then."""


@dataclass(frozen=True, slots=True)
class Member:
    """Another daemon of the channel."""

    name: str
    address: str
    sees_obs: bool
    age: float
    """Seconds since it was heard."""
    body: Mapping[str, Any]
    """What it says of itself."""

    @property
    def lives(self) -> bool:
        """It was heard a moment ago."""
        return self.age < LONGEST_SILENCE


@dataclass(frozen=True, slots=True)
class Beat:
    """What a beat brought."""

    lease: Lease | None
    renewed: bool
    others: Sequence[Member]
    keys_changed: int
    """Rises with each change of the streamers."""
    waits: bool
    """There is something in the channel's inbox."""
    server: float
    """Differs from server to server, and from one start of it to the next."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The lease is ours."""

    epoch: int
    former_epoch: int
    former_daemon: str
    former_owner: str
    rules_at: float
    """What the former owner's rules have for the time; 0 where there was none."""


class Leases:
    """One daemon's statements about its channel. They raise what Postgres does."""

    def __init__(self, postgres: Postgres, me: Me, ttl: float) -> None:
        self.me = me
        self._postgres = postgres
        self._ttl = ttl

    async def beat(self, epoch: int, rules_at: float, *, sees_obs: bool, body: Mapping[str, Any]) -> Beat:
        """Prolong the lease of that epoch, if it is ours, and say that we live."""
        me = self.me
        values = (me.channel, epoch, me.run, self._ttl, rules_at, me.address, me.name, sees_obs, json.dumps(body))
        row = await self._postgres.row(_BEAT, *values)
        if row is None:
            raise schema.StoreRefused("the shared store has lost its tables")
        if row["version"] is None:
            raise schema.StoreRefused("the shared store has lost its tables")
        schema.check(row["version"])
        lease = _lease(row) if row["channel"] is not None else None
        return Beat(
            lease,
            bool(row["renewed"]),
            _members(row["others"]),
            int(row["keys_changed"]),
            waits=bool(row["waits"]),
            server=row["server"],
        )

    async def take(self, above: int, *, own: bool) -> Taken | None:
        """Take the lease, if it is over; with ``own`` the one that nobody but this daemon has had, at this very place.

        The epoch will be higher than ``above`` and than any that the store knows. None where somebody has it.
        """
        me = self.me
        await self._postgres.rows(
            "INSERT INTO motherstream.lease"
            " (channel, epoch, expires_at, owner, run, daemon, place, address, secret, rules_at)"
            " VALUES ($1, 0, '1970-01-01', '', '', '', '', '', '', 0) ON CONFLICT DO NOTHING",
            me.channel,
        )
        values = (me.channel, me.name, me.run, me.daemon, me.address, me.secret, above, self._ttl, own, me.place)
        row = await self._postgres.row(_TAKE, *values)
        if row is None:
            return None
        known = row["former_epoch"] > 0
        return Taken(
            row["epoch"],
            row["former_epoch"],
            row["former_daemon"],
            row["former_owner"],
            float(row["rules_at"]) if known else 0.0,
        )

    async def raise_epoch(self, claim: Claim, above: int) -> int | None:
        """Give our own lease an epoch above that one; None where it is ours no more."""
        row = await self._postgres.row(
            "UPDATE motherstream.lease SET epoch = greatest(epoch, $4) + 1 WHERE channel = $1 AND epoch = $2"
            " AND run = $3 RETURNING epoch",
            *(self.me.channel, claim.epoch, claim.run, above),
        )
        return int(row["epoch"]) if row else None

    async def put_back(self, epoch: int) -> bool:
        """The store has lost our lease, for it shows an earlier epoch: a replica took over that had not heard of it."""
        me = self.me
        row = await self._postgres.row(
            "INSERT INTO motherstream.lease"
            " (channel, epoch, owner, run, daemon, address, secret, expires_at, rules_at, place)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8), 0, $9)"
            " ON CONFLICT (channel) DO UPDATE SET epoch = excluded.epoch, owner = excluded.owner, run = excluded.run,"
            " daemon = excluded.daemon, address = excluded.address, secret = excluded.secret, place = excluded.place,"
            " expires_at = excluded.expires_at WHERE lease.epoch < excluded.epoch RETURNING epoch",
            *(me.channel, epoch, me.name, me.run, me.daemon, me.address, me.secret, self._ttl, me.place),
        )
        return row is not None

    async def release(self, epoch: int) -> None:
        """Let the others have it now, and tell them."""
        await self._postgres.rows(
            "WITH over AS (UPDATE motherstream.lease SET expires_at = now() - interval '1 millisecond'"
            " WHERE channel = $1 AND epoch = $2 AND run = $3 RETURNING channel)"
            " SELECT pg_notify($4, channel) FROM over",
            *(self.me.channel, epoch, self.me.run, TOPIC),
        )

    async def leave(self) -> None:
        """This daemon ends: nobody is to count on it."""
        await self._postgres.rows(
            "DELETE FROM motherstream.member WHERE channel = $1 AND name = $2 AND run = $3",
            *(self.me.channel, self.me.name, self.me.run),
        )


def _lease(row: Row) -> Lease:
    return Lease(*(row[name] for name in _LEASE))


def _members(found: str | None) -> tuple[Member, ...]:
    return tuple(
        Member(each["name"], each["address"], each["sees_obs"], each["age"], json.loads(each["body"]))
        for each in json.loads(found or "[]")
    )

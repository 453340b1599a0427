"""The keys of a studio's streamers: each has one before it publishes, as those of a real channel have."""

from dataclasses import dataclass
from typing import Protocol

from daemon.streamers.store import new_key


class Admitting(Protocol):
    """A channel that lets in those whose key it knows."""

    async def add_streamer(self, name: str, key: str) -> None:
        """Know the key. Returns once a publisher would be let in with it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a streamer publishes, below the server's app: the stream's name and the URL's parameters."""

    stream: str
    query: str = ""


class Keyring:
    """Who publishes with which key, shared by the studio and its channels. Without a channel there are no keys.

    Both forms that a server may be sent are used: every second streamer has its key for the stream's name.
    """

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._channels: list[Admitting] = []

    def join(self, channel: Admitting) -> None:
        """The channel asks for keys from now on."""
        self._channels.append(channel)

    def leave(self, channel: Admitting) -> None:
        """It asks nobody any more."""
        if channel in self._channels:
            self._channels.remove(channel)

    def address(self, name: str) -> Address:
        """Where this streamer publishes: the same each time."""
        if not self._channels:
            return Address(name)
        if name not in self._keys:
            self._keys[name] = new_key()
        key = self._keys[name]
        return Address(key) if list(self._keys).index(name) % 2 else Address(name, f"key={key}")

    async def admit(self, name: str) -> None:
        """Make the streamer known to all channels."""
        if name in self._keys:
            for channel in self._channels:
                await channel.add_streamer(name, self._keys[name])

"""What is put together to watch over the show."""

import contextlib
from typing import cast

import pytest
from pydantic import SecretStr

from daemon.composition.live import Live
from daemon.composition.watching import make_notifier
from daemon.config.model import Config, Log, Notify
from daemon.core.redaction import Redactor
from daemon.observability.logging import LogHandle
from tests.daemon.notify.test_notifier import Server

# Apprise reads pictures' types with a module that Python 3.13 does without.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.mark.parametrize(("channel", "text"), [("gold", "[gold] OBS is gone"), ("main", "OBS is gone")])
async def test_messages_begin_with_the_channel_s_name_but_not_the_first_one_s(channel: str, text: str) -> None:
    server = Server()
    config = Config(channel=channel, log=Log(file=None), notify=Notify(urls=(SecretStr(server.url),)))
    # Only a reload needs its log.
    live = Live(config, None, Redactor(), cast("LogHandle", None))
    try:
        async with contextlib.AsyncExitStack() as stack:
            make_notifier(live, stack).trouble("obs", "OBS is gone")
            assert server.wait(1) == [text]
    finally:
        server.close()

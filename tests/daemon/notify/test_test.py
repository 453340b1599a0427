"""``motherstream notify test``: whether notifications arrive, said of each target and without its address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.cli.main import main
from daemon.notify.apprise import TargetError
from daemon.notify.messages import Level
from daemon.notify.notifier import TEST_TEXT, Notifier
from tests.daemon.http.live import Live
from tests.daemon.http.studio import open_house
from tests.daemon.notify.test_notifier import Server, dead_url

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


async def test_each_target_is_tried_and_named_without_its_address(server: Server) -> None:
    notifier = Notifier([server.url, dead_url("s3cret-path"), "discord://", server.url])
    (good, dead, unknown) = await notifier.test()
    assert good == ("1 (json)", "")
    assert [body["message"] for body in server.bodies] == [TEST_TEXT]
    assert dead[0] == "2 (json)"
    assert dead[1]
    assert unknown[0] == "3 (discord)"
    assert unknown[1]
    assert "s3cret" not in f"{dead}{unknown}"
    assert "127.0.0.1" not in f"{dead}{unknown}"


async def test_a_target_that_fails_in_a_way_of_its_own_keeps_its_secret() -> None:
    class Odd:
        def send(self, text: str, level: Level) -> None:
            raise RuntimeError("https://hooks.example/s3cret")

    def refuse(url: str) -> Odd:
        if "refused" in url:
            raise TargetError("Apprise does not know this kind of address")
        return Odd()

    tried = await Notifier(["odd://s3cret", "refused://s3cret"], open_target=refuse).test()
    assert tried == (("1 (odd)", "RuntimeError"), ("2 (refused)", "Apprise does not know this kind of address"))


def test_the_command_says_of_each_target_whether_it_was_sent(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Live(tmp_path, with_obs=False, notify__urls=server.url) as live:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("MOTHERSTREAM_HTTP__PORT", str(live.port))
        assert main(["notify", "test"]) == 0
        assert capsys.readouterr().out == "ok    1 (json)\n"
        assert TEST_TEXT in server.wait(1)
        server.status = 500
        assert main(["notify", "test"]) == 1
        assert capsys.readouterr().out.startswith("FAIL  1 (json): ")


async def test_without_a_target_it_says_which_key_to_set() -> None:
    async with open_house() as house:
        status, answer = await house.post("/notify/test")
    assert (status, answer["error"]["code"]) == (409, "no_targets")
    assert "notify.urls" in answer["error"]["message"]

from pathlib import Path

import pytest

from tests.deploy.support import DEPLOY, ROOT, done, fake, rewritten, run

SCRIPTS = [*sorted(DEPLOY.glob("*.sh")), *sorted((ROOT / "tests").rglob("*.sh")), ROOT / ".ci" / "run"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    assert done(run("shellcheck", script)) == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_run(script: Path) -> None:
    assert script.stat().st_mode & 0o111 == 0o111


class Command:
    """The installed command line, with a credentials store and a program of the test's own."""

    def __init__(self, folder: Path, user: int) -> None:
        self.store = folder / "credstore"
        self.store.mkdir()
        self.bin = folder / "bin"
        program = fake(self.bin, "program", ['echo "arguments $*"', "env | grep ^MOTHERSTREAM_ | sort"])
        fake(self.bin, "id", [f"echo {user}"])
        fake(self.bin, "setpriv", ['echo "setpriv $1 $2 $3"', "shift 3", '"$@"'])
        self.script = rewritten(
            DEPLOY / "motherstream.sh",
            folder / "motherstream",
            {
                "/opt/motherstream/bin/motherstream": str(program),
                "/etc/credstore": str(self.store),
                "/etc/motherstream": str(folder),
            },
        )

    def run(self, *arguments: str, **env: str) -> list[str]:
        path = f"{self.bin}:/usr/bin:/bin"
        return done(run(self.script, *arguments, env={"PATH": path, **env})).splitlines()


def test_root_goes_on_as_the_services_user_with_the_services_secrets(tmp_path: Path) -> None:
    command = Command(tmp_path, user=0)
    (command.store / "motherstream.obs.password").write_text("se cret\n")
    (command.store / "motherstream.ingest.srs_token").write_text("token")
    (command.store / "other.thing").write_text("not ours")
    assert command.run("kick", "two words") == [
        "setpriv --reuid=motherstream --regid=motherstream --init-groups",
        "arguments kick two words",
        "MOTHERSTREAM_INGEST__SRS_TOKEN=token",
        "MOTHERSTREAM_OBS__PASSWORD=se cret",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("-c", "gold"),
        ("-cgold",),
        ("-c=gold",),
        ("--channel", "gold"),
        ("--channel=gold",),
        ("--chan", "gold"),
        ("--config", "FOLDER/gold.toml"),
        ("--config=FOLDER/gold.toml",),
    ],
)
def test_a_channel_has_its_own_secrets(tmp_path: Path, words: tuple[str, ...]) -> None:
    command = Command(tmp_path, user=0)
    words = tuple(word.replace("FOLDER", str(tmp_path)) for word in words)
    (tmp_path / "gold.toml").touch()
    (command.store / "motherstream.obs.password").write_text("the first's")
    (command.store / "motherstream@gold.obs.password").write_text("gold's")
    assert command.run("status", *words)[1:] == [
        f"arguments status {' '.join(words)}",
        "MOTHERSTREAM_OBS__PASSWORD=gold's",
    ]


def test_what_stands_behind_two_dashes_is_no_option(tmp_path: Path) -> None:
    command = Command(tmp_path, user=0)
    (tmp_path / "gold.toml").touch()
    (command.store / "motherstream.obs.password").write_text("the first's")
    (command.store / "motherstream@gold.obs.password").write_text("gold's")
    said = command.run("kick", "--config", str(tmp_path / "motherstream.toml"), "--", "-cgold")
    assert said[2:] == ["MOTHERSTREAM_OBS__PASSWORD=the first's"]


@pytest.mark.parametrize("name", ["main", "../gold", "", "*"])
def test_a_channel_without_a_file_of_its_name_is_the_first(tmp_path: Path, name: str) -> None:
    command = Command(tmp_path, user=0)
    (tmp_path / "gold.toml").touch()
    (command.store / "motherstream.obs.password").write_text("the first's")
    (command.store / "motherstream@gold.obs.password").write_text("gold's")
    assert command.run("status", "-c", name)[2:] == ["MOTHERSTREAM_OBS__PASSWORD=the first's"]


def test_what_the_caller_has_set_goes_before_the_store(tmp_path: Path) -> None:
    command = Command(tmp_path, user=0)
    (command.store / "motherstream.obs.password").write_text("stored")
    (command.store / "motherstream.http.token").write_text("stored")
    said = command.run("status", MOTHERSTREAM_OBS__PASSWORD="mine", MOTHERSTREAM_HTTP__TOKEN_FILE="/my/file")
    assert said[2:] == ["MOTHERSTREAM_HTTP__TOKEN_FILE=/my/file", "MOTHERSTREAM_OBS__PASSWORD=mine"]


def test_a_list_and_a_name_that_is_no_key_stay_in_the_store(tmp_path: Path) -> None:
    command = Command(tmp_path, user=0)
    (command.store / "motherstream.notify.urls").write_text("json://one\njson://two\n")
    (command.store / "motherstream.obs.password.bak~").write_text("old")
    assert command.run("status")[1:] == ["arguments status"]


def test_without_secrets_it_runs_all_the_same(tmp_path: Path) -> None:
    assert Command(tmp_path, user=0).run("status")[1:] == ["arguments status"]


def test_anybody_else_stays_who_they_are(tmp_path: Path) -> None:
    command = Command(tmp_path, user=1000)
    (command.store / "motherstream.obs.password").write_text("secret")
    assert command.run("status") == ["arguments status"]

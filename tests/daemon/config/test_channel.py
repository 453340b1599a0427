"""Each channel's file is found by its name, and bears it."""

from pathlib import Path

import pytest

from daemon.cli.main import main
from daemon.config import loader
from daemon.config.loader import ConfigError, file_of, load


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for /etc/motherstream."""
    monkeypatch.setattr(loader, "FOLDER", tmp_path)
    (tmp_path / "motherstream.toml").write_text("[http]\nport = 8000\n")
    (tmp_path / "gold.toml").write_text("[http]\nport = 8001\n")
    return tmp_path


def test_a_channel_bears_the_name_of_its_file(folder: Path) -> None:
    config = load(file_of("gold"), {})
    assert (config.channel, config.http.port) == ("gold", 8001)


def test_the_first_channel_needs_no_name(folder: Path) -> None:
    config = load(file_of("main"), {})
    assert (config.channel, config.http.port) == ("main", 8000)
    (folder / "main.toml").write_text("[http]\nport = 8002\n")
    assert load(file_of("main"), {}).http.port == 8002


def test_the_first_file_may_give_its_channel_any_name(folder: Path) -> None:
    (folder / "motherstream.toml").write_text('channel = "silver"\n')
    assert load(folder / "motherstream.toml", {}).channel == "silver"


def test_a_file_elsewhere_is_of_the_channel_that_it_names(folder: Path) -> None:
    elsewhere = folder / "below" / "gold.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text('channel = "silver"\n')
    assert load(elsewhere, {}).channel == "silver"
    elsewhere.write_text("")
    assert load(elsewhere, {}).channel == "main"


def test_a_name_that_is_not_the_file_s_is_a_mistake(folder: Path) -> None:
    (folder / "gold.toml").write_text('channel = "silver"\n')
    with pytest.raises(ConfigError) as caught:
        load(file_of("gold"), {})
    (problem,) = caught.value.problems
    assert problem.message == 'is "silver", must be gold, as its file is called: it may be left out'


def test_of_a_channel_that_is_not_there_it_is_said_which_are(folder: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory; there are gold, main"):
        load(file_of("silver"), {})


@pytest.mark.parametrize("name", ["", "-gold", "a b", "../gold", "gold.toml", "ü", "x" * 65])
def test_a_name_that_could_be_no_file_s_is_refused(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["status", f"--channel={name}"])
    assert "a channel's name has 1 to 64 of the characters" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="must be 1 to 64 of the characters"):
        load(None, {"MOTHERSTREAM_CHANNEL": name})


def test_every_command_that_reads_a_configuration_takes_a_channel(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "gold.toml").write_text("[http]\nprot = 8001\n")
    for words in (
        ["run"],
        ["check"],
        ["status"],
        ["queue"],
        ["watch", "--once"],
        ["skip"],
        ["turn", "60"],
        ["block-last"],
        ["notify", "test"],
        ["streamer", "list"],
        ["backup", "/nowhere"],
        ["restore", "/nowhere"],
    ):
        assert main([*words, "-c", "gold"]) == 78, words
        assert "http.prot" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["motherstream.new.toml", "my show.toml", "-x.toml"])
def test_a_file_whose_name_no_channel_can_have_is_of_the_one_that_it_names(folder: Path, name: str) -> None:
    (folder / name).write_text("")
    assert load(folder / name, {}).channel == "main"
    (folder / name).write_text('channel = "silver"\n')
    assert load(folder / name, {}).channel == "silver"

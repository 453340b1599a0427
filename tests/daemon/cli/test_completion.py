"""The completion, by the shell itself: what it offers where the tab key is pressed."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from daemon.cli.main import main

OFFER = """
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
declare -a COMPREPLY
_shtab_motherstream
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", "bash"]) == 0
    return capsys.readouterr().out


def offered(script: str, *words: str, here: Path | None = None) -> set[str]:
    line = f"COMP_WORDS=({shlex.join(('motherstream', *words))})"
    bash = ["bash", "--noprofile", "--norc", "-c", f"{script}\n{line}\n{OFFER}"]
    done = subprocess.run(bash, cwd=here, capture_output=True, text=True, timeout=30, check=True)
    # compopt complains where no key was pressed, as here.
    assert all("compopt" in line for line in done.stderr.splitlines()), done.stderr
    return set(done.stdout.split())


def commands(capsys: pytest.CaptureFixture[str], *words: str) -> set[str]:
    """Those that the help lists."""
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    return set(re.findall(r"^ {4}([a-z][a-z-]*)(?:\s|$)", capsys.readouterr().out, flags=re.MULTILINE))


def test_every_command_is_offered(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    listed = commands(capsys)
    assert {"run", "queue", "completion"} <= listed
    assert offered(script, "") == listed
    assert offered(script, "sta") == {"status", "states"}


def test_so_are_the_commands_below_one(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    listed = commands(capsys, "streamer")
    assert {"add", "list", "rotate"} <= listed
    assert offered(script, "streamer", "") == listed
    assert offered(script, "notify", "") == {"test"}


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        (("watch", "--"), {"--help", "--channel", "--config", "--once"}),
        (("streamer", "set", "--e"), {"--enable"}),
        (("turn", "600", "--"), {"--help", "--channel", "--config", "--streamer", "--restart"}),
        (("block-last", ""), {"on", "off", "show"}),
        (("states", "--format", ""), {"table", "mermaid"}),
        (("completion", "z"), {"zsh"}),
        (("kick", ""), set()),
    ],
)
def test_options_and_choices_are_offered(script: str, words: tuple[str, ...], choices: set[str]) -> None:
    assert offered(script, *words) == choices


def test_files_are_offered_where_a_file_is_asked_for_and_folders_where_a_folder_is(script: str, tmp_path: Path) -> None:
    (tmp_path / "main.toml").touch()
    (tmp_path / "media").mkdir()
    assert offered(script, "run", "--config", "m", here=tmp_path) == {"main.toml", "media"}
    assert offered(script, "backup", "ma", here=tmp_path) == {"main.toml"}
    assert offered(script, "demo", "--keep", "m", here=tmp_path) == {"media"}


def test_zsh_gets_a_script_of_its_own_with_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    script = capsys.readouterr().out
    assert script.startswith("#compdef motherstream\n")
    for command in commands(capsys) | commands(capsys, "streamer"):
        assert re.search(rf"^ +{command}:'", script, flags=re.MULTILINE), command


def test_a_shell_that_is_not_known_is_a_mistake_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["completion", "tcsh"])
    assert ended.value.code == 2
    assert "bash" in capsys.readouterr().err

"""The Makefile, the pins, CI and the documents: what they name is there."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from daemon.config.keys import KEYS, SECTIONS
from daemon.http.openapi.document import document as openapi_document
from statemachine.handover.table import mermaid
from tests.deploy.support import DEPLOY, PATH, ROOT, done, run

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LISTED = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
EXTRAS = ("studio", "notify", "postgres")
GROUPS = ("test", "lint")


# -- make


def test_help_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony
    assert sorted(phony[1].split()) == sorted(LISTED)
    said = done(run("make", "help"))
    assert all(f"make {target} " in said for target in LISTED)


def would_do(*arguments: str) -> str:
    # These tests may have been started by make, which hands on how it was called.
    return done(run("env", "-i", f"PATH={PATH}", "make", "-n", *arguments))


def test_demo_prepares_its_studio_and_passes_its_settings_on() -> None:
    steps = would_do("demo", "DURATION=60", "STREAMERS=2", "PORT=0", "KEEP=/tmp/here").splitlines()
    assert steps[0] == "deploy/prepare.sh demo"
    assert steps[1].endswith("-m daemon demo --duration 60 --streamers 2 --port 0 --channels 1 --keep '/tmp/here'")
    plain = "-m daemon demo --duration 0 --streamers 3 --port 8000 --channels"
    assert would_do("demo").splitlines()[1].endswith(f"{plain} 1")
    steps = would_do("demo", "CHANNELS=2", "PAIR=1").splitlines()
    assert steps[0] == "deploy/prepare.sh pair"
    assert steps[1].endswith(f"{plain} 2 --pair")


def test_test_prepares_the_machine_and_runs_every_test() -> None:
    steps = would_do("test").splitlines()
    assert steps[0] == "deploy/prepare.sh test"
    assert steps[1].strip().endswith("-m pytest -n 3")


@pytest.mark.parametrize("target", LISTED)
def test_a_target_calls_nothing_that_is_not_there(target: str) -> None:
    for step in would_do(target).splitlines():
        for script in re.findall(r"\bdeploy/[\w.-]+", step):
            assert (ROOT / script).exists(), step
        for module in re.findall(r"-m ((?:daemon|tests)[\w.]*)", step):
            path = ROOT.joinpath(*module.split("."))
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), step
        for folder in re.findall(r"\btests/\w+", step):
            assert (ROOT / folder).is_dir(), step


# -- CI


SUMMARY = "===== 3 passed in 1.00s ====="
MAKE = f"""\
#!/bin/sh
echo "make $2 $3"
[ "$2" != test ] || echo "{SUMMARY}"
[ "$2" != "$FAILING" ]
"""


def ci(folder: Path, failing: str) -> tuple[int, list[str]]:
    """CI with a make that does nothing but fail at one target: its exit code, and the lines that it has said."""
    for place, text in (("bin/make", MAKE), ("deploy/prepare.sh", "#!/bin/sh\nmkdir -p build\n")):
        path = folder / place
        path.parent.mkdir()
        path.write_text(text)
        path.chmod(0o755)
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    environ = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "FAILING": failing}
    done = subprocess.run([folder / ".ci" / "run"], env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_ci_runs_lint_types_coverage_every_test_and_the_matrix_and_ends_with_the_tests_summary(tmp_path: Path) -> None:
    code, lines = ci(tmp_path, "")
    made = [line.split()[1] for line in lines if line.startswith("make ")]
    assert made == ["lint", "types", "coverage", "test", "matrix"]
    assert (code, lines[-1]) == (0, SUMMARY)


@pytest.mark.parametrize("failing", ["lint", "types", "coverage", "test", "matrix"])
def test_ci_fails_with_any_of_its_steps_and_runs_the_others_all_the_same(failing: str, tmp_path: Path) -> None:
    code, lines = ci(tmp_path, failing)
    assert sum(line.startswith("make ") for line in lines) == 5
    assert lines[-2:] == [f"== failed: {'tests' if failing == 'test' else failing}", SUMMARY]
    assert code == 1


# -- pins


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = [re.fullmatch(r"([A-Za-z0-9_.-]+)==([0-9][0-9A-Za-z.]*)", line) for line in lines]
    assert all(found), "each line is a name and a version, and nothing else"
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin}


def test_pins_are_in_order_and_each_is_there_once() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines == sorted(lines, key=str.lower)
    assert len(pins()) == len(lines)


def test_everything_that_is_needed_is_pinned_to_a_version_that_will_do() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = declared["project"], declared["dependency-groups"]
    assert set(project["optional-dependencies"]) == set(EXTRAS)
    assert set(groups) == set(GROUPS)
    wanted = [Requirement(text) for text in project["dependencies"]]
    wanted += [Requirement(text) for extra in EXTRAS for text in project["optional-dependencies"][extra]]
    wanted += [Requirement(text) for group in GROUPS for text in groups[group]]
    pinned = pins()
    seen: set[tuple[str, str]] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *EXTRAS)):
            continue
        assert name in pinned, f"{requirement} has no pin: make pins"
        assert requirement.specifier.contains(pinned[name]), f"{requirement} is pinned to {pinned[name]}: make pins"
        for extra in extras:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in needs(name):
                further = Requirement(text)
                if further.marker is None or further.marker.evaluate({"extra": extra}):
                    further.marker = None
                    wanted.append(further)


def needs(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


# -- documents


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), target
        assert not anchor or anchor in _anchors(found, "#+"), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_list_of_contents_names_every_part_of_its_page(document: Path) -> None:
    head = document.read_text().partition("\n## ")[0]
    listed = re.findall(r"^(?:-|\d+\.) \[.+\]\(#(.+)\)$", head, flags=re.MULTILINE)
    assert listed in ([], _anchors(document, "##"))


def _anchors(document: Path, level: str) -> list[str]:
    headings = re.findall(rf"^{level} (.*)$", document.read_text(), flags=re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def test_the_readmes_diagram_is_the_tables() -> None:
    blocks = re.findall(r"```mermaid\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert blocks == [mermaid()], "motherstream states --format mermaid"


@cache
def our_commands() -> set[str]:
    usage = done(run(sys.executable, "-m", "daemon", "--help"))
    return set(re.findall(r"^ {4}([a-z-]+)\s", usage, flags=re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_of_ours_is_one(document: Path) -> None:
    commands = our_commands()
    for found in re.findall(r"(?:^|`|sudo |\$ )motherstream ([a-z-]+)", document.read_text(), flags=re.MULTILINE):
        assert found in commands, f"motherstream {found}"
    for target in re.findall(r"(?:^|`)make ([a-z]+)", document.read_text(), flags=re.MULTILINE):
        assert target in LISTED, f"make {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_key_that_is_named_may_be_configured(document: Path) -> None:
    sections = "|".join(re.escape(section) for section in SECTIONS)
    for name in re.findall(rf"`((?:{sections})\.[a-z_]+)\b", document.read_text()):
        assert name in KEYS, name
    for block in re.findall(r"```toml\n(.*?)```", document.read_text(), flags=re.DOTALL):
        for section, keys in tomllib.loads(block).items():
            for name in [f"{section}.{key}" for key in keys] if isinstance(keys, dict) else [section]:
                assert name in KEYS, name


def test_every_route_that_a_document_calls_is_there() -> None:
    """Each route is in the API's own description, which another test holds."""
    described = openapi_document(token=True, secret=True)["paths"]
    patterns = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in described]
    called = [
        (page.name, path)
        for page in DOCUMENTS
        for path in re.findall(r"http://127\.0\.0\.1:8000(/[\w/-]*)", page.read_text())
    ]
    assert called
    assert [call for call in called if not any(pattern.fullmatch(call[1]) for pattern in patterns)] == []


def test_what_the_documents_grep_for_is_what_the_log_says() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "daemon").rglob("*.py"))
    grepped = [
        (document.name, text)
        for document in DOCUMENTS
        for pattern in re.findall(r'grep (?:-E )?"([^"]+)"', document.read_text())
        for text in pattern.split("|")
    ]
    assert grepped
    assert [each for each in grepped if each[1] not in sources] == []


@pytest.mark.parametrize("name", sorted(path.name for path in DEPLOY.iterdir() if path.is_file()))
def test_nothing_is_left_in_deploy_that_nobody_is_told_of(name: str) -> None:
    text = "\n".join(
        path.read_text()
        for path in [*DOCUMENTS, ROOT / "Makefile", DEPLOY / "install.sh", DEPLOY / "compose.yaml", Path(__file__)]
    )
    assert name in text or name == ".gitignore"

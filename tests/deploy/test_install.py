import os
import re
import shutil
from pathlib import Path

import pytest

from daemon.config.loader import load
from daemon.config.model import Config
from tests.deploy.support import DEPLOY, ROOT, done, run

CONFIG = Path("etc/motherstream/motherstream.toml")
LOGROTATE = Path("etc/logrotate.d/motherstream")
PROGRAMS = Path("opt/motherstream")
EDITED = "# mine\n"


def install(root: Path, *arguments: str, source: Path = ROOT) -> str:
    # The extras are left out: they make no difference to what is tested here, and take time.
    env = {"DESTDIR": str(root), "EXTRAS": ""}
    return done(run(source / "deploy" / "install.sh", *arguments, env=env, within=300))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    said = install(root)
    assert "systemctl enable --now motherstream" in said
    return root


@pytest.fixture
def root(installed: Path, tmp_path: Path) -> Path:
    """A copy of what was installed, to be changed."""
    return copy(installed, tmp_path / "root")


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A later version of the checkout, which needs no packages: nothing has to be fetched for it."""
    source = tmp_path_factory.mktemp("later")
    for name in ("daemon", "statemachine", "deploy", "docs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "CHANGELOG.md", "motherstream.service"):
        shutil.copy(ROOT / name, source)
    project = (source / "pyproject.toml").read_text()
    needs = re.search(r"^dependencies = \[$.*?^\]$", project, flags=re.MULTILINE | re.DOTALL)
    assert needs
    (source / "pyproject.toml").write_text(project.replace(needs[0], "dependencies = []"))
    for changed in (source / "deploy" / "motherstream.example.toml", source / "motherstream.service"):
        changed.write_text("# later\n" + changed.read_text())
    return source


@pytest.fixture(scope="module")
def upgraded(installed: Path, later: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was installed, with the log's rotation edited, and then brought up to date."""
    root = copy(installed, tmp_path_factory.mktemp("upgraded") / "root")
    (root / LOGROTATE).write_text(EDITED)
    (root / PROGRAMS / "left-over").touch()
    assert f"kept     {root / LOGROTATE}, which has been edited" in install(root, source=later)
    return root


def copy(root: Path, to: Path) -> Path:
    # Nobody but root may read these two.
    shutil.copytree(root, to, symlinks=True, ignore=shutil.ignore_patterns("shadow", "gshadow"))
    return to


@pytest.mark.timeout(300)
def test_the_programs_run_from_where_they_will_stand(installed: Path) -> None:
    programs = installed / PROGRAMS
    assert done(run(programs / "bin" / "python", "-m", "daemon", "--version", cwd=installed)).startswith(
        "motherstream "
    )
    assert (programs / "bin" / "motherstream").read_text().startswith("#!/opt/motherstream/bin/python")
    for text in (programs / "bin").iterdir():
        assert text.is_symlink() or str(installed) not in text.read_text(errors="replace"), text
    # The service may not write here, so what is not compiled now is compiled at each start.
    module = packages(programs) / "daemon" / "app.py"
    assert list((module.parent / "__pycache__").glob("app.*.pyc"))
    assert str(installed).encode() not in next((module.parent / "__pycache__").glob("app.*.pyc")).read_bytes()


def packages(programs: Path) -> Path:
    """Where its packages are."""
    return next((programs / "lib").glob("python*")) / "site-packages"


def test_everything_is_in_its_place(installed: Path) -> None:
    assert (installed / "etc/systemd/system/motherstream.service").read_text() == (
        ROOT / "motherstream.service"
    ).read_text()
    assert (installed / "etc/sysusers.d/motherstream.conf").exists()
    assert (installed / "etc/tmpfiles.d/motherstream.conf").exists()
    assert os.access(installed / "usr/local/bin/motherstream", os.X_OK)
    assert (installed / PROGRAMS / "share/doc/README.md").exists()
    assert (installed / PROGRAMS / "share/deploy/srs.conf").exists()
    assert not (ROOT / "build" / "lib").exists(), "the checkout is no place to build in"


def test_the_configuration_is_the_example_with_a_services_paths(installed: Path) -> None:
    config = load(installed / CONFIG, {})
    assert str(config.store.path) == "/var/lib/motherstream/motherstream.db"
    assert str(config.log.file) == "/var/log/motherstream/motherstream.log"
    assert str(config.health.report_dir) == "/var/log/motherstream/stream-health"
    defaults = Config()
    assert (
        config.model_copy(update={"store": defaults.store, "log": defaults.log, "health": defaults.health}) == defaults
    )
    example = (DEPLOY / "motherstream.example.toml").read_text().splitlines()
    written = (installed / CONFIG).read_text().splitlines()
    assert sum(a != b for a, b in zip(example, written, strict=True)) == 3


def test_root_writes_the_configuration_and_the_service_reads_it(installed: Path) -> None:
    names = dict(line.split(":")[0:3:2] for line in (installed / "etc/passwd").read_text().splitlines())
    groups = dict(line.split(":")[0:3:2] for line in (installed / "etc/group").read_text().splitlines())
    assert (installed / CONFIG).stat().st_mode & 0o777 == 0o640
    if os.geteuid() == 0:  # else there is nobody else to give it to: tmpfiles.d does it when the image starts
        config = (installed / CONFIG).stat()
        assert (config.st_uid, str(config.st_gid)) == (0, groups["motherstream"])
        for folder in ("var/lib/motherstream", "var/log/motherstream"):
            found = (installed / folder).stat()
            assert (str(found.st_uid), found.st_mode & 0o777) == (names["motherstream"], 0o750)
        assert (installed / "etc/credstore").stat().st_mode & 0o777 == 0o700
    assert "motherstream:x:" in (installed / "etc/passwd").read_text()


@pytest.mark.timeout(300)
def test_a_later_version_takes_the_place_of_what_nobody_has_edited(installed: Path, upgraded: Path) -> None:
    assert (upgraded / CONFIG).read_text().startswith("# later\n")
    assert (upgraded / "etc/systemd/system/motherstream.service").read_text().startswith("# later\n")
    assert (upgraded / "etc/systemd/system/motherstream-probe.service").exists()
    assert not (upgraded / PROGRAMS / "left-over").exists()
    assert (packages(installed / PROGRAMS) / "aiohttp").exists()
    assert not (packages(upgraded / PROGRAMS) / "aiohttp").exists(), "it needs none"
    assert not list((upgraded / "opt").glob("motherstream.*"))


@pytest.mark.timeout(300)
def test_what_has_been_edited_is_kept_and_said_to_be_each_time(upgraded: Path, later: Path, tmp_path: Path) -> None:
    assert (upgraded / LOGROTATE).read_text() == EDITED
    root = copy(upgraded, tmp_path / "root")
    mine = (root / CONFIG).read_text().replace('scene = "MOTHERSTREAM"', 'scene = "MINE"')
    (root / CONFIG).write_text(mine)
    example = later / "deploy" / "motherstream.example.toml"
    example.write_text("# later still\n" + example.read_text())
    said = install(root, source=later)
    assert (root / CONFIG).read_text() == mine
    assert (root / LOGROTATE).read_text() == EDITED
    for kept in (CONFIG, LOGROTATE):
        assert f"kept     {root / kept}, which has been edited" in said


@pytest.mark.timeout(300)
def test_a_failed_build_leaves_what_was_there(root: Path, later: Path) -> None:
    (later / "pyproject.toml").write_text("[project")
    before = sorted(path.name for path in (root / PROGRAMS).iterdir())
    result = run(later / "deploy" / "install.sh", env={"DESTDIR": str(root), "EXTRAS": ""}, within=300)
    assert result.returncode != 0
    assert sorted(path.name for path in (root / PROGRAMS).iterdir()) == before
    assert not (root / CONFIG).read_text().startswith("# later")


def test_uninstalling_takes_the_programs_and_leaves_what_is_the_operators(root: Path) -> None:
    database = root / "var/lib/motherstream/motherstream.db"
    database.parent.mkdir(parents=True, exist_ok=True)
    database.touch()
    install(root, "--uninstall")
    left = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert not (root / PROGRAMS).exists()
    assert not [path for path in left if path.startswith(("etc/systemd", "etc/sysusers", "etc/tmpfiles", "usr"))]
    assert {str(CONFIG), str(database.relative_to(root))} <= left


def test_purging_leaves_nothing(root: Path) -> None:
    (root / "etc/credstore").mkdir(exist_ok=True)
    (root / "etc/credstore/motherstream.obs.password").touch()
    (root / "etc/credstore/another.secret").touch()
    install(root, "--purge")
    left = [path.relative_to(root) for path in root.rglob("*motherstream*")]
    assert left == []
    assert (root / "etc/credstore/another.secret").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["--uninstall", "now"], ["everything"]])
def test_what_it_does_not_know_it_does_not_do(tmp_path: Path, arguments: list[str]) -> None:
    result = run(DEPLOY / "install.sh", *arguments, env={"DESTDIR": str(tmp_path)})
    assert result.returncode == 1
    assert "usage: install.sh [--uninstall | --purge]" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_root_has_to_be_an_absolute_path() -> None:
    result = run(DEPLOY / "install.sh", env={"DESTDIR": "root"})
    assert result.returncode == 1
    assert "absolute" in result.stderr

import re
import shutil
from pathlib import Path

import pytest

from tests.deploy.support import DEPLOY, ROOT, done, fake, rewritten, run

PREPARE = DEPLOY / "prepare.sh"
TOOLS = (
    "awk",
    "cat",
    "chmod",
    "cp",
    "cut",
    "dirname",
    "env",
    "grep",
    "head",
    "install",
    "mkdir",
    "mktemp",
    "mv",
    "pwd",
    "rm",
    "sh",
    "tail",
    "test",
    "tr",
)
ALL = "obs-studio xvfb ffmpeg nginx-light libnginx-mod-rtmp"


class Machine:
    """A machine with nothing on it: a checkout, a few tools, an apt-get and a pip that only write down what they do."""

    def __init__(self, folder: Path, *, system: str = "debian", root: bool = True) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.said = folder / "said"
        self.policy = folder / "policy-rc.d"
        checkout = folder / "checkout"
        (checkout / "deploy").mkdir(parents=True)
        for name in ("constraints.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, checkout)
        release = folder / "os-release"
        release.write_text(f"ID={system}\n")
        self.script = rewritten(
            PREPARE,
            checkout / "deploy" / "prepare.sh",
            {
                "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin": "PATH=$PATH",
                "/usr/lib/nginx/modules/ngx_rtmp_module.so": str(folder / "module.so"),
                "/etc/os-release": str(release),
                "/usr/lib/postgresql/*/bin/postgres": str(folder / "pg/*/bin/postgres"),
                "POLICY=/usr/sbin/policy-rc.d": f"POLICY={self.policy}",
            },
        )
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(str(shutil.which(tool)))
        fake(self.bin, "id", [f"echo {0 if root else 1000}"])
        self.program("apt-get", f'[ -x {self.policy} ] && {self.policy} nginx start; echo "nginx $?" >>{self.said}')
        self.program("update-rc.d")
        self.python = fake(
            self.bin,
            "python-of-ours",
            [
                f'echo "python $*" >>{self.said}',
                'case "$*" in "-m venv"*) ;; *) echo "$0"; exit ;; esac',
                "mkdir -p .venv/bin",
                f"printf '#!/bin/sh\\necho pip \"$@\" >>{self.said}\\n' >.venv/bin/pip",
                "cp -p .venv/bin/pip .venv/bin/python && chmod +x .venv/bin/*",
            ],
        )

    def program(self, name: str, *lines: str) -> None:
        fake(self.bin, name, [f'echo "{name} $* $DEBIAN_FRONTEND" >>{self.said}', *lines])

    def prepare(self, what: str = "demo", cwd: Path = ROOT) -> tuple[int, str, str]:
        """The exit code, what it told its user, and what it did."""
        self.said.write_text("")
        env = {"PATH": str(self.bin), "PYTHON": str(self.python)}
        result = run("/bin/sh", self.script, what, env=env, cwd=cwd)
        return result.returncode, result.stdout + result.stderr, self.said.read_text()

    def has(self, *names: str) -> None:
        for name in names:
            self.program(name)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_is_missing_is_installed_without_a_question_and_without_recommends(machine: Machine) -> None:
    code, told, did = machine.prepare("demo")
    assert code == 0, told
    lines = did.splitlines()
    update = next(n for n, line in enumerate(lines) if re.match(r"apt-get .* update", line))
    install = next(n for n, line in enumerate(lines) if re.match(r"apt-get .* install", line))
    assert update < install
    assert lines[install].endswith(f"--no-install-recommends {ALL} noninteractive")
    assert f"apt: installing {ALL}" in told.splitlines()


def test_the_tests_need_more_than_the_demo_and_the_packages_less(tmp_path: Path) -> None:
    said = {}
    for what in ("python", "demo", "test", "matrix"):
        (tmp_path / what).mkdir()
        code, told, said[what] = Machine(tmp_path / what).prepare(what)
        assert code == 0, told
    assert "apt-get" not in said["python"]
    assert "chromium" not in said["demo"]
    more = "postgresql chromium chromium-driver logrotate shellcheck caddy haproxy keepalived systemd"
    assert f"{ALL} {more}" in said["test"]
    assert f"{ALL} debootstrap noninteractive" in said["matrix"]


def test_what_is_there_is_left_alone(machine: Machine) -> None:
    assert machine.prepare("demo")[0] == 0
    machine.has("obs", "Xvfb", "ffmpeg", "ffprobe", "nginx")
    (machine.folder / "module.so").touch()
    code, told, did = machine.prepare("demo")
    assert (code, told) == (0, "")
    assert "apt-get" not in did
    assert "pip" not in did


def test_new_pins_are_installed(machine: Machine) -> None:
    assert "pip install" in machine.prepare("python")[2]
    assert "pip" not in machine.prepare("python")[2]
    with (machine.script.parents[1] / "constraints.txt").open("a") as pins:
        pins.write("zipp==1.0\n")
    assert "pip install" in machine.prepare("python")[2]


def test_an_nginx_that_is_installed_for_us_does_not_start_now_or_at_the_next_boot(machine: Machine) -> None:
    code, told, did = machine.prepare("demo")
    assert code == 0, told
    # invoke-rc.d's answer while apt-get ran: 101 forbids.
    assert "nginx 101" in did
    assert "update-rc.d nginx disable" in did
    assert not machine.policy.exists()


def test_nor_does_a_caddy_and_a_server_that_was_there_before_is_left_as_it_is(machine: Machine) -> None:
    machine.has("nginx", "systemctl")
    asks = f'{machine.policy} caddy start; echo "caddy $?" >>{machine.said}'
    machine.program("apt-get", asks, f'{machine.policy} nginx restart; echo "nginx $?" >>{machine.said}')
    code, told, did = machine.prepare("test")
    assert code == 0, told
    assert "caddy 101" in did
    assert "systemctl disable caddy" in did
    assert "nginx 0" in did
    assert "disable nginx" not in did
    assert "update-rc.d nginx" not in did
    assert not machine.policy.exists()


def test_the_machines_own_policy_decides_on_the_others_and_comes_back(machine: Machine) -> None:
    fake(machine.folder, "policy-rc.d", ["echo own policy asked for $1", "exit 104"])
    own = machine.policy.read_text()
    machine.program("apt-get", f'{machine.policy} dbus start; echo "dbus $?" >>{machine.said}')
    code, told, did = machine.prepare("demo")
    assert code == 0, told
    assert "dbus 104" in did
    assert machine.policy.read_text() == own
    assert sorted(path.name for path in machine.folder.glob("policy-rc.d*")) == ["policy-rc.d"]


def test_a_failed_installation_shows_the_logs_end_and_takes_its_policy_away(machine: Machine) -> None:
    machine.program("apt-get", 'case "$*" in *install*) echo E: no such thing; exit 100 ;; esac')
    code, told, _ = machine.prepare("demo")
    assert code == 1
    assert "E: no such thing" in told
    assert "build/prepare.log" in told
    assert not machine.policy.exists()


def test_what_a_killed_run_left_is_not_taken_for_the_machines_policy(machine: Machine) -> None:
    fake(machine.folder, "policy-rc.d", ["# Here only while deploy/prepare.sh installs nginx.", "exit 101"])
    fake(machine.folder, "policy-rc.d.before", ["exit 0"])
    assert machine.prepare("demo")[0] == 0
    assert machine.policy.read_text() == "#!/bin/sh\nexit 0\n"


@pytest.mark.parametrize(("system", "root"), [("fedora", True), ("debian", False)])
def test_where_it_may_not_install_it_says_what_is_missing(tmp_path: Path, system: str, root: bool) -> None:
    machine = Machine(tmp_path, system=system, root=root)
    code, told, did = machine.prepare("demo")
    assert code == 1
    assert ALL in told
    assert "apt-get" not in did
    assert "pip" not in did


def test_on_another_system_it_goes_on_where_the_programs_are_there(tmp_path: Path) -> None:
    machine = Machine(tmp_path, system="fedora")
    machine.has("obs", "Xvfb", "ffmpeg", "ffprobe", "nginx")
    (machine.folder / "module.so").touch()
    code, told, did = machine.prepare("demo")
    assert code == 0, told
    assert "pip install" in did


def test_a_python_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    old = fake(tmp_path, "old", ["cat >/dev/null", "exit 1"])
    script = PREPARE.read_text()
    function = script[script.index("find_python() {") : script.index("# -- programs")]
    found = run("/bin/sh", env={"PYTHON": f"/nowhere/python {old} /usr/bin/python3"}, answer=f"{function}\nfind_python")
    assert Path(done(found).strip()).samefile("/usr/bin/python3")
    none = run("/bin/sh", env={"PYTHON": str(old)}, answer=f"{function}\nfind_python")
    assert none.returncode == 1


def test_without_a_purpose_it_names_those_there_are() -> None:
    result = run(PREPARE, "everything")
    assert result.returncode == 1
    assert "python, demo, pair, test or matrix" in result.stderr


def test_it_prepares_its_own_checkout_wherever_it_is_called_from(machine: Machine) -> None:
    assert machine.prepare("python", cwd=Path("/"))[0] == 0
    assert (machine.script.parents[1] / ".venv" / "made-from").exists()

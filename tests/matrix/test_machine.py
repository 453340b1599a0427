"""What a root is told of this machine: the mirror, the way to it, and nothing else."""

from pathlib import Path

from tests.matrix import machine

SECURITY = "http://security.example/debian-security/|Debian|Debian-Security|main|stable-security|bookworm-security"
UPDATES = "http://mirror.example/debian/|Debian|Debian|main|stable-updates|bookworm-updates"
CONTRIB = "http://mirror.example/debian/|Debian|Debian|contrib|stable|bookworm"
OTHER = "http://other.example/node|. nodistro|. nodistro|main|nodistro|nodistro"
DEBIAN = "http://mirror.example/debian/|Debian|Debian|main|stable|bookworm"

DUMP = """\
APT::Architecture "amd64";
Acquire "";
Acquire::Check-Valid-Until "false";
Acquire::Retries "5";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Proxy "DIRECT";
Acquire::https::CAInfo "/etc/ssl/certs/own.pem";
Acquire::AllowInsecureRepositories "1";
Acquire::IndexTargets::deb::Packages::MetaKey "x";
DPkg::Post-Invoke:: "somebody's hook";
"""


def test_the_mirror_is_the_one_of_debian_itself_and_of_no_other_archive() -> None:
    assert machine.debian_archive("\n".join((OTHER, SECURITY, UPDATES, CONTRIB, DEBIAN))) == (
        "http://mirror.example/debian"
    )
    assert machine.debian_archive("\n".join((OTHER, SECURITY, UPDATES, CONTRIB))) is None
    assert machine.debian_archive("") is None


def test_a_root_fetches_as_this_machine_does_and_takes_no_other_setting_over() -> None:
    assert machine.fetching_of(DUMP).splitlines() == [
        'Acquire::Check-Valid-Until "false";',
        'Acquire::Retries "5";',
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Acquire::https::Proxy "DIRECT";',
        'Acquire::https::CAInfo "/etc/ssl/certs/own.pem";',
    ]


def test_a_proxy_of_apts_settings_is_handed_on_unless_the_environment_names_one() -> None:
    assert machine.proxies_of(DUMP, {}) == ["http_proxy=http://proxy.example:3128"]
    assert machine.proxies_of(DUMP, {"http_proxy": "http://mine.example"}) == []


def test_of_the_environment_a_root_gets_what_fetching_needs(tmp_path: Path) -> None:
    bundle = tmp_path / "own.pem"
    bundle.touch()
    environ = {
        "http_proxy": "http://proxy.example",
        "NO_PROXY": "localhost",
        "PIP_CERT": str(bundle),
        "PIP_FIND_LINKS": str(tmp_path / "gone"),
        "MOTHERSTREAM_OBS_ROOT": "/srv/root",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    given = machine.environment(environ)
    assert given.keys() == {"http_proxy", "NO_PROXY", "PIP_CERT", "PIP_FIND_LINKS"}
    assert bundle in machine.shared(environ)
    assert tmp_path / "gone" not in machine.shared(environ)


def test_this_machines_own_apt_is_understood() -> None:
    assert all(line.startswith("Acquire::") and line.endswith('";') for line in machine.fetching().splitlines())


def test_whom_a_root_trusts_is_whom_apt_trusts_here(tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.touch()
    assert machine.ca_bundle(f'Acquire::https::CAInfo "{own}";\n') == own
    assert machine.ca_bundle('Acquire::https::CAInfo "/nowhere/own.pem";\n') is None


def test_a_root_trusts_whom_this_machines_pip_trusts(tmp_path: Path) -> None:
    settings = tmp_path / "pip.conf"
    assert machine.trusted_by_pip(settings) == ()
    settings.write_text("[global]\ncert = /etc/ssl/certs/own.crt\ntimeout = 9\n")
    assert machine.trusted_by_pip(settings) == (Path("/etc/ssl/certs/own.crt"),)

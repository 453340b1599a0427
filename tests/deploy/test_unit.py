import sys
from pathlib import Path

import pytest

from daemon.cli.exit_codes import EXIT_CONFIG
from daemon.config.keys import KEYS
from tests.deploy.support import DEPLOY, ROOT, Unit, done, read_unit, rewritten, run

SERVICE = ROOT / "motherstream.service"
PROBE = DEPLOY / "motherstream-probe.service"
CHANNEL = DEPLOY / "motherstream@.service"
CHANNEL_PROBE = DEPLOY / "motherstream-probe@.service"
PROGRAM = "/opt/motherstream/bin/motherstream"


@pytest.fixture(scope="module")
def unit() -> Unit:
    return read_unit(SERVICE)


def verify(tmp_path: Path, *units: tuple[Path, dict[str, str]]) -> str:
    copies = [rewritten(path, tmp_path / path.name, changes) for path, changes in units]
    result = run("systemd-analyze", "verify", "--man=no", *copies)
    done(result)
    return result.stdout + result.stderr


def test_systemd_has_nothing_to_say_against_the_service(tmp_path: Path) -> None:
    assert verify(tmp_path, (SERVICE, {PROGRAM: sys.executable})) == ""


def test_systemd_has_nothing_to_say_against_the_services_of_a_channel(tmp_path: Path) -> None:
    def of_gold(unit: Path, changes: dict[str, str]) -> Path:
        return rewritten(unit, tmp_path / unit.name.replace("@", "@gold"), changes)

    units = of_gold(CHANNEL, {PROGRAM: sys.executable}), of_gold(CHANNEL_PROBE, {f"{PROGRAM}-probe": sys.executable})
    result = run("systemd-analyze", "verify", "--man=no", *units)
    done(result)
    assert result.stdout + result.stderr == ""


@pytest.mark.parametrize(("one", "of_a_channel"), [(SERVICE, CHANNEL), (PROBE, CHANNEL_PROBE)])
def test_a_channel_s_service_differs_in_its_places_alone(one: Path, of_a_channel: Path) -> None:
    own, channel = read_unit(one), read_unit(of_a_channel)
    changed = {
        key: value for section in channel for key, value in channel[section].items() if own[section].get(key) != value
    }
    assert own.keys() == channel.keys()
    assert set(changed) <= {
        "Description",
        "ExecStart",
        "StateDirectory",
        "LogsDirectory",
        "WorkingDirectory",
        "LoadCredential",
        "After",
        "Environment",
        "EnvironmentFile",
    }
    assert all("%i" in " ".join(value) for key, value in changed.items() if key != "Environment")
    assert all(key in channel[section] for section in own for key in own[section])


def test_a_channel_s_secrets_are_its_own() -> None:
    one = [value.split(":") for value in read_unit(SERVICE)["Service"]["LoadCredential"]]
    of_a_channel = [value.split(":") for value in read_unit(CHANNEL)["Service"]["LoadCredential"]]
    assert of_a_channel == [[name, path.replace("motherstream.", "motherstream@%i.")] for name, path in one]


def test_systemd_has_nothing_to_say_against_obs_without_a_screen(tmp_path: Path) -> None:
    assert verify(tmp_path, (DEPLOY / "obs-headless.service", {}), (DEPLOY / "obs-display.service", {})) == ""


def test_the_service_is_exposed_by_one_and_a_half_at_most() -> None:
    # --threshold counts in tenths.
    result = run("systemd-analyze", "security", "--offline=true", "--threshold=15", SERVICE)
    assert "Overall exposure level" in done(result)


def test_systemd_has_nothing_to_say_against_the_probe(tmp_path: Path) -> None:
    probe, service = (PROBE, {f"{PROGRAM}-probe": sys.executable}), (SERVICE, {PROGRAM: sys.executable})
    assert verify(tmp_path, probe, service) == ""


def test_the_probe_is_exposed_by_two_at_most() -> None:
    result = run("systemd-analyze", "security", "--offline=true", "--threshold=20", PROBE)
    assert "Overall exposure level" in done(result)


def test_the_probe_knows_its_own_token_alone_and_reads_no_configuration() -> None:
    service = read_unit(PROBE)["Service"]
    assert service["LoadCredential"] == ["probe.token:motherstream.probe.token"]
    assert service["User"] == ["motherstream-probe"]
    assert "-/etc/motherstream" in service["InaccessiblePaths"][0].split()


def test_it_is_started_told_and_watched_as_the_daemon_expects(unit: Unit) -> None:
    service = unit["Service"]
    assert service["Type"] == ["notify"]
    assert service["ExecStart"] == [f"{PROGRAM} run --config /etc/motherstream/motherstream.toml"]
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    # The daemon feeds it every third of that, after up to five seconds for the event that proves its progress.
    assert float(service["WatchdogSec"][0]) >= 10


def test_it_is_started_again_for_ever_but_not_with_a_configuration_that_is_wrong(unit: Unit) -> None:
    service = unit["Service"]
    assert service["Restart"] == ["on-failure"]
    assert service["RestartPreventExitStatus"] == [str(EXIT_CONFIG)]
    assert unit["Unit"]["StartLimitIntervalSec"] == ["0"]
    # Ready again within two seconds of its death leaves the rest to the start itself.
    assert service["RestartSec"] == ["200ms"]


def test_every_secret_that_may_be_configured_may_be_a_credential(unit: Unit) -> None:
    credentials = dict(value.split(":") for value in unit["Service"]["LoadCredential"])
    assert credentials.keys() == {name for name, key in KEYS.items() if key.secret}
    # A relative path may be missing; an absolute one that is missing would keep the service from starting.
    assert all(path == f"motherstream.{name}" for name, path in credentials.items())


def test_it_owns_its_three_directories_and_writes_nowhere_else(unit: Unit) -> None:
    service = unit["Service"]
    for kind in ("Configuration", "State", "Logs"):
        assert service[f"{kind}Directory"] == ["motherstream"]
        assert service[f"{kind}DirectoryMode"] == ["0750"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["WorkingDirectory"] == ["/var/lib/motherstream"]
    # systemd would leave these writable; the first belongs to the service's user.
    assert service["ReadOnlyPaths"] == ["/etc/motherstream -/run -/dev/shm"]
    assert "ReadWritePaths" not in service
    assert service["User"] == service["Group"] == ["motherstream"]


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("NoNewPrivileges", "yes"),
        ("PrivateUsers", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("PrivateMounts", "yes"),
        ("PrivateIPC", "yes"),
        ("ProtectHome", "yes"),
        ("ProtectProc", "invisible"),
        ("ProcSubset", "pid"),
        ("ProtectClock", "yes"),
        ("ProtectControlGroups", "yes"),
        ("ProtectHostname", "yes"),
        ("ProtectKernelLogs", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectKernelTunables", "yes"),
        ("LockPersonality", "yes"),
        ("MemoryDenyWriteExecute", "yes"),
        ("RestrictNamespaces", "yes"),
        ("RestrictRealtime", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("SystemCallArchitectures", "native"),
        ("RemoveIPC", "yes"),
        ("LimitCORE", "0"),
    ],
)
def test_it_may_do_no_more_than_it_needs(unit: Unit, directive: str, value: str) -> None:
    assert unit["Service"][directive] == [value]


def test_it_may_make_the_system_calls_of_a_service_and_none_of_an_administrator(unit: Unit) -> None:
    assert unit["Service"]["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]
    assert unit["Service"]["SystemCallErrorNumber"] == ["EPERM"]


def test_obs_shares_a_private_tmp_with_its_display_and_nobody_else() -> None:
    obs, display = (read_unit(DEPLOY / f"obs-{name}.service") for name in ("headless", "display"))
    assert obs["Unit"]["JoinsNamespaceOf"] == obs["Unit"]["Requires"] == ["obs-display.service"]
    assert obs["Service"]["PrivateTmp"] == display["Service"]["PrivateTmp"] == ["yes"]
    assert obs["Service"]["User"] == display["Service"]["User"] == ["obs"]
    # Without these, whoever may log in could draw on OBS's screen, and read it.
    assert "-nolisten tcp -nolisten local" in display["Service"]["ExecStart"][0]

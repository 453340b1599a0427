"""What this machine knows of packages and of the way to them: its mirror, apt's and pip's settings, proxies, CAs.

No host stands anywhere in the project; a root takes its packages from where this machine takes its own.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

TARGETS = "$(REPO_URI)|$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(SUITE)|$(CODENAME)"

FETCHING = re.compile(r"Acquire::(?:https?|ftp|Check-|Max-ValidTime|Min-ValidTime|Retries|Queue-|Force)[^ ]* ")
"""The settings of apt that say how it fetches. The rest is the machine's own affair."""

VARIABLES = re.compile(
    r"(?:https?|ftp|all|no)_proxy|PIP_\w+|SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|CI|NO_COLOR|TERM|TZ",
    re.IGNORECASE,
)
"""What of the environment a program in a root is given."""

NETWORK = (Path("/etc/resolv.conf"), Path("/etc/hosts"))
PIP = Path("/etc/pip.conf")
HELPER = "/usr/lib/apt/apt-helper"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


class MachineError(Exception):
    """This machine does not say what is needed to make a root."""


def mirror() -> str:
    """The URL of the Debian archive that this machine's apt uses. Raises MachineError."""
    found = debian_archive(_apt("apt-get", "indextargets", "--format", TARGETS, "Created-By: Packages"))
    if found is None:
        # Without lists apt does not know which of its sources is Debian.
        _apt("apt-get", "-q", "update")
        found = debian_archive(_apt("apt-get", "indextargets", "--format", TARGETS, "Created-By: Packages"))
    if found is None:
        raise MachineError("apt's sources name no archive of Debian with its component main")
    return found


def debian_archive(targets: str) -> str | None:
    """The first archive of Debian itself among apt's index targets, as TARGETS prints them."""
    for line in targets.splitlines():
        uri, origin, label, component, suite, codename = line.split("|")
        whole = (origin, label, component) == ("Debian", "Debian", "main")
        if whole and "-" not in suite + codename:
            return uri.rstrip("/")
    return None


def reaches(mirror: str, suite: str) -> bool:
    """Whether apt can fetch this suite of the archive from here, now."""
    url = f"{mirror}/dists/{suite}/InRelease"
    patience = ("-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::https::Timeout=20")
    with TemporaryDirectory() as folder:
        try:
            _apt(HELPER, *patience, "download-file", url, f"{folder}/InRelease")
        except MachineError:
            return False
    return True


def fetching() -> str:
    """This machine's settings of how apt fetches (proxies, validity, retries), as a file of them."""
    return fetching_of(_apt("apt-config", "dump"))


def ca_bundle(settings: str) -> Path | None:
    """Whom apt trusts on this machine, by its settings or by default; None where there is nothing of the kind."""
    named = re.search(r'^Acquire::https::CAInfo "(.+)";$', settings, flags=re.MULTILINE)
    path = Path(named[1]) if named else CA_BUNDLE
    return path if path.exists() else None


def fetching_of(dump: str) -> str:
    """Of all that apt-config dumps, what FETCHING says."""
    # One that is empty is the head of a group.
    lines = [line for line in dump.splitlines() if FETCHING.match(line) and not line.endswith(' "";')]
    return "".join(f"{line}\n" for line in lines)


def proxies() -> list[str]:
    """The proxies of apt's settings, as env(1) sets variables: for programs that do not read apt's settings."""
    return proxies_of(_apt("apt-config", "dump"), os.environ)


def proxies_of(dump: str, environ: Mapping[str, str]) -> list[str]:
    """Of all that apt-config dumps; what the environment says goes first, as it does for apt."""
    found = re.findall(r'^Acquire::(https?)::Proxy "(.+)";$', dump, flags=re.MULTILINE)
    return [f"{scheme}_proxy={url}" for scheme, url in found if f"{scheme}_proxy" not in environ and url != "DIRECT"]


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a program in a root is given of it."""
    return {name: value for name, value in environ.items() if VARIABLES.fullmatch(name)}


def shared(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """What a root has to have at the same place: files that fetching needs, files and folders that variables name."""
    named = [Path(value) for value in environment(environ).values() if value.startswith("/")]
    return tuple(sorted({path for path in (*NETWORK, PIP, *trusted_by_pip(PIP), *named) if path.exists()}))


def trusted_by_pip(settings: Path) -> tuple[Path, ...]:
    """The certificates that pip's settings name: a root has a file of that name, and its own trust in it."""
    text = settings.read_text() if settings.exists() else ""
    return tuple(Path(path) for path in re.findall(r"^ *cert *= *(/.*?) *$", text, flags=re.MULTILINE))


def _apt(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise MachineError("roots are made on Debian, with its apt; there is none here") from error
    except subprocess.CalledProcessError as error:
        raise MachineError(f"{' '.join(command[:2])}: {str(error.stderr).strip()}") from error
    return done.stdout

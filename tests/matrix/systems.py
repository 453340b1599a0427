"""Which systems there are, and what is in the root of each."""

import hashlib
from dataclasses import dataclass

PACKAGES = (
    "ca-certificates",
    "caddy",
    "ffmpeg",
    "gstreamer1.0-libav",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "haproxy",
    "libnginx-mod-rtmp",
    "logrotate",
    "make",
    "nginx-light",
    "obs-studio",
    "procps",
    "python3-venv",
    "shellcheck",
    "systemd",
    "xvfb",
)
"""All that deploy/prepare.sh would install for the demo and the tests, but for the browser, so that nothing changes a
root once it is made; what obs-gstreamer needs; and make."""


@dataclass(frozen=True, slots=True)
class System:
    """One release of Debian. `suite` is its name in the archive."""

    suite: str
    name: str
    required: bool
    """Whether a root that cannot be made is a failure. sid's archive is broken now and then, and nobody's fault."""
    lasts: float | None = None
    """Seconds after which its root is made anew; None: never."""

    @property
    def recipe(self) -> str:
        """Changes with whatever a root is made of."""
        return hashlib.sha256("\n".join((self.suite, *PACKAGES)).encode()).hexdigest()[:16]


SYSTEMS = (
    System("trixie", "Debian 13", required=True),
    System("sid", "Debian sid", required=False, lasts=7 * 86_400.0),
)

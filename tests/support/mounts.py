"""What is mounted on this machine."""

from pathlib import Path


def mounted(elsewhere: Path) -> list[str]:
    """All mounts but those in that folder, where other tests have theirs."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [place for place in places if not Path(place).is_relative_to(elsewhere)]

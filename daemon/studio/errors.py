"""What can go wrong with the throw-away studio, on one page.

StudioError
├── MissingProgramsError   a program is not installed; says which Debian package has it
├── StartError       a program ended or did not answer in time; quotes the tail of its log
├── PublishError    the RTMP server (or the hook behind it) turned a publisher away
├── ObsCallError     OBS answered a request with an error, or not at all
└── RecordingError  a recording is missing, empty or not decodable
"""

from collections.abc import Mapping


class StudioError(Exception):
    """Any failure of the studio itself, never of what is tried in it."""


class MissingProgramsError(StudioError):
    """One or more programs are not installed.

    `missing` maps each program to the Debian package that holds it.
    """

    def __init__(self, missing: Mapping[str, str]) -> None:
        self.missing = dict(missing)
        packages = " ".join(sorted(set(self.missing.values())))
        super().__init__(f"the studio needs {', '.join(sorted(self.missing))}; on Debian: apt-get install {packages}")


class StartError(StudioError):
    """A program of the studio did not come up. `tail` holds the last lines of its log."""

    def __init__(self, program: str, reason: str, tail: str) -> None:
        self.program = program
        self.reason = reason
        self.tail = tail
        quoted = "\n".join(f"    {line}" for line in tail.splitlines()) or "    (its log is empty)"
        super().__init__(f"{program} {reason}; the end of its log:\n{quoted}")


class PublishError(StudioError):
    """A publisher ended before the RTMP server had accepted its stream."""


class ObsCallError(StudioError):
    """OBS answered a request with an error. `code` is obs-websocket's status, 0 where there was no answer."""

    def __init__(self, request: str, code: int, comment: str) -> None:
        self.request = request
        self.code = code
        self.comment = comment
        super().__init__(f"{request}: {comment or 'refused'} ({code})" if code else f"{request}: {comment}")


class RecordingError(StudioError):
    """A recording is missing, empty or not decodable."""

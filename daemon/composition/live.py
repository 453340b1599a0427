"""What the daemon goes by while it runs: its configuration, its secrets and its log. A reload changes all three."""

from pathlib import Path

import structlog

from daemon.config.keys import secret_values
from daemon.config.model import Config
from daemon.config.reload import Reloaded, reload
from daemon.core.redaction import Redactor
from daemon.observability.logging import LogHandle

log = structlog.get_logger("daemon.app")


class Live:
    """``config`` is as it is now: who keeps a value of it does not hear of a reload."""

    def __init__(self, config: Config, path: Path | None, redactor: Redactor, handle: LogHandle) -> None:
        self.config = config
        self.path = path
        self.redactor = redactor
        self._log = handle

    def reload(self) -> Reloaded | None:
        """Take over what can change live; None where the file cannot be used, which changes nothing."""
        self._log.reopen()
        reloaded = reload(self.path, self.config)
        if reloaded is None:
            return None
        self.config = reloaded.config
        for value in secret_values(self.config):
            self.redactor.add(value)
        self._log.set_level(self.config.log.level)
        return reloaded

"""SIGHUP: the configuration is read again. What can change live does, what cannot is named, a broken one is told."""

import os
from pathlib import Path
from typing import NamedTuple

import structlog

from daemon.config.keys import diff, with_live
from daemon.config.loader import ConfigError, load
from daemon.config.model import Config, conflicts

log = structlog.get_logger("daemon.app")


class Reloaded(NamedTuple):
    """The configuration from now on, and the keys whose change has taken effect or waits for the next start."""

    config: Config
    live: tuple[str, ...]
    waiting: tuple[str, ...]


def reload(path: Path | None, running: Config) -> Reloaded | None:
    """Read it again. None where it cannot be used, which the log tells."""
    try:
        fresh = load(path, os.environ)
    except ConfigError as error:
        for problem in error.problems:
            log.error("the configuration was not reloaded", mistake=str(problem))
        return None
    changes = diff(running, fresh)
    mixed = with_live(running, fresh)
    # The file is right as a whole; what of it can be taken over now may not go with what is still in force.
    for key_names, message in conflicts(mixed):
        waiting = [name for name in key_names if name in changes.restart]
        mistake = f"{key_names[0]}: {message}; {', '.join(waiting)} cannot change while the daemon runs: restart it"
        log.error("the configuration was not reloaded", mistake=mistake)
        return None
    return Reloaded(mixed, changes.live, changes.restart)

"""The configuration: its model, how it is read, compared and reloaded, and the rules' share of it."""

from daemon.config.loader import ConfigError, load
from daemon.config.model import Config

__all__ = ["Config", "ConfigError", "load"]

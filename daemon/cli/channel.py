"""``-c CHANNEL`` and ``--config FILE``: which daemon a command is about."""

import argparse
import re
from pathlib import Path

from daemon.config.loader import file_of
from daemon.config.types import CHANNEL_NAME


def add_channel(sub: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Both options, of which one may be given; either leaves the file's path as ``config``."""
    which = sub.add_mutually_exclusive_group()
    text = "the channel with that name: its configuration is /etc/motherstream/NAME.toml"
    which.add_argument("-c", "--channel", dest="config", type=_file_of, metavar="NAME", help=text)
    which.add_argument("--config", type=Path, metavar="FILE", help="configuration file (TOML)")
    return sub


def _file_of(name: str) -> Path:
    if not re.fullmatch(CHANNEL_NAME, name):
        raise argparse.ArgumentTypeError("a channel's name has 1 to 64 of the characters A-Z a-z 0-9 _ -")
    return file_of(name)

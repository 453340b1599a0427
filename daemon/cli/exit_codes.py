"""How a command says that it is over."""

from typing import Final

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_CONFIG: Final = 78
"""sysexits' EX_CONFIG: systemd's RestartPreventExitStatus knows it."""

"""``python -m daemon.probe``."""

import sys

from daemon.probe.main import main

if __name__ == "__main__":
    sys.exit(main())

"""``python -m daemon`` is ``motherstream``."""

from daemon.cli import main

raise SystemExit(main())

"""``python -m daemon`` is ``motherstream``."""

from daemon.cli.main import main

raise SystemExit(main())

"""The shell: turns the outside world into events and commands into calls. It never decides."""

__version__ = "0.1.0"

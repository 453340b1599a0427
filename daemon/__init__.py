"""The shell: turns the outside world into events and commands into calls. It never decides."""

"""The command line: the daemon itself, and the commands that talk to it or to its files."""

"""What outlives a crash: the database file, the events in it, its copy, and what is made of a damaged one."""

from daemon.journal.journal import Journal

__all__ = ["Journal"]

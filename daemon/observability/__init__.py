"""What people and programs read of a run: the log, metrics, the wording of facts, and what must not be seen in any."""

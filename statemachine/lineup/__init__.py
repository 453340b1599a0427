"""Who is on air and who is next: entries, sessions, turns, graces, blocks. Knows nothing of OBS."""

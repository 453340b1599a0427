"""motherstream-probe: a program of its own that plays each stream and measures its sound and picture.

It asks the daemon whom to measure, has one ffmpeg play each from the ingest server, and reports what it hears and sees.
It holds no secret but its token, and nothing on air depends on it.
"""

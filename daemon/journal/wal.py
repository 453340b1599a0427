"""The write-ahead log beside the database, looked at before SQLite reads it: a damaged one is cut short without a word.

SQLite takes its frames up to the first whose checksum is wrong and forgets the rest, which is right after a crash in
mid-write and wrong where a frame that was whole is whole no more. https://sqlite.org/fileformat2.html#walformat
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEADER: Final = struct.Struct(">8I")
FRAME: Final = struct.Struct(">6I")
MAGIC: Final = (0x377F0682, 0x377F0683)
MOST_PAGE: Final = 65_536


@dataclass(frozen=True, slots=True)
class Commits:
    """Where a log's commits end, in frames, by what the frames say of themselves."""

    last: int = 0
    before: int = 0
    """The one before the last."""
    ends_there: bool = False
    """Nothing of an earlier log lies behind the last one."""

    def lost(self, read: int) -> int:
        """Frames that were whole once, where SQLite has read so many.

        A kill in the middle of the last commit leaves the mark of that and not its page: nobody was told that it was
        written. It is told from damage by the length of the log, unless that was written over an earlier one.
        """
        torn = read >= self.before and not self.ends_there
        return 0 if read >= self.last or torn else self.last - read


def look_at_log(database: Path) -> Commits:
    """What the log beside a database says of itself, sound or not. Never raises."""
    try:
        with Path(f"{database}-wal").open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(0)
            head = log.read(HEADER.size)
            if len(head) < HEADER.size:
                return Commits()
            magic, _, page, _, *salts = HEADER.unpack(head)[:6]
            page = page if 512 <= page <= MOST_PAGE else 4096
            if not _is_whole(head, magic):
                # Then it is the first frame that tells which ones are of this log, and which of one before.
                first = log.read(FRAME.size)
                salts = list(FRAME.unpack(first)[2:4]) if len(first) == FRAME.size else salts
            length = FRAME.size + page
            last = before = 0
            for number in range((size - HEADER.size) // length):
                log.seek(HEADER.size + number * length)
                _, commit, *marks = FRAME.unpack(log.read(FRAME.size))[:4]
                if marks == salts and commit:
                    last, before = number + 1, last
            return Commits(last, before, size == HEADER.size + last * length)
    except (OSError, struct.error):
        return Commits()


def _is_whole(head: bytes, magic: int) -> bool:
    """The header's own checksum is right."""
    if magic not in MAGIC:
        return False
    one = other = 0
    words = struct.unpack(f"{'>' if magic & 1 else '<'}6I", head[:24])
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + other) & 0xFFFFFFFF
        other = (other + second + one) & 0xFFFFFFFF
    return (one, other) == HEADER.unpack(head)[6:]

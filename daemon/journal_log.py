"""The write-ahead log beside the database, looked at before SQLite reads it: a damaged one is cut short without a word.

SQLite takes its frames up to the first whose checksum is wrong and forgets the rest, which is right after a crash in
mid-write and wrong where a frame that was whole is whole no more. https://sqlite.org/fileformat2.html#walformat
"""

import struct
from pathlib import Path
from typing import Final

HEADER: Final = struct.Struct(">8I")
FRAME: Final = struct.Struct(">6I")
MAGIC: Final = (0x377F0682, 0x377F0683)
MOST_PAGE: Final = 65_536


def frames_committed(database: Path) -> int:
    """How many frames a log holds up to its last commit, sound or not; 0 where there is none. Never raises."""
    try:
        with Path(f"{database}-wal").open("rb") as log:
            head = log.read(HEADER.size)
            if len(head) < HEADER.size:
                return 0
            magic, _, page, _, *salts = HEADER.unpack(head)[:6]
            page = page if 512 <= page <= MOST_PAGE else 4096
            if not _is_whole(head, magic):
                # Then it is the first frame that tells which ones are of this log, and which of one before.
                first = log.read(FRAME.size)
                salts = list(FRAME.unpack(first)[2:4]) if len(first) == FRAME.size else salts
            found = number = 0
            while True:
                log.seek(HEADER.size + number * (FRAME.size + page))
                frame = log.read(FRAME.size)
                if len(frame) < FRAME.size:
                    return found
                number += 1
                _, commit, *marks = FRAME.unpack(frame)[:4]
                if marks == salts and commit:
                    found = number
    except OSError:
        return 0


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

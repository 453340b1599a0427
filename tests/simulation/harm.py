"""What a disk, or somebody, does to a database file: a bit, a page, half of it."""

import random
from collections.abc import Callable

PAGE = 4096

Files = dict[str, bytes]
"""By what follows the database's name."""
Harm = Callable[[random.Random, Files], str]


def flipped(chance: random.Random, files: Files, name: str = "") -> str:
    body = bytearray(files[name])
    at, bit = chance.randrange(len(body)), chance.randrange(8)
    body[at] ^= 1 << bit
    files[name] = bytes(body)
    return f"bit {bit} of byte {at} of {name or 'the file'}"


def flipped_in_the_log(chance: random.Random, files: Files) -> str:
    return flipped(chance, files, "-wal")


def shortened(chance: random.Random, files: Files) -> str:
    name = chance.choice(("", "-wal"))
    size = chance.randrange(len(files[name]))
    files[name] = files[name][:size]
    return f"the first {size} bytes of {name or 'the file'} are left"


def zeroed(chance: random.Random, files: Files) -> str:
    body = files[""]
    page = chance.randrange(len(body) // PAGE)
    files[""] = body[: page * PAGE] + bytes(PAGE) + body[(page + 1) * PAGE :]
    return f"page {page} is zeros"


def swapped(chance: random.Random, files: Files) -> str:
    body = files[""]
    pages = [body[at : at + PAGE] for at in range(0, len(body), PAGE)]
    one, other = chance.sample(range(len(pages)), 2)
    pages[one], pages[other] = pages[other], pages[one]
    files[""] = b"".join(pages)
    return f"pages {one} and {other} are swapped"


HARMS: tuple[Harm, ...] = (
    flipped,
    flipped,
    flipped,
    flipped,
    flipped_in_the_log,
    flipped_in_the_log,
    shortened,
    zeroed,
    swapped,
)

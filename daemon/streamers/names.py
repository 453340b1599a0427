"""The names of streamers: what may be one, and which are taken for the same."""

import re
import unicodedata
from typing import Final

LONGEST_NAME: Final = 64
# Printable for Unicode, yet nothing is to be seen: a name of these would be a blank line on the dashboard.
_BLANKS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATIONS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_MOST_MARKS: Final = 4


class BadName(ValueError):
    """It is no name. ``str()`` is one line that says why."""


def valid_name(text: str) -> str:
    """The name as it is kept and shown: NFC, trimmed. Raises BadName.

    Whatever can be printed in 64 characters is a name, "DJ Ötzi" as well as "alice". Not so: control, bidirectional
    and invisible characters, which change how a page or a terminal reads; "." and "..", which vanish from addresses;
    towers of combining marks. Markup is left as it is: who shows a name shows it as text.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise BadName("a streamer needs a name")
    if len(name) > LONGEST_NAME:
        raise BadName(f"a name has at most {LONGEST_NAME} characters, this one has {len(name)}")
    for char in name:
        # isprintable() is false for all of Unicode's controls, formats (the bidirectional ones), line ends,
        # surrogates, private and unassigned characters, and for every blank but the space.
        if not char.isprintable() or char in _BLANKS:
            raise BadName(f"a name must have visible characters only, not U+{ord(char):04X}")
    if name in (".", ".."):
        raise BadName(f"a name is part of URLs, so it cannot be {name}")
    marks = "".join("m" if unicodedata.category(char).startswith("M") else " " for char in name)
    if marks.startswith("m") or "m" * (_MOST_MARKS + 1) in marks:
        raise BadName("the name has combining marks without a letter, or too many on one")
    return name


def fold(name: str) -> str:
    """What two names have in common that people would take for one: "Alice" and "alice", "ﬁn" and "fin"."""
    if name.isascii():
        return " ".join(name.lower().split())  # what the rest comes to
    plain = unicodedata.normalize("NFKC", _VARIATIONS.sub("", name)).casefold()
    return " ".join(unicodedata.normalize("NFKC", plain).split())

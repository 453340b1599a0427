"""What an event or a state says, as data: see ``wording`` for what stands in its braces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Sort = Literal["air", "news", "trouble", "step"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """What events of a kind say. Of those of one kind the first counts whose ``when`` holds."""

    kind: str
    text: str
    sort: Sort = "news"
    when: Mapping[str, object] = field(default_factory=dict)
    """Values that fields must have; true and false ask whether there is any."""

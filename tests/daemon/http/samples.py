"""One request of each use case, made of what stands at its function."""

from collections.abc import Iterator
from typing import Any, Final, get_args

from daemon.core.operator import USE_CASES
from daemon.core.shapes import Name
from daemon.core.use_case import UseCase
from daemon.http.addresses import Address, addresses, is_in_path

WAITING: Final = ("carol", "dave")
"""Two who wait, and whom it may concern."""
SAMPLES: Final[dict[str, dict[str, object]]] = {
    "remove": {"name": "bob"},
    "kick": {"seconds": 60.5},
    "take": {"name": "dave"},
}
"""Where it has to be another: whoever was kicked is in the line-up no more."""


def values(case: UseCase) -> dict[str, Any]:
    """Of each parameter that has to be given, and some more."""
    names = iter(WAITING)
    found: dict[str, Any] = {}
    for each in case.parameters:
        if each.required:
            found[each.name] = next(names) if each.shape == Name else get_args(each.shape)[0](1)
    return found | SAMPLES.get(case.name, {})


def asked_for() -> Iterator[tuple[UseCase, Address, str]]:
    """Each use case, under each of its addresses, and a request for it."""
    for case in USE_CASES:
        given = values(case)
        in_path = {each.name for each in case.parameters if is_in_path(each)}
        query = "&".join(f"{name}={value}" for name, value in given.items() if name not in in_path)
        for address in addresses(case):
            path = address.path.format_map({name: given[name] for name in in_path})
            yield case, address, f"{path}?{query}" if query else path

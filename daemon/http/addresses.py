"""Where the API has each use case: the server's routes, the description and the terminal's commands go by it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from daemon.core.use_case import CaseParameter, UseCase

WHOM: Final = "name"
"""The parameter that is a part of the path, where it is required: whom it concerns."""
DELETED: Final = "remove"
"""The use case that is the DELETE of a place in the line-up."""


class Address(NamedTuple):
    """A method and a path."""

    method: str
    path: str
    former: bool = False
    """Under a name that the use case had before."""


def addresses(case: UseCase) -> Iterator[Address]:
    """``POST /queue/{name}/kick``, or ``POST /queue/skip`` of nobody in particular; the present one comes first."""
    whom = "/queue" + "".join(f"/{{{each.name}}}" for each in case.parameters if is_in_path(each))
    if case.name == DELETED:
        yield Address("DELETE", whom)
        return
    yield Address("POST", f"{whom}/{dashed(case.name)}")
    if case.former:
        yield Address("POST", f"{whom}/{dashed(case.former)}", former=True)


def is_in_path(parameter: CaseParameter) -> bool:
    """It stands in the path; the others stand in the query."""
    return parameter.name == WHOM and parameter.required


def dashed(name: str) -> str:
    """As names are written in addresses and on the command line."""
    return name.replace("_", "-")

"""The commands that ask something of the line-up: each is made of its use case."""

import argparse
from collections.abc import Callable
from typing import Annotated, Any, Final, get_args, get_origin
from urllib.parse import quote

from daemon.cli.client import Client, quoted
from daemon.core.operator import USE_CASES
from daemon.core.use_case import CaseParameter, UseCase
from daemon.http.addresses import WHOM, addresses, dashed, is_in_path

FORMER: Final = {dashed(case.former): dashed(case.name) for case in USE_CASES if case.former}
"""Commands by their former names, which scripts may use."""


def add_arguments(parser: argparse.ArgumentParser, case: UseCase) -> None:
    """What has to be given stands in its place; what has a default is an option."""
    for parameter in case.parameters:
        kind, text = _kind(parameter)
        if parameter.name == WHOM and not parameter.required:
            parser.add_argument(WHOM, nargs="?", metavar="NAME", type=kind, default=parameter.default, help=text)
        elif parameter.required:
            parser.add_argument(parameter.name, metavar=parameter.name.upper(), type=kind, help=text)
        else:
            usual = f"{text} (default: {_written(parameter.default)})"
            parser.add_argument(f"--{dashed(parameter.name)}", type=kind, default=parameter.default, help=usual)


def asks(case: UseCase, client: Callable[[argparse.Namespace], Client]) -> Callable[[argparse.Namespace], Any]:
    """What asks the daemon for it, and returns its answer. Raises ClientError."""
    address = next(addresses(case))

    def ask(arguments: argparse.Namespace) -> Any:
        path, query = address.path, []
        for each in case.parameters:
            value = getattr(arguments, each.name)
            if is_in_path(each):
                path = path.replace(f"{{{each.name}}}", quoted(value))
            elif value != "":
                query.append(f"{each.name}={quote(_written(value), safe='')}")
        asked = client(arguments)
        send = asked.delete if address.method == "DELETE" else asked.post
        return send("?".join((path, "&".join(query))) if query else path)

    return ask


def as_help(case: UseCase) -> str:
    """Its line in the list of the commands."""
    return _inside(case.summary)


def _kind(parameter: CaseParameter) -> tuple[Callable[[str], Any], str]:
    """How its text is read, and what is said of it."""
    if get_origin(parameter.shape) is not Annotated:
        return parameter.shape, ""
    kind, *notes = get_args(parameter.shape)
    return kind, _inside(next((note.description for note in notes if getattr(note, "description", None)), ""))


def _inside(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def _written(value: object) -> str:
    """600 rather than 600.0, and never 1e+06."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)

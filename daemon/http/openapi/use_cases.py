"""The use cases' routes, described by what stands at their functions."""

from collections.abc import Iterator
from typing import Final

from daemon.core.operator import USE_CASES
from daemon.core.shapes import Name
from daemon.core.use_case import CaseParameter, UseCase
from daemon.http.addresses import addresses, is_in_path
from daemon.http.errors import refusal_status
from daemon.http.openapi.operation import BUSY, Errors, Operation, Parameter, both, in_path, in_query, ok


def _operations(case: UseCase) -> Iterator[Operation]:
    now, *former = addresses(case)
    for address in (now, *former):
        yield Operation(
            case.former if address.former else case.name,
            address.method,
            address.path,
            "line-up",
            case.summary.removesuffix("."),
            ok(case.answer),
            both(BUSY, *_errors(case)),
            tuple(_parameter(each) for each in case.parameters),
            description=f"As `{now.method} {now.path}`, which is its name now." if address.former else "",
            deprecated=address.former,
        )


def _errors(case: UseCase) -> Iterator[Errors]:
    for code in case.refusals:
        yield {refusal_status(code): (code,)}
    for parameter in case.parameters:
        yield {400: ("bad_name" if parameter.shape == Name else "bad_value",)}


def _parameter(taken: CaseParameter) -> Parameter:
    if is_in_path(taken):
        return in_path(taken.name, taken.shape)
    if taken.required:
        return in_query(taken.name, taken.shape, required=True)
    return in_query(taken.name, taken.shape, default=taken.default)


CHANGING: Final = tuple(operation for case in USE_CASES for operation in _operations(case))

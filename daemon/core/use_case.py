"""What is said of a use case, at its function: the API's route and its description, and the terminal's command, are
made of it, and so is what the daemon tells of it.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, get_type_hints

REQUIRED: Final = inspect.Parameter.empty
"""The default of a parameter that has none."""
_MARK: Final = "__use_case__"

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class CaseParameter:
    """One value that the use case takes, beside who asks."""

    name: str
    shape: Any
    """Its type, with its bounds and, where the name is not enough, a description."""
    default: object = REQUIRED

    @property
    def required(self) -> bool:
        """It has no default."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class UseCase:
    """One thing that a person may ask. Its function has the same name."""

    name: str
    summary: str
    """What it does: the first line of the function's docstring."""
    parameters: tuple[CaseParameter, ...]
    answer: Any
    """The type of what it returns."""
    refusals: tuple[str, ...]
    """The codes that the rules may refuse it with."""
    former: str
    """Another name that it had, and that still works; empty where there is none."""
    told: Mapping[str, str]
    """What is said of each change of the line-up that it makes, by the change's code."""


def use_case(*refusals: str, former: str = "", told: Mapping[str, str] | None = None) -> Callable[[Function], Function]:
    """Marks a method as a use case; its first argument after ``self`` is who asks."""

    def mark(function: Function) -> Function:
        hints = get_type_hints(function, include_extras=True)
        _, _, *own = inspect.signature(function).parameters.values()
        described = UseCase(
            name=function.__name__,
            summary=(function.__doc__ or "").partition("\n")[0],
            parameters=tuple(CaseParameter(each.name, hints[each.name], each.default) for each in own),
            answer=hints["return"],
            refusals=refusals,
            former=former,
            told=told or {},
        )
        setattr(function, _MARK, described)
        return function

    return mark


def use_cases_of(owner: type) -> Iterator[UseCase]:
    """Those that are marked in a class, in their order."""
    for member in vars(owner).values():
        if isinstance(described := getattr(member, _MARK, None), UseCase):
            yield described

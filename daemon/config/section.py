"""What every section of the configuration is made of."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from daemon.core.redaction import redact


def live(default: object, comment: str, **limits: Any) -> Any:
    """A key whose change takes effect while the daemon runs."""
    return Field(default, description=comment, json_schema_extra={"live": True}, **limits)


def fixed(default: object, comment: str, **limits: Any) -> Any:
    """A key whose change waits for the next start."""
    return Field(default, description=comment, json_schema_extra={"live": False}, **limits)


class Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, hide_input_in_errors=True
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, redact(value) if isinstance(value, str) else value

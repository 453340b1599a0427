"""What the demo tells whoever looks on."""


def say(line: str) -> None:
    """One line, at once."""
    print(line, flush=True)  # noqa: T201  # it tells whoever looks on

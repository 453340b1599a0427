"""Snapshots of older versions in today's shape, where a default or a former name does not do.

Each step knows one change; a snapshot that is newer than it passes through as it is. What is damaged does, too: it is
refused where it is read, with its place.
"""

from typing import Any


def migrated(plain: Any) -> Any:
    """The same snapshot as today's version would have written it."""
    return _with_sessions(_with_quantities(_with_cleanup(plain)))


def _with_quantities(plain: Any) -> Any:
    """The sound was the only quantity, and stood for itself."""
    if not isinstance(plain, dict) or "silence" not in plain:
        return plain
    kept = {name: value for name, value in plain.items() if name != "silence"}
    return kept if plain["silence"] is None else {**kept, "amiss": {"sound": plain["silence"]}}


def _with_sessions(plain: Any) -> Any:
    """Only the one on air was measured: each quantity named its session. And silence was a setting by itself."""
    if not isinstance(plain, dict):
        return plain
    amiss, overrides = plain.get("amiss"), plain.get("overrides")
    if isinstance(amiss, dict) and any(isinstance(each, dict) and "session_id" in each for each in amiss.values()):
        by_session: dict[str, dict[str, Any]] = {}
        for name, each in amiss.items():
            if isinstance(each, dict):
                by_session.setdefault(str(each.get("session_id")), {})[name] = each
        plain = {**plain, "amiss": by_session}
    if isinstance(overrides, dict) and "silence" in overrides:
        plain = {**plain, "overrides": {name: value for name, value in overrides.items() if name != "silence"}}
    return plain


def _with_cleanup(plain: Any) -> Any:
    switchover = plain.get("switchover") if isinstance(plain, dict) else None
    attempt = switchover.get("attempt") if isinstance(switchover, dict) else None
    if not isinstance(switchover, dict) or not isinstance(attempt, dict) or "cleanup" in attempt:
        return plain
    return {**plain, "switchover": {**switchover, "attempt": {**attempt, "cleanup": _cleanup(attempt)}}}


def _cleanup(attempt: dict[str, Any]) -> dict[str, Any] | None:
    """What the attempt was about to do, which was three fields: ``restore``, ``victim`` and ``tries``."""
    name, tries = attempt.get("victim", ""), attempt.get("tries", 0)
    if attempt.get("restore", False):
        return {"kind": "Restore", "input": name, "tries": tries}
    if not name:
        return None
    waits = attempt.get("outcome") == "completed" and attempt.get("deadline") is not None and not tries
    return {"kind": "Grace", "input": name} if waits else {"kind": "Remove", "input": name, "tries": tries}

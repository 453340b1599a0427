"""Who may import whom: cli → app → adapters → ports → statemachine, and nothing points back."""

import ast
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PURE = {
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "types",
    "typing",
}
"""The standard library's pure parts: no clock, no I/O, no log, no chance, no thread."""
COMMAND_LINE = {"daemon.__main__", "daemon.cli*", "daemon.studio.demo"}
SHELL = {"daemon.app", "daemon.core.dispatcher", "daemon.core.executor"}
"""What turns the rules over; only the composition root knows them."""
PORTS = {"daemon.core.clock", "daemon.core.ports", "statemachine*"}
MAY_IMPORT = {
    "daemon.core.ports": {"statemachine.*"},
    "daemon.core.executor": {*PORTS, "daemon.observability.redaction"},
    "daemon.core.dispatcher": {*PORTS, "daemon.journal.journal"},
    "daemon.obs*": {"daemon.obs*", "daemon.config*", *PORTS, "daemon.health.reading", "daemon.http.dependencies"},
    "daemon.ingest*": {"daemon.ingest*", "daemon.config*", *PORTS, "daemon.streamers.names"},
    "daemon.streamers.names": set(),
    "daemon.observability.problems": set(),
    "daemon.health*": {"daemon.health*", "daemon.config*", *PORTS, "daemon.obs.readiness"},
    "daemon.http*": {
        "daemon.http*",
        "daemon.ingest*",
        "daemon.config*",
        *PORTS,
        "daemon.observability.problems",
        "daemon.observability.redaction",
        "daemon.observability.throttle",
    },
    # It gives its streamers keys, as the command line does.
    "daemon.studio*": {"daemon.studio*", "daemon.streamers.store"},
    "statemachine*": {"statemachine*", "transitions", *PURE},
}
"""Of the project's own modules (and, for the rules, of all modules) these and no others."""
ONLY_FOR = {
    "daemon.app": {"daemon.__main__", "daemon.cli.main"},
    "daemon.cli*": {"daemon.__main__", "daemon.cli*"},
    "daemon.core.dispatcher": {"daemon.app"},
    "daemon.core.executor": {"daemon.app"},
    "daemon.studio*": {"daemon.studio*", "daemon.cli.main"},
    "statemachine.director": {
        "daemon.app",
        "daemon.core.dispatcher",
        "daemon.journal.journal",
        "daemon.journal.replay",
        "statemachine.view",
        "statemachine.recorder",
    },
    "transitions": {"statemachine.handover.switchover"},
    "simpleobsws": {"daemon.obs.connection", "daemon.studio.obs"},
}
"""Imported by these and no others."""
LONGEST = 450


def matches(module: str, patterns: set[str]) -> bool:
    return any(fnmatch(module, pattern) for pattern in patterns)


@cache
def modules(*packages: str) -> dict[str, Path]:
    paths = sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


OURS = modules("daemon", "statemachine")


@cache
def imports(path: Path) -> frozenset[str]:
    """Modules that a file names, wherever it does so: also in a function, also for the type checker alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module is not None
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= below & OURS.keys() or {node.module}
    return frozenset(found)


@pytest.mark.parametrize("module", sorted(modules("statemachine")))
def test_the_rules_import_nothing_impure(module: str) -> None:
    for name in imports(OURS[module]):
        assert name.partition(".")[0] in {*PURE, "statemachine", "transitions"}, f"{module} imports {name}"


def test_the_rules_reach_for_nothing_impure_by_another_way() -> None:
    banned = {"open", "print", "input", "eval", "exec", "__import__", "breakpoint"}
    for module, path in modules("statemachine").items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in banned, f"{module} calls {node.func.id}"
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.Global), f"{module}: {ast.dump(node)}"


@pytest.mark.parametrize("module", sorted(OURS))
def test_every_module_imports_only_what_its_layer_may(module: str) -> None:
    for pattern, allowed in MAY_IMPORT.items():
        if fnmatch(module, pattern):
            own = {
                name for name in imports(OURS[module]) if name.partition(".")[0] in ("daemon", "statemachine", "tests")
            }
            beyond = {name for name in own if not matches(name, allowed | {pattern})}
            assert not beyond, f"{module} imports {sorted(beyond)}"


@pytest.mark.parametrize("module", sorted(OURS))
def test_what_is_for_few_is_imported_by_those_few(module: str) -> None:
    for name in imports(OURS[module]):
        for pattern, users in ONLY_FOR.items():
            if fnmatch(name, pattern):
                assert matches(module, users), f"{module} imports {name}"


@pytest.mark.parametrize("module", sorted(OURS))
def test_nothing_points_back(module: str) -> None:
    above = COMMAND_LINE | (set() if matches(module, COMMAND_LINE) else SHELL)
    if matches(module, COMMAND_LINE) or module == "daemon.app":
        return
    pointing_back = {name for name in imports(OURS[module]) if matches(name, above)}
    assert not pointing_back, f"{module} imports {sorted(pointing_back)}"


def test_no_tests_are_imported_by_what_is_installed() -> None:
    for module, path in OURS.items():
        assert not {name for name in imports(path) if name.partition(".")[0] == "tests"}, module


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    graph = {module: {name for name in imports(path) if name in OURS} for module, path in OURS.items()}
    # A package that names its parts for others is no circle; nor is what only the type checker reads.
    packages = {module for module, path in OURS.items() if path.name == "__init__.py"}
    graph = {module: names - packages for module, names in graph.items() if module not in packages}
    graph["statemachine.view"] = graph["statemachine.view"] - {"statemachine.director"}
    done: set[str] = set()

    def walk(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, f"a circle: {' → '.join((*way, module))}"
        if module not in done:
            for name in sorted(graph[module]):
                walk(name, (*way, module))
            done.add(module)

    for module in sorted(graph):
        walk(module, ())


@pytest.mark.parametrize("package", ["daemon", "statemachine", "tests"])
def test_no_file_is_longer_than_one_can_hold_in_mind(package: str) -> None:
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(package).values()}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}

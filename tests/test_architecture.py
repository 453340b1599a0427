"""Who may import whom: cli → app → adapters → ports → statemachine, and nothing points back."""

import ast
import io
import tokenize
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
LAYERS = {
    "the command line": {"daemon.__main__", "daemon.cli*", "daemon.studio.demo"},
    "the composition": {"daemon.app", "daemon.composition*"},
    "the adapters": {
        "daemon.config*",
        "daemon.health*",
        "daemon.http*",
        "daemon.ingest*",
        "daemon.journal*",
        "daemon.notify*",
        "daemon.obs",
        "daemon.obs.*",
        "daemon.observability*",
        "daemon.probe*",
        "daemon.quality*",
        "daemon.shared*",
        "daemon.streamers*",
        "daemon.studio*",
        "daemon.systemd",
    },
    "the core": {"daemon.core*", "daemon"},
    "the rules": {"statemachine*"},
}
"""From the top to the bottom: a module imports those of its own layer and of the layers below it. The first that fits
counts."""
CORE = {"daemon.core.*", "statemachine*"}
MAY_IMPORT = {
    "daemon.core*": CORE,
    "daemon.config*": {"daemon.config*", *CORE},
    "daemon.health*": {"daemon.health*", "daemon.config*", *CORE},
    # The package itself holds the version, and imports nothing.
    "daemon.http*": {
        "daemon",
        "daemon.http*",
        "daemon.health.issues",
        "daemon.health.shapes",
        "daemon.ingest*",
        "daemon.observability*",
        "daemon.config*",
        *CORE,
    },
    "daemon.ingest*": {
        "daemon.ingest*",
        "daemon.observability.throttle",
        "daemon.streamers.names",
        "daemon.config*",
        *CORE,
    },
    "daemon.journal*": {"daemon.journal*", "daemon.streamers*", "daemon.config*", *CORE},
    "daemon.notify*": {
        "daemon.notify*",
        "daemon.health.history",
        "daemon.health.issues",
        "daemon.observability*",
        "daemon.config*",
        *CORE,
    },
    "daemon.obs": {"daemon.obs.adapter"},
    "daemon.obs.*": {"daemon.obs*", "daemon.config*", *CORE},
    "daemon.observability*": {"daemon.observability*", "daemon.config*", *CORE},
    # A program of its own: of the daemon it has the words that they share, and the log.
    "daemon.probe*": {
        "daemon",
        "daemon.probe*",
        "daemon.config.model",
        "daemon.core.answers",
        "daemon.core.backoff",
        "daemon.core.probing",
        "daemon.core.redaction",
        "daemon.observability.logging",
        "statemachine.monitors.quantities",
    },
    "daemon.quality*": {"daemon.quality*", "daemon.config*", *CORE},
    "daemon.shared*": {"daemon.shared*", "daemon.journal*", "daemon.streamers*", "daemon.config*", *CORE},
    "daemon.streamers*": {"daemon.streamers*", "daemon.config*", *CORE},
    # It gives its streamers keys, as the command line does; its demo runs the daemon's own.
    "daemon.studio*": {
        *("daemon.studio*", "daemon.streamers.store"),
        *("daemon.shared.postgres", "daemon.shared.streamers"),
    },
    "daemon.systemd": set(),
    "statemachine*": {"statemachine*", "transitions", *PURE},
}
"""Of the project's own modules (and, for the rules, of all modules) these and no others."""
ONLY_FOR = {
    "daemon.app": {"daemon.__main__", "daemon.cli.main"},
    "daemon.probe*": {"daemon.probe*", "daemon.cli.main"},
    "daemon.cli*": {"daemon.__main__", "daemon.cli*"},
    "daemon.composition*": {"daemon.app", "daemon.composition*"},
    "daemon.core.dispatcher": {"daemon.composition.studio"},
    "daemon.core.calls": {"daemon.composition.studio", "daemon.core.executor"},
    "daemon.core.executor": {"daemon.composition.studio"},
    "daemon.studio*": {"daemon.studio*", "daemon.cli.main"},
    "statemachine.director": {
        "daemon.composition.store",
        "daemon.core.dispatcher",
        "daemon.journal.journal",
        "daemon.journal.replay",
        "statemachine",
        "statemachine.recorder",
    },
    "transitions": {"statemachine.handover.switchover"},
    "asyncpg": {"daemon.shared.postgres"},
    "simpleobsws": {"daemon.obs.connection", "daemon.studio.obs"},
}
"""Imported by these and no others."""
LONGEST = 450
LONGEST_FUNCTION = 40
"""Lines of code: its docstring, comments and empty lines do not count."""


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


def layer(module: str) -> int:
    """0 is the top one."""
    return next(at for at, patterns in enumerate(LAYERS.values()) if matches(module, patterns))


@pytest.mark.parametrize("module", sorted(OURS))
def test_nothing_points_back(module: str) -> None:
    pointing_back = {name for name in imports(OURS[module]) if name in OURS and layer(name) < layer(module)}
    assert not pointing_back, f"{module} imports {sorted(pointing_back)}"


def test_the_shell_uses_the_rules_by_their_entrance_alone() -> None:
    entrance = {"admits", "deadline", "handle", "now", "restarted", "sessions", "snapshot", "view"}
    used = set()
    for module, path in modules("daemon").items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).rpartition(".")[2] == "director":
                assert node.attr in entrance, f"{module} reads {ast.unparse(node)}"
                used.add(node.attr)
    assert {"handle", "view"} <= used


def test_every_line_of_the_log_says_which_module_it_is_of() -> None:
    loggers = 0
    for module, path in modules("daemon").items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "structlog.get_logger":
                assert node.args, f"{module}: a logger without a name"
                loggers += 1
    assert loggers > 20


def test_no_tests_are_imported_by_what_is_installed() -> None:
    for module, path in OURS.items():
        assert not {name for name in imports(path) if name.partition(".")[0] == "tests"}, module


def circle_in(graph: dict[str, set[str]]) -> str:
    """The first circle as one line; empty where there is none."""
    done: set[str] = set()

    def walk(node: str, way: tuple[str, ...]) -> str:
        if node in way:
            return " → ".join((*way[way.index(node) :], node))
        found = ""
        if node not in done:
            found = next(filter(None, (walk(name, (*way, node)) for name in sorted(graph[node]))), "")
            done.add(node)
        return found

    return next(filter(None, (walk(node, ()) for node in sorted(graph))), "")


def test_a_circle_is_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == "b → c → b"
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == ""


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle_in({module: {name for name in imports(path) if name in OURS} for module, path in OURS.items()}) == ""


def folder(module: str) -> str:
    return ".".join(OURS[module].relative_to(ROOT).parent.parts)


@pytest.mark.parametrize("package", ["daemon", "statemachine"])
def test_no_folders_import_each_other_in_a_circle(package: str) -> None:
    graph: dict[str, set[str]] = {}
    for module in modules(package):
        # What stands beside the folders belongs to none of them; a folder's parts are its own.
        if (own := ".".join(folder(module).split(".")[:2])) == package:
            continue
        others = {".".join(folder(name).split(".")[:2]) for name in imports(OURS[module]) if name in OURS}
        graph.setdefault(own, set()).update(name for name in others - {own} if name.startswith(f"{package}."))
    assert len(graph) > 2
    assert circle_in(graph) == ""


@pytest.mark.parametrize("package", ["daemon", "statemachine", "tests"])
def test_no_file_is_longer_than_one_can_hold_in_mind(package: str) -> None:
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(package).values()}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


Function = ast.FunctionDef | ast.AsyncFunctionDef


def code_lines(source: str) -> dict[str, int]:
    """The functions of a module by their names, each with how many lines of code it has."""
    words = tokenize.generate_tokens(io.StringIO(source).readline)
    nothing = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    written = {line for word in words if word.type not in nothing for line in range(word.start[0], word.end[0] + 1)}
    lengths = {}

    def walk(node: ast.AST, name: str) -> None:
        for child in ast.iter_child_nodes(node):
            below = f"{name}.{child.name}" if isinstance(child, Function | ast.ClassDef) else name
            if isinstance(child, Function):
                first = child.body[0]
                told = isinstance(first, ast.Expr) and ast.get_docstring(child, clean=False) is not None
                docstring = range(first.lineno, (first.end_lineno or 0) + 1) if told else range(0)
                whole = range(child.lineno, (child.end_lineno or 0) + 1)
                lengths[below] = len((written & set(whole)) - set(docstring))
            walk(child, below)

    walk(ast.parse(source), "")
    return {name.removeprefix("."): length for name, length in lengths.items()}


def test_lines_of_code_are_counted_without_docstrings_comments_and_empty_lines() -> None:
    source = '''
class Show:
    def begin(self) -> str:
        """Words.

        More words.
        """
        # A reason.

        def beside() -> None:
            pass

        return """two
lines"""
'''
    assert code_lines(source) == {"Show.begin": 5, "Show.begin.beside": 2}


@pytest.mark.parametrize("package", ["daemon", "statemachine"])
def test_no_function_is_longer_than_one_sees_at_once(package: str) -> None:
    too_long = {
        f"{module}.{name}"
        for module, path in modules(package).items()
        for name, length in code_lines(path.read_text(encoding="utf-8")).items()
        if length > LONGEST_FUNCTION
    }
    assert too_long == set()

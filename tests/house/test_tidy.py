"""House rules that a linter cannot see. Each failure lists file, line and what to do."""

from __future__ import annotations

import ast
import re
from importlib.metadata import packages_distributions

from .sets import set_iterations
from .source import PACKAGES, ROOT, calls, files, functions, handlers, name, tracked, tree

FILE_LINES_MAX = 350
FUNCTION_LINES_MAX = 59
LONG_FUNCTIONS: frozenset[str] = frozenset()  # "file:function"; may only shrink: split, do not add
GATE = "core/engine/gate"
FORBIDDEN = [  # pattern, why
    (r"(?<![\w.])/(?:work|root)/", "a path of one machine"),
    (r"/home/\w+/", "a path of one machine"),
    (r"\b(?:TODO|FIXME|XXX|HACK)\b", "unfinished work: finish it or leave it out"),
    (r"\b(?i:issue|ticket) ?#?\d+\b", "a tracker's number says nothing to a reader: say what happened"),
]


def test_a_file_fits_in_the_head() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _ours()}
    long = [f"{file} has {lines} lines" for file, lines in lengths.items() if lines > FILE_LINES_MAX]

    assert len(lengths) > 40
    assert not long, f"at most {FILE_LINES_MAX}, give a part its own file: {long}"


def test_a_function_fits_on_a_screen() -> None:
    long = [
        f"{name(path)}:{function.lineno} {function.name} has {lines} lines"
        for path in _ours()
        for function, lines in functions(path)
        if lines > FUNCTION_LINES_MAX and f"{name(path)}:{function.name}" not in LONG_FUNCTIONS
    ]
    assert not long, f"at most {FUNCTION_LINES_MAX}, split: {long}"


def test_no_exception_from_the_length_rule_outlives_its_function() -> None:
    found = {
        f"{name(path)}:{function.name}"
        for path in _ours()
        for function, lines in functions(path)
        if lines > FUNCTION_LINES_MAX
    }
    assert found >= LONG_FUNCTIONS


def test_every_column_of_every_table_says_its_unit() -> None:
    path = ROOT / "core/kernels/tables.py"
    lines = path.read_text(encoding="utf-8").splitlines()
    columns = [(n, line) for n, line in enumerate(lines, 1) if re.match(r'\s+\("\w+", "[a-z]\d+"\)', line)]
    silent = [f"{name(path)}:{n}" for n, line in columns if not re.search(r"#\s*\S", line)]

    assert len(columns) > 40
    assert not silent, f"no unit beside the column: {silent}"


def test_the_engine_never_iterates_a_set() -> None:
    """Its order is an accident, and accidents are not replayed."""
    found = [
        f"{name(path)}:{line}"
        for path in files("core/engine", "core/strategies", "core/kernels")
        for line in set_iterations(tree(path))
    ]
    assert not found, f"iterates over a set; sort it, or use a dict as an ordered set: {found}"


def test_only_the_gate_makes_orders_and_their_approval() -> None:
    made = [
        f"{name(path)}:{line}"
        for path in files("core", "andon", "tui")
        if not name(path).startswith(GATE)
        for called, line in calls(path)
        if called in {"Approval", "NewOrder"}
    ]
    assert not made, f"only {GATE} may build what a venue adapter accepts: {made}"


def test_the_inner_core_catches_no_blanket_exception() -> None:
    caught = [
        f"{name(path)}:{line}"
        for path in files("core/engine", "core/kernels", "core/strategies")
        for kinds, line in handlers(path)
        if not kinds or kinds & {"Exception", "BaseException"}
    ]
    assert not caught, f"name what you handle, let the rest end the process: {caught}"


def test_the_project_speaks_of_itself_alone() -> None:
    found = [
        f"{name(path)}:{text.count(chr(10), 0, match.start()) + 1} '{match.group()}' ({why})"
        for path, text in ((path, path.read_text(encoding="utf-8")) for path in tracked())
        if path.name != "test_tidy.py"
        for pattern, why in FORBIDDEN
        for match in re.finditer(pattern, text)
    ]
    assert not found, found


def test_no_installed_distribution_shares_our_package_names() -> None:
    """Our top-level names are plain words; another package of that name here would shadow us."""
    owners = packages_distributions()
    foreign = {ours: owners[ours] for ours in PACKAGES if set(owners.get(ours, ["andon"])) != {"andon"}}

    assert not foreign, f"install Andon in an environment of its own: {foreign}"


def test_each_rule_can_fail() -> None:
    assert re.search(FORBIDDEN[0][0], "see /work/" + "notes")
    assert list(handlers_of("try:\n  f()\nexcept Exception:\n  g()")) == [({"Exception"}, 3)]
    assert set_iterations(ast.parse("s: set[int]\nfor x in s: f(x)\nfor x in sorted(s): f(x)")) == [2]
    assert set_iterations(
        ast.parse("def f(self):\n  self.ids = {1, 2}\n  return [g(x) for x in self.ids]")
    ) == [3]


def handlers_of(source: str):
    """Handlers of a piece of text."""
    return handlers(ast.parse(source))


def _ours():
    return files(*PACKAGES, "tests", "benchmarks")


def test_the_engine_never_reads_what_the_publisher_clears() -> None:
    """The dirty marks are emptied on the wall clock: an engine that looked at them would not replay."""
    write = re.compile(r"\.dirty_\w+(\[.+\])? = |\.dirty_\w+: dict|= .*state\.dirty_orders, state\.moved$")
    lines = [
        f"{path.name}: {line.strip()}"
        for path in sorted((ROOT / "core" / "engine").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if ".dirty_" in line and not write.search(line)
    ]

    assert not lines

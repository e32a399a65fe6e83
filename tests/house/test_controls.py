"""docs/controls.md names what exists: every function, every test, every control once."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTROLS = [f"C{n}" for n in range(1, 28)] + [f"K{n}" for n in range(1, 7)]
STATUSES = ("met", "part", "not yet")
OBJECT = re.compile(r"`([a-z_]+(?:\.[a-z_]+)*):([A-Za-z_]+)`")
TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def table() -> dict[str, list[str]]:
    """Control -> its cells behind the number: control, wording, status, objects, tests, missing."""
    text = (ROOT / "docs" / "controls.md").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if re.fullmatch(r"[CK][0-9]+", cells[0]):
            assert cells[0] not in found, f"{cells[0]} stands there twice"
            assert len(cells) == 7, line
            found[cells[0]] = cells[1:]
    return found


@cache
def names_in(path: Path) -> frozenset[str]:
    """What a file defines at its top level."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(found)


def file_of(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def dangling(cells: list[str]) -> list[str]:
    """What a row names and nobody defines."""
    missing = []
    for module, name in OBJECT.findall(cells[3]):
        path = file_of(module)
        if path is None or name not in names_in(path):
            missing.append(f"{module}:{name}")
    for file, name in TEST.findall(cells[4]):
        path = ROOT / file
        if not path.is_file() or name not in names_in(path):
            missing.append(f"{file}::{name}")
    return missing


def test_every_control_stands_there_once_with_a_status() -> None:
    rows = table()
    assert list(rows) == CONTROLS
    assert {key: cells[2] for key, cells in rows.items() if cells[2] not in STATUSES} == {}
    assert [key for key, cells in rows.items() if not re.search(r"2nd|BG", cells[1])] == []


def test_what_is_met_names_an_object_and_a_test_and_what_is_not_says_what_is_missing() -> None:
    for key, cells in table().items():
        if cells[2] != "not yet":
            assert OBJECT.search(cells[3]) and TEST.search(cells[4]), key
        if cells[2] != "met":
            assert len(cells[5]) > 15, f"{key}: {cells[2]}, and no word on what is missing"


def test_every_object_and_every_test_named_exists() -> None:
    assert {key: missing for key, cells in table().items() if (missing := dangling(cells))} == {}


def test_a_wrong_name_would_be_found() -> None:
    cells = ["x", "2nd", "met", "`core.engine.kill:push`", "`tests/engine/test_kill.py::test_nothing`", ""]
    assert dangling(cells) == ["core.engine.kill:push", "tests/engine/test_kill.py::test_nothing"]
    assert dangling([*cells[:3], "`core.engine.kill:pull`", "", ""]) == []

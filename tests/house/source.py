"""Reading the tree for the house rules: files, their syntax trees, and nothing imported."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .sets import last

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("andon", "bus", "config", "core", "tui")


@functools.cache
def files(*folders: str) -> tuple[Path, ...]:
    """Python files below the folders, sorted; folders that do not exist yet have none."""
    return tuple(sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")))


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree, parsed once."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name(path: Path) -> str:
    """As a person would write it."""
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """(bare name of what is called, line) of every call."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            yield called, node.lineno


def functions(path: Path) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """(function, its length in lines) of every function, however nested."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1


def handlers(where: Path | ast.Module) -> Iterator[tuple[set[str], int]]:
    """(names of what is caught, line) of every ``except``; no names for a bare one."""
    for node in ast.walk(tree(where) if isinstance(where, Path) else where):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type] if node.type else []
            yield {last(kind) for kind in kinds}, node.lineno


def tracked() -> list[Path]:
    """Text files that a clone would hold: tracked, and new ones not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    paths = [ROOT / item for item in listed.split("\0") if item]
    text = (".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".cfg", ".sh", ".tcss", ".json", ".service")
    return [
        path for path in paths if path.is_file() and (path.suffix in text or path.name in {"Makefile", "run"})
    ]

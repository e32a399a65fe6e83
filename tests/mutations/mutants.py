"""The list of mutations, and how one is put in place: in memory, while its module is imported. The tree stays as it is.

No copy of the packages is made: numba keeps its cache by path, and a copy would compile every kernel again.
"""

from __future__ import annotations

import importlib.machinery
import sys
import tomllib
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("mutations.toml")


@dataclass(frozen=True)
class Mutation:
    """One thing broken in one place."""

    name: str
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...] = ()
    worlds: int = 0

    @property
    def module(self) -> str:
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def source(self) -> str:
        """The mutated text. Raises ValueError when the place is not there exactly once."""
        text = (ROOT / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: its place occurs {text.count(self.old)} times in {self.file}")
        return text.replace(self.old, self.new)


def mutations() -> list[Mutation]:
    rows = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutation"]
    return [Mutation(**(row | {"tests": tuple(row.get("tests", ()))})) for row in rows]


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, mutation: Mutation) -> None:
        super().__init__(fullname, path)
        self._mutation = mutation

    def get_code(self, fullname: str):  # no bytecode cache: neither read nor written
        return compile(self._mutation.source(), self.path, "exec", dont_inherit=True)


class Finder(MetaPathFinder):
    """Serves one mutated module; everything else is found as ever."""

    def __init__(self, mutation: Mutation) -> None:
        self._mutation = mutation
        self.served = False

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self._mutation.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None and spec.origin is not None
        spec.loader = _Loader(fullname, spec.origin, self._mutation)
        self.served = True
        return spec


def put_in_place(mutation: Mutation) -> Finder:
    """From now on importing its module gives the mutant; it must not have been imported yet."""
    assert mutation.module not in sys.modules, mutation.module
    finder = Finder(mutation)
    sys.meta_path.insert(0, finder)
    return finder

"""What an import loads, seen at run time: contracts read the static graph and cannot see this."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .source import ROOT, files

HEAVY = ("numpy", "numba", "pandas", "ccxt", "matplotlib", "pyarrow")


def loaded(statement: str) -> set[str]:
    """Top-level modules in ``sys.modules`` after ``statement`` in a fresh interpreter."""
    code = (
        f"import sys, json\n{statement}\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def modules(package: str) -> str:
    """One statement that imports every module of a package."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files(package)]
    return "import " + ", ".join(
        name.removesuffix(".__init__") for name in names if not name.endswith("__main__")
    )


def test_the_probe_sees_what_is_loaded() -> None:
    assert "numpy" in loaded("import numpy")


def test_the_console_loads_no_numbers() -> None:
    assert not loaded(modules("tui")) & {*HEAVY, "core"}


def test_the_bus_loads_no_numbers() -> None:
    assert not loaded(modules("bus")) & {*HEAVY, "core", "tui", "config", "textual"}


def test_configuration_loads_no_numbers() -> None:
    assert not loaded(modules("config")) & {*HEAVY, "core", "tui", "bus", "zmq", "textual"}


@pytest.mark.parametrize("module", ["andon", "andon.cli"])
def test_the_front_door_opens_without_numbers(module) -> None:
    assert not loaded(f"import {module}") & {*HEAVY, "textual"}

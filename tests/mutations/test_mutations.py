"""The suite can fail: every mutant of the stop path is caught by the part of it that is named for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .mutants import ROOT, mutations

ALL = mutations()


def test_the_list_is_what_it_says() -> None:
    assert len(ALL) >= 18 and len({m.name for m in ALL}) == len(ALL)
    assert all(m.why and bool(m.tests) != bool(m.worlds) for m in ALL)
    assert all((ROOT / path.partition("::")[0]).is_file() for m in ALL for path in m.tests)


@pytest.mark.parametrize("mutation", ALL, ids=lambda m: m.name)
def test_its_place_is_there(mutation) -> None:
    """Whoever moves the code moves the mutation along."""
    compile(mutation.source(), mutation.file, "exec")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_mutant_is_caught() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutations.run"], cwd=ROOT, capture_output=True, text=True
    )
    survivors = [line for line in done.stdout.splitlines() if line.startswith("SURVIVED")]
    assert survivors == [], done.stderr[-2000:]
    assert done.returncode == 0 and f"{len(ALL)} of {len(ALL)} caught" in done.stdout, done.stderr[-2000:]

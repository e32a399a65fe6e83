"""``python -m tests.mutations.probe NAME``: one mutant against its part of the suite. Exit 1 = caught, 0 = survived."""

from __future__ import annotations

import contextlib
import io
import sys

import pytest

from .mutants import ROOT, Mutation, mutations, put_in_place

CAUGHT, SURVIVED, USELESS = 1, 0, 3


def probe(mutation: Mutation) -> tuple[int, str]:
    """(exit code, what caught it)."""
    finder = put_in_place(mutation)
    caught = _worlds(mutation.worlds) if mutation.worlds else _tests(mutation.tests)
    if not finder.served:
        return USELESS, f"{mutation.module} was never imported"
    return (CAUGHT, caught) if caught else (SURVIVED, "")


def _worlds(count: int) -> str:
    from tests.sim.world import World

    for seed in range(count):
        try:
            World(seed).run()
        except AssertionError as error:
            return str(error)
    return ""


def _tests(paths: tuple[str, ...]) -> str:
    said = io.StringIO()
    arguments = [
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "--no-header",
        "--tb=line",
        *(str(ROOT / path) for path in paths),
    ]
    with contextlib.redirect_stdout(said):
        code = pytest.main(arguments)
    failed = [line for line in said.getvalue().splitlines() if line.startswith("FAILED")]
    if code == pytest.ExitCode.TESTS_FAILED:
        return failed[0] if failed else "a test"
    assert code == pytest.ExitCode.OK, said.getvalue()[-2000:]
    return ""


def main(arguments: list[str]) -> int:
    (name,) = arguments
    found = {mutation.name: mutation for mutation in mutations()}[name]
    code, text = probe(found)
    print(text[:300])
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

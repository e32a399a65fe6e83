"""`andon risk performance`: the keys others rely on, units for people, and one line for what cannot be."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from andon.cli import main

from .oracles_performance import file, numbers

KEYS = "n mean volatility sharpe sortino calmar cagr max_drawdown ulcer skew excess_kurtosis omega".split()


@pytest.fixture
def ran(capsys: pytest.CaptureFixture[str]):
    def run(*words: object) -> tuple[int, str, str]:
        code = main(["risk", "performance", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def write(folder: Path, text: str) -> Path:
    path = folder / "returns.csv"
    path.write_text(text)
    return path


def test_json_has_the_keys_and_the_numbers(ran) -> None:
    code, out, err = ran("--returns", file("BTC"), "--prices", "--periods-per-year", 365, "--json")
    found, theirs = json.loads(out), numbers()["series"]["BTC"]["empyrical"]
    assert code == 0 and err == "" and out.count("\n") == 1
    assert set(KEYS) <= found.keys() and found["column"] == "c" and found["n"] == 1317
    for key in ("sharpe", "sortino", "calmar", "cagr", "omega", "max_drawdown", "volatility"):
        assert found[key] == pytest.approx(theirs[key], rel=1e-9)


def test_a_column_is_chosen_and_what_was_left_out_is_said(ran) -> None:
    code, out, _ = ran(
        "--returns", file("FB"), "--prices", "--column", "FB", "--periods-per-year", 252, "--json"
    )
    found = json.loads(out)
    assert code == 0 and found["n"] == numbers()["series"]["FB"]["n"] and "left out" in found["notes"][0]


def test_people_get_units_and_a_mark_for_what_is_not_defined(ran, tmp_path: Path) -> None:
    path = write(tmp_path, "ret\n0.01\n0.02\n0.015\n")
    code, out, _ = ran("--returns", path, "--periods-per-year", 252)
    rows = dict(line.rsplit("  ", 1) for line in out.splitlines())
    cells = {name.strip(): value.strip() for name, value in rows.items()}
    assert code == 0 and cells["mean"] == "1.5000 %" and cells["n"] == "3" and cells["calmar"] == "?"


def test_not_defined_is_null_in_json(ran, tmp_path: Path) -> None:
    code, out, _ = ran("--returns", write(tmp_path, "ret\n0.01\n0.02\n"), "--periods-per-year", 252, "--json")
    assert code == 0 and json.loads(out)["omega"] is None


def test_rates_per_period_reach_the_measures(ran, tmp_path: Path) -> None:
    path = write(tmp_path, "ret\n0.01\n-0.02\n0.03\n0.005\n")
    words = ("--returns", path, "--periods-per-year", 1, "--mar", 0.01, "--risk-free", 0.005, "--json")
    found = json.loads(ran(*words)[1])
    assert found["downside_deviation"] == pytest.approx(math.sqrt((0.03**2 + 0.005**2) / 4))
    assert found["sharpe"] == pytest.approx((0.00625 - 0.005) / found["deviation"])


@pytest.mark.parametrize(
    ("text", "words", "code", "says"),
    [
        ("ret\n0.01\n", ["--periods-per-year", "252"], 1, "TOO_FEW_ROWS"),
        ("ret\n0.01\n\nx\n", ["--periods-per-year", "252"], 1, "BAD_CELL"),
        ("ret\n0.01\n-3\n", ["--periods-per-year", "252"], 1, "BELOW_MINUS_ONE"),
        ("c\n5\n5\n5\n", ["--prices", "--periods-per-year", "252"], 1, "CONSTANT_PRICES"),
        ("date,r\n2024-01-02,0.1\n2024-01-01,0.2\n", ["--periods-per-year", "252"], 1, "UNSORTED_DATES"),
        ("date,r\n2024-01-01,0.1\n2024-01-01,0.2\n", ["--periods-per-year", "252"], 1, "DUPLICATE_DATES"),
        ("ret\n0.01\n0.02\n", ["--periods-per-year", "0"], 2, "BAD_OPTION"),
        ("ret\n0.01\n0.02\n", ["--periods-per-year", "nan"], 2, "BAD_OPTION"),
        ("ret\n0.01\n0.02\n", ["--periods-per-year", "often"], 2, "not a number"),
        ("ret\n0.01\n0.02\n", [], 2, "--periods-per-year"),
        ("ret\n0.01\n0.02\n", ["--periods-per-year", "252", "--column", "rat"], 2, "NO_COLUMN"),
    ],
)
def test_bad_input_is_one_line(
    ran, tmp_path: Path, text: str, words: list[str], code: int, says: str
) -> None:
    ended, out, err = ran("--returns", write(tmp_path, text), *words)
    assert (ended, out) == (code, "") and says in err
    assert err.count("\n") == 1 and "Traceback" not in err


def test_no_such_file_is_one_line(ran, tmp_path: Path) -> None:
    code, _, err = ran("--returns", tmp_path / "none.csv", "--periods-per-year", 252)
    assert code == 2 and "none.csv" in err and err.count("\n") == 1

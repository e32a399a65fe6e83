"""`andon risk var` and `backtest`: real files as they are, odd files with one line that says what is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from andon import cli
from andon.commands.risk_var import METHODS, ROLLING
from core.analytics import backtest, var
from core.analytics.errors import RiskInputError
from core.analytics.series import load, load_panel, load_weights, simple_returns

from .oracles import FILES, STOCKS, data, returns


def andon(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = cli.main([str(word) for word in ("risk", *words)])
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    return code, said.out, said.err


def test_the_commands_methods_are_those_of_the_library() -> None:
    assert tuple(var.METHODS) == METHODS
    assert backtest.ROLLING == ROLLING


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["spy", "btc", "GOOG"])
def test_real_files_as_they_are(capsys: pytest.CaptureFixture[str], name: str, method: str) -> None:
    where = (data(FILES[name]),) if name in FILES else (data(STOCKS), "--column", name)
    code, out, _ = andon(
        capsys, "var", "--returns", *where, "--prices", "--alpha", "0.01", "--method", method, "--json"
    )
    row = json.loads(out)
    expected = var.value_at_risk(returns(name), 0.01, method)
    assert (code, row["n"], row["alpha"], row["method"]) == (0, len(returns(name)), 0.01, method)
    assert (row["var"], row["es"]) == (expected.var, expected.es)


def test_backtest_prints_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--returns", data(FILES["btc"]), "--prices", "--alpha", "0.01", "--window", "250")
    code, out, _ = andon(capsys, "--json", "backtest", *words)
    row = json.loads(out)
    assert code == 0
    assert (row["tests"], row["exceptions"], row["zone"]) == (1067, 15, "green")
    assert {"kupiec_lr", "kupiec_p", "independence_lr", "conditional_p", "es_z2"} <= row.keys()
    code, out, _ = andon(capsys, "backtest", *words)
    assert code == 0
    assert out.startswith("15 exceptions in 1,067 tests, 10.7 expected: zone green")


def test_a_portfolio_and_the_part_of_each_holding(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    book = tmp_path / "book.csv"
    book.write_text("name,weight\nAAPL,1000\nGE,-500\n")
    words = ("var", "--returns", data(STOCKS), "--prices", "--weights", book, "--alpha", "0.025")
    code, out, _ = andon(capsys, *words, "--json")
    row = json.loads(out)
    assert code == 0
    assert sum(part["es"] for part in row["components"]) == pytest.approx(row["es"], rel=1e-12)
    assert row["n"] == 7125
    assert "share" in andon(capsys, *words)[1]
    few = andon(capsys, *words[:-1], "0.0001", "--method", "normal", "--json")
    assert few[0] == 0  # a model's parts need no tail that was seen
    assert sum(part["share"] for part in json.loads(few[1])["components"]) == pytest.approx(1.0)
    assert "TAIL_TOO_THIN" in andon(capsys, *words[:-1], "0.0001")[2]


def write(folder: Path, text: str, name: str = "r.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


LINES = [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d},{0.001 * ((i * 7) % 13 - 6):.3f}" for i in range(120)]


def dated(*changes: tuple[int, str]) -> str:
    lines = list(LINES)
    for at, line in changes:
        lines[at] = line
    return "\n".join(["date,ret", *lines]) + "\n"


@pytest.mark.parametrize(("text", "code", "word"), [
    (dated((5, "2024-01-06,")), 1, "MISSING_VALUES"),
    (dated((119, "2024-05-08,")), 1, "MISSING_VALUES"),
    (dated((5, "2024-01-06,nan")), 1, "MISSING_VALUES"),
    (dated((5, "2024-01-06,inf")), 1, "NOT_FINITE"),
    (dated((5, "2024-01-06,1e999")), 1, "NOT_FINITE"),
    (dated((5, "2024-01-06,0.01x")), 1, "BAD_CELL"),
    (dated((5, "2024-01-05,0.01")), 1, "DUPLICATE_DATES"),
    (dated((5, "2023-01-05,0.01")), 1, "UNSORTED_DATES"),
    (dated((5, "soon,0.01")), 1, "BAD_DATE"),
    ("date,ret\n" + "".join(f"2024-01-{d:02d},0.01\n" for d in range(1, 29)), 1, "ZERO_VARIANCE"),
    ("date,ret\n" + "\n".join(LINES[:40]), 1, "TAIL_TOO_THIN"),
    ("date,ret\n", 1, "TOO_FEW_ROWS"),
    ("", 1, "BAD_FILE"),
    ("a,b\n1,2\n", 2, "NO_COLUMN"),
    ("a,a\n1,2\n", 1, "BAD_FILE"),
    ("a,b\n1,2,3\n\"", 1, "BAD_FILE"),
    ("\x00\x01\x02\n", 1, ""),
])  # fmt: skip
def test_bad_files_are_one_line(capsys, tmp_path: Path, text: str, code: int, word: str) -> None:
    ended = andon(capsys, "var", "--returns", write(tmp_path, text), "--alpha", "0.01")
    assert ended[0] == code
    assert ended[1] == ""
    assert len(ended[2].splitlines()) == 1
    assert word in ended[2]


@pytest.mark.parametrize(("prices", "code"), [
    ([100.0] * 50, "CONSTANT_PRICES"), ([1.0, 2.0], "TOO_FEW_ROWS"), ([1.0, 0.0, 2.0], "NOT_POSITIVE"),
    ([1.0, -1.0, 2.0], "NOT_POSITIVE"), ([1.0, np.nan, 2.0], "NOT_FINITE"),
])  # fmt: skip
def test_bad_prices_are_named(prices: list[float], code: str) -> None:
    with pytest.raises(RiskInputError) as caught:
        simple_returns(prices)
    assert caught.value.code == code


@pytest.mark.parametrize("words", [
    ("backtest",), ("backtest", "--returns", "x"), ("vra",), (), ("var", "--returns", "none.csv"),
    ("var", "--returns", "x", "--alpha", "0.99"), ("var", "--returns", "x", "--alpha", "nan"),
    ("var", "--returns", "x", "--method", "historic"), ("var", "--returns", "x", "--missing", "zero"),
])  # fmt: skip
def test_bad_usage_is_one_line_and_two(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    code, out, err = andon(capsys, *words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_without_a_file_a_running_core_is_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = andon(capsys, "var", "--data-dir", tmp_path)
    assert (code, out, len(err.splitlines())) == (3, "", 1)


def test_blanks_only_ever_go_on_purpose(tmp_path: Path) -> None:
    early = write(tmp_path, dated((0, "2024-01-01,"), (1, "2024-01-02,")))
    with pytest.raises(RiskInputError, match="2 rows have blanks"):
        load(early)
    listed = load(early, missing="listed")
    assert (len(listed.returns), listed.notes) == (118, ("2 rows before the first value left out",))
    hole = write(tmp_path, dated((50, "2024-02-23,")), "hole.csv")
    with pytest.raises(RiskInputError):
        load(hole, missing="listed")
    dropped = load(hole, missing="drop")
    assert (len(dropped.returns), dropped.notes) == (119, ("1 rows with blanks left out",))


def test_files_of_every_kind_are_the_same_series(tmp_path: Path) -> None:
    import pandas as pd

    plain = load(write(tmp_path, dated()))
    assert plain.name == "ret"
    assert plain.dates[0] == "2024-01-01"
    assert np.array_equal(load(write(tmp_path, dated(), "r.csv.gz")).returns, plain.returns)
    bare = "\n".join(line.split(",")[1] for line in LINES)
    assert np.array_equal(load(write(tmp_path, bare, "bare.csv")).returns, plain.returns)
    frame = pd.DataFrame({"ret": plain.returns}, index=pd.to_datetime(list(plain.dates)))
    frame.to_parquet(tmp_path / "r.parquet")
    assert np.array_equal(load(tmp_path / "r.parquet").returns, plain.returns)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(RiskInputError) as caught:
        load(tmp_path / "bad.parquet")
    assert caught.value.code == "BAD_FILE"


def test_prices_taken_for_returns_are_remarked_on(tmp_path: Path) -> None:
    text = "p\n" + "\n".join(str(100 + (i * 7) % 13) for i in range(200))
    assert "--prices" in load(write(tmp_path, text)).notes[0]
    assert load(write(tmp_path, text), prices=True).notes == ()


def test_a_panel_keeps_its_rows_together(tmp_path: Path) -> None:
    text = "date,a,b\n2024-01-01,1,\n2024-01-02,2,10\n2024-01-03,3,11\n2024-01-04,6,22\n"
    panel = load_panel(write(tmp_path, text), prices=True, missing="listed")
    assert (panel.names, panel.dates) == (("a", "b"), ("2024-01-03", "2024-01-04"))
    assert panel.returns == pytest.approx(np.array([[0.5, 0.1], [1.0, 1.0]]))


@pytest.mark.parametrize("text", ["", "name,weight\n", "a,1\na,2\n", "a,b,c\n", "a,nan\n", "x,1\ny,oops\n"])
def test_bad_weights_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RiskInputError):
        load_weights(write(tmp_path, text))

"""`andon risk tail`, `size`, and `var` of a running core: same numbers as the library, one line for what is wrong."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from andon.cli import main
from andon.errors import CliError, UsageError
from andon.risk_live import chosen
from core.analytics import covariance
from core.analytics.series import load_panel
from core.analytics.sizing import Caps, kelly
from core.analytics.tail import hill, pot

from .oracles import STOCKS, data, returns

PANEL = ("--returns", str(data(STOCKS)), "--prices")
NAMES = ("AAPL", "GE", "XOM")


def andon(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, list[dict[str, Any]], str]:
    code = main(["risk", *map(str, words), "--json"])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, [json.loads(line) for line in said.out.splitlines()], said.err


def test_the_tail_by_both_for_each_k(capsys: pytest.CaptureFixture[str]) -> None:
    x = returns("btc")
    code, rows, _ = andon(capsys, "tail", "--returns", data("btcusd_daily_coinbase_lean.csv.gz"), "--prices",
                          "--alpha", 0.005, "--k", 50, "--k", 100)  # fmt: skip
    assert code == 0
    for row in rows:
        by_hill, by_pot = hill(x, row["k"]), pot(x, 0.005, row["k"])
        assert (row["index"], row["xi_error"]) == (by_hill.index, by_hill.xi_error)
        assert (row["var"], row["es"], row["pot_xi"]) == (by_pot.var, by_pot.es, by_pot.xi)
    assert [row["k"] for row in rows] == [50, 100]


def test_kelly_of_several_assets_is_the_librarys(capsys: pytest.CaptureFixture[str]) -> None:
    panel = load_panel(data(STOCKS), NAMES, prices=True, missing="listed")
    expected = kelly(
        panel.returns.mean(axis=0),
        covariance.ledoit_wolf(panel.returns)[0],
        equity=1e5,
        samples=len(panel.returns),
        fraction=0.1,
        caps=Caps(concentration=0.25, leverage=5.0, order_value=math.inf),
    )
    code, (found,), _ = andon(capsys, "size", *PANEL, "--equity", 100_000, "--columns", ",".join(NAMES),
                              "--fraction", 0.1)  # fmt: skip
    assert code == 0
    assert [row["weight"] for row in found["assets"]] == pytest.approx(expected.weights.tolist(), rel=1e-12)
    assert [row["money"] for row in found["assets"]] == pytest.approx(
        (expected.weights * 1e5).tolist(), rel=1e-12
    )
    assert (found["shrinkage"], found["binding"]) == (expected.shrinkage, list(expected.binding))
    assert max(row["weight"] for row in found["assets"]) <= 0.25


def test_weights_scaled_to_a_volatility(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("name,weight\nAAPL,1\nGE,-0.5\n")
    words = ("size", *PANEL, "--equity", 1e5, "--weights", tmp_path / "w.csv", "--covariance", "sample")
    code, (found,), _ = andon(capsys, *words, "--target", 0.01)
    w = np.array([row["weight"] for row in found["assets"]])
    x = load_panel(data(STOCKS), ("AAPL", "GE"), prices=True, missing="listed").returns
    assert (code, found["volatility"], (x @ w).std(ddof=1)) == (0, pytest.approx(0.01), pytest.approx(0.01))
    assert w[0] == pytest.approx(-2.0 * w[1])
    _, (held,), _ = andon(capsys, *words, "--target", 10.0)
    assert (held["binding"], held["leverage"]) == (["leverage"], pytest.approx(5.0))


@pytest.mark.parametrize(("words", "code"), [
    (("size", *PANEL, "--equity", 1), 2),
    (("size", *PANEL, "--equity", 1, "--columns", "AAPL,AAPL"), 2),
    (("size", *PANEL, "--equity", 1, "--columns", "AAPL", "--means", "nan"), 1),
    (("size", *PANEL, "--equity", 1, "--columns", "AAPL", "--means", "0.1,0.2"), 2),
    (("size", *PANEL, "--equity", 1, "--columns", "AAPL", "--fraction", 2), 1),
    (("size", *PANEL, "--equity", 0, "--columns", "AAPL"), 2),
    (("size", *PANEL, "--equity", 1, "--target", 0.1), 2),
    (("tail", *PANEL, "--column", "AAPL", "--k", 4), 2),
    (("tail", *PANEL, "--column", "AAPL", "--k", 20, "--alpha", 0.01), 2),
    (("tail", *PANEL, "--column", "AAPL", "--alpha", 0.99), 2),
    (("var", "--weights", "w.csv"), 2),
])  # fmt: skip
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], words: tuple[object, ...], code: int
) -> None:
    found, rows, said = andon(capsys, *words)
    assert (found, rows, said.count("\n")) == (code, [], 1)


HELD = {
    "var": {"var": 10.0, "es": 12.0, "alpha": 0.01, "n": 300, "method": "historical", "note": "n=300",
            "methods": {"historical": [10.0, 12.0], "ewma": [8.0, 9.0], "student": "TOO_FEW_ROWS"}},
    "as_of_ns": {"var": 7}, "age_ms": {"var": 1.5},
}  # fmt: skip


def test_a_running_cores_var_by_another_method_and_never_at_another_alpha() -> None:
    assert chosen(HELD, None, None)["var"] == 10.0
    other = chosen(HELD, "ewma", 0.01)
    assert (other["var"], other["es"], other["method"], other["age_ms"]) == (8.0, 9.0, "ewma", 1.5)
    with pytest.raises(UsageError, match="one alpha"):
        chosen(HELD, None, 0.05)
    with pytest.raises(CliError, match="TOO_FEW_ROWS"):
        chosen(HELD, "student", None)
    nothing = HELD | {"var": HELD["var"] | {"var": None, "es": None, "methods": {}}}  # type: ignore[operator]
    assert chosen(nothing, "ewma", None)["var"] is None


@pytest.mark.parametrize("method", ["adwin", "kswin"])
def test_the_days_on_which_volatility_changed(capsys: pytest.CaptureFixture[str], method: str) -> None:
    words = ("drift", "--returns", data("spy_daily_lean.csv.gz"), "--prices", "--method", method)
    code, (found,), _ = andon(capsys, *words)
    years = {str(row["date"])[:4] for row in found["changes"]}
    assert code == 0 and {"2008", "2020"} <= years
    assert found["changes"][0]["value"] == abs(returns("spy")[found["changes"][0]["row"]])


def test_too_few_rows_are_refused_by_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("c\n100\n101\n99\n")
    words = ("--returns", tmp_path / "few.csv", "--prices")
    for command in (
        ("tail",),
        ("drift",),
        ("size", "--equity", 1, "--columns", "c"),
        ("var", "--method", "student"),
    ):
        code, rows, said = andon(capsys, *command, *words)
        assert (code, rows) == (1, []) and "TOO_FEW_ROWS" in said


@pytest.mark.parametrize("method", ["historical", "normal", "ewma"])
def test_parts_of_a_portfolio_sum_to_its_es(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, method: str
) -> None:
    (tmp_path / "w.csv").write_text("name,weight\nAAPL,1\nGE,-0.5\nXOM,2\n")
    words = ("var", *PANEL, "--weights", tmp_path / "w.csv", "--missing", "drop")
    _, (found,), _ = andon(capsys, *words, "--method", method)
    assert sum(part["es"] for part in found["components"]) == pytest.approx(found["es"], rel=1e-9)
    assert not any("parts are of" in note for note in found["notes"])
    _, (other,), _ = andon(capsys, *words, "--method", "student")
    assert any("parts are of the normal ES" in note for note in other["notes"])

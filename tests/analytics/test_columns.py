"""Columns of pandas and pyarrow in, rows out; neither is imported to find out what it was given."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.analytics import columns
from core.analytics.errors import RiskInputError
from core.analytics.performance import performance
from tests.analytics.test_cli_var import andon
from tests.cli.conftest import ROOT

PRICES = [100.0, 101.0, 99.0, 102.0, 103.0]
RETURNS = np.array(PRICES[1:]) / np.array(PRICES[:-1]) - 1.0


def test_every_kind_of_column_gives_the_same_returns() -> None:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    dated = pd.Series(PRICES, index=pd.date_range("2024-01-01", periods=5), name="BTC")
    kinds = [
        PRICES, np.array(PRICES), np.array(PRICES, dtype=np.float32), dated, pd.Series(PRICES, dtype="Float64"),
        pa.array(PRICES), pa.chunked_array([PRICES[:2], PRICES[2:]]), tuple(PRICES),
    ]  # fmt: skip
    for values in kinds:
        np.testing.assert_allclose(columns.series(values, prices=True).returns, RETURNS, rtol=1e-6)
    found = columns.series(dated, prices=True)
    assert found.name == "BTC"
    assert found.dates[0].startswith("2024-01-02")


def test_missing_is_missing_in_every_library_and_dropped_on_purpose_only() -> None:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    for values in (
        [1.0, np.nan, 2.0, 3.0],
        pd.Series([1, None, 2, 3], dtype="Int64"),
        pd.Series([1.0, None, 2.0, 3.0]),
        pa.array([1, None, 2, 3]),
    ):
        with pytest.raises(RiskInputError) as caught:
            columns.series(values)
        assert caught.value.code == "MISSING_VALUES"
        assert columns.series(values, missing="drop").returns.tolist() == [1.0, 2.0, 3.0]


def test_tables_of_every_kind_and_their_slips() -> None:
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    plain = {"a": PRICES, "b": PRICES[::-1]}
    for frame in (plain, pd.DataFrame(plain), pa.table(plain), pa.record_batch(plain)):
        found = columns.panel(frame, prices=True)
        assert found.names == ("a", "b")
        np.testing.assert_allclose(found.returns[:, 0], RETURNS)
    unsorted = pd.DataFrame(
        plain, index=pd.DatetimeIndex(["2024-01-02", "2024-01-01", "2024-01-03", "2024-01-04", "2024-01-05"])
    )
    twice = unsorted.set_axis(
        pd.DatetimeIndex(["2024-01-01", "2024-01-01", "2024-01-03", "2024-01-04", "2024-01-05"])
    )
    for frame, code in (
        (unsorted, "UNSORTED_DATES"),
        (twice, "DUPLICATE_DATES"),
        ({"a": [1.0, 2.0], "b": [1.0]}, "BAD_SHAPE"),
        ({}, "BAD_SHAPE"),
        ({"a": ["x", "y", "z"]}, "BAD_CELL"),
        ({"a": [1 + 2j, 2, 3]}, "BAD_CELL"),
        ({"a": [[1.0], [2.0]]}, "BAD_SHAPE"),
        (pd.DataFrame({"a": pd.date_range("2024-01-01", periods=3)}), "BAD_CELL"),
    ):
        with pytest.raises(RiskInputError) as caught:
            columns.panel(frame, prices=True)
        assert caught.value.code == code


def test_measures_take_a_pandas_column_as_it_is() -> None:
    pd = pytest.importorskip("pandas")
    assert performance(pd.Series(RETURNS), periods_per_year=252) == performance(RETURNS, periods_per_year=252)


def test_nothing_is_imported_to_look_at_a_list() -> None:
    code = (
        "import sys; from core.analytics import columns; columns.series([0.1, -0.2, 0.3]);"
        "columns.panel({'a': [0.1, 0.2], 'b': [0.3, 0.1]});"
        "assert not {'pandas', 'pyarrow', 'scipy'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".arrow", ".feather"])
def test_rows_are_written_and_read_again(tmp_path: Path, ending: str) -> None:
    pd = pytest.importorskip("pandas")
    path = tmp_path / f"rows{ending}"
    columns.write(
        path, [{"name": "a", "value": 1.5, "trips": ["x"]}, {"name": "b", "value": float("nan"), "more": 2}]
    )
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet}.get(ending, pd.read_feather)(path)
    assert read["name"].tolist() == ["a", "b"]
    assert read["value"].tolist()[0] == 1.5
    assert np.isnan(read["value"].tolist()[1])
    assert json.loads(read["trips"][0]) == ["x"]
    with pytest.raises(RiskInputError, match="ending"):
        columns.write(tmp_path / "rows.xls", [])


def test_the_commands_read_and_write_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"date": pd.date_range("2020-01-01", periods=400), "ret": rng.standard_normal(400) * 0.01}
    )
    for ending in ("parquet", "arrow"):
        source, out = tmp_path / f"r.{ending}", tmp_path / f"out.{ending}"
        getattr(frame, "to_parquet" if ending == "parquet" else "to_feather")(source)
        for words in (
            ("var", "--alpha", "0.05"),
            ("backtest", "--alpha", "0.05", "--window", "100"),
            ("performance", "--periods-per-year", "365"),
        ):
            code, text, err = andon(capsys, "--json", *words, "--returns", str(source), "--out", str(out))
            assert code == 0, err
            row = json.loads(text)
            kept = (pd.read_parquet if ending == "parquet" else pd.read_feather)(out).iloc[0]
            name = {"var": "var", "backtest": "exceptions", "performance": "sharpe"}[words[0]]
            assert kept[name] == pytest.approx(row[name])
    code, _, err = andon(
        capsys, "var", "--returns", str(source), "--alpha", "0.05", "--out", str(tmp_path / "x.doc")
    )
    assert code != 0
    assert "ending" in err


def test_coverage_of_every_method_is_a_table_and_a_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(5)
    path = tmp_path / "r.csv"
    rows = "\n".join(f"{v!r}" for v in (rng.standard_t(4, 420) * 0.01).tolist())
    path.write_text(f"ret\n{rows}\n")
    words = (
        "--returns",
        str(path),
        "--alpha",
        "0.05",
        "--window",
        "100",
        "--window",
        "200",
        "--method",
        "all",
    )

    code, out, err = andon(capsys, "--json", "backtest", *words, "--report", str(tmp_path / "page"))

    assert code == 0, err
    found = [json.loads(line) for line in out.splitlines()]
    assert {(row["method"], row["window"]) for row in found} == {
        (method, window)
        for method in ("historical", "normal", "student", "cornish_fisher", "ewma", "filtered_historical")
        for window in (100, 200)
    }
    page = Path(found[0]["report"]).read_text()
    assert page.count("<svg") == 3
    for row in found:
        assert f"<td>{row['method']}<td>{row['window']}<td>{row['tests']}<td>{row['exceptions']}" in page
    code, out, _ = andon(capsys, "backtest", *words)
    assert code == 0
    assert "filtered_historical" in out


@pytest.mark.parametrize(
    ("file", "column"), [("spy_daily_lean.csv.gz", "c"), ("btcusd_daily_coinbase_lean.csv.gz", "c")]
)
def test_coverage_on_the_real_series(file: str, column: str, tmp_path: Path) -> None:
    """What the report says of real closes: normal VaR fails everywhere, filtered historical keeps its rate."""
    data = ROOT / ".." / "shared" / "data" / file
    if not data.exists():
        pytest.skip("the real closes are not beside the project (../shared/data)")
    pytest.importorskip("matplotlib")
    from core.analytics.backtest import coverage
    from core.analytics.report_backtest import write_report
    from core.analytics.series import load

    series = load(data, column, prices=True)
    methods = ("historical", "normal", "ewma", "filtered_historical")
    found = coverage(series.returns, 0.01, (250, 500), methods)

    by = {(one.method, one.window): one for one in found}
    for window in (250, 500):
        assert by["normal", window].kupiec.p < 0.01
        assert by["normal", window].basel.zone == "red"
        assert by["filtered_historical", window].kupiec.p > 0.05
        assert by["filtered_historical", window].exceptions < by["ewma", window].exceptions
    page = write_report(tmp_path, series, found).read_text()
    assert page.count("<svg") == 3
    assert f"{len(series.returns):,} returns" in page

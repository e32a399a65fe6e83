"""Recorded markets: every tape opens, replays and says the same twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.kit import ROOT
from tests.tapes.rig import ask, replayed

pytestmark = pytest.mark.slow
DATA = ROOT.parent / "shared" / "data"
BTC = "trades_usdm_btcusdt_20240808.csv.gz"
ONE_SYMBOL = {"stocks_20_daily_pypfopt.csv": "a table with a price column for each symbol"}


def tape(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip("the recorded tapes of ../shared/data are not here")
    return path


def recorded() -> list[str]:
    """Names of every tape found; one stand-in that skips when there are none."""
    if not DATA.is_dir():
        return [BTC]
    return sorted(p.name for p in DATA.iterdir() if p.is_file() and p.suffix in {".gz", ".csv", ".parquet"})


@pytest.mark.parametrize("name", recorded())
def test_it_opens_and_replays(tmp_path: Path, name: str) -> None:
    path = tape(name)
    if name in ONE_SYMBOL:
        ended = ask(tmp_path, str(path))
        assert ended.code in {1, 2}
        assert ONE_SYMBOL[name] in ended.err
        assert len(ended.err.splitlines()) == 1
        return
    row = replayed(tmp_path, str(path), "--strategy", "hold")
    assert row["events"] > 1000
    assert row["bad_rows"] == 0
    assert row["equity_end"] == pytest.approx(
        row["equity_start"] + row["realized"] + row["unrealized"] - row["fees"] - row["funding"], rel=1e-9
    )


def test_the_same_tape_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    path = tape(BTC)
    first, second = (replayed(tmp_path, str(path), "--strategy", "momentum") for _ in range(2))
    assert first["fills"] > 0
    for row in (first, second):
        del row["seconds"], row["events_per_s"]
    assert first == second


def test_another_size_is_another_story(tmp_path: Path) -> None:
    """The digest is of something: it changes when what is done changes."""
    path = tape(BTC)
    sizes = ("10000", "20000")
    one, two = (replayed(tmp_path, str(path), "--strategy", "momentum", "--notional", n) for n in sizes)
    assert one["digest"] != two["digest"]

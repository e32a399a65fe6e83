"""Numbers that other libraries gave for the same files (make.py), and the files' returns."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from core.analytics.series import Floats, Panel, load, load_panel

HERE = Path(__file__).parent
DATA = HERE.parents[3] / "shared" / "data"
FILES = {"spy": "spy_daily_lean.csv.gz", "btc": "btcusd_daily_coinbase_lean.csv.gz"}
STOCKS = "stocks_20_daily_pypfopt.csv"


@functools.cache
def recorded() -> Any:
    return json.loads((HERE / "recorded.json").read_text())


def data(file: str) -> Path:
    """A market data file, or a skip that says which is missing."""
    if not (DATA / file).is_file():
        pytest.skip("market data is not beside the project (../shared/data)")
    return DATA / file


@functools.cache
def returns(name: str) -> Floats:
    """Returns of ``spy``, ``btc`` or a stock's closes."""
    if name in FILES:
        return load(data(FILES[name]), prices=True).returns
    return load(data(STOCKS), name, prices=True, missing="listed").returns


@functools.cache
def stocks() -> Panel:
    """All twenty stocks over the days that all of them traded."""
    return load_panel(data(STOCKS), prices=True, missing="drop")

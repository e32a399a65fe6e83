"""Where a real core's money came from: while it runs, after it has ended, and with days that have closed."""

from __future__ import annotations

import pytest

from andon.commands.pnl import CUTS
from tests.live.kit import Home, assert_one_line, until

pytestmark = pytest.mark.slow


def test_every_cut_adds_up_while_it_trades_and_from_its_journal_when_it_has_ended(home: Home) -> None:
    with home.core() as core:
        until(lambda: home.json("pnl")["rows"].get("fees"), "a first fee", 30.0)
        for by in CUTS:
            identity = home.json("pnl", "--by", by)["identity"]
            assert identity["exact"] and abs(identity["residual"]) <= identity["residual_bound"] < 1e-4, by
        shown = home.ask("pnl", "--by", "strategy")
        assert shown.code == 0 and "sum of the rows" in shown.out and "residual" in shown.out
        for by in ("strategy", "symbol", "day"):
            early = home.json("risk", "performance", "--by", by, "--periods-per-year", "365")
            assert early["so_far"][-1]["name"] == "account" and early["days"] == 0
        assert core.end() == 0, core.complaint()
    last = home.json("pnl", "--journal", str(home.folder), "--by", "symbol")
    assert last["identity"]["exact"] and last["rows"] and last["parts"]
    missing = home.ask("pnl", "--journal", str(home.place / "nothing"))
    assert_one_line(missing, 1)

"""One order for cost analysis, made by hand."""

from __future__ import annotations

from typing import Any

from core.analytics.tca_trade import Child, Execution, Interval, Trade


def trade(**named: Any) -> Trade:
    """A buy of 10 at 100, filled whole at 101 by a taker and a maker, against a tape of 90 at 102."""
    fills = [
        Execution(ts_ns=2, cl_ord_id="c", venue="v", symbol="S", qty=4.0, px=101.0, fee=0.4, maker=False, mid=100.0, mid_later=100.5),
        Execution(ts_ns=3, cl_ord_id="c", venue="v", symbol="S", qty=6.0, px=101.0, fee=-0.1, maker=True, mid=101.5, mid_later=102.0),
    ]  # fmt: skip
    whole = Trade(
        id="p", algo="twap", symbol="S", sign=1, strategy="s", purpose="ALGO", qty=10.0, created_ns=1, start_ns=1,
        ended_ns=4, status="DONE", decision_px=99.0, arrival_px=100.0, end_px=103.0, after_px=100.0, settle_ccy="USDT",
        rate=1.0, intervals=[Interval(symbol="S", volume_qty=90.0, turnover=90.0 * 102.0)], fills=fills,
        children=[Child(cl_ord_id="c", venue="v", symbol="S", kind="limit", qty=10.0, sent_ns=1, touch=100.5, ack_ns=2_000_001, status="FILLED")],
    )  # fmt: skip
    for name, value in named.items():
        setattr(whole, name, value)
    return whole

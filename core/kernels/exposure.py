"""Worst-case exposure after one more order, every working order counted as if it filled."""

from __future__ import annotations

from core.kernels._jit import kernel
from core.kernels.tables import Table


@kernel
def worst_case(
    instrument: int,
    extra_buy_lots: int,
    extra_sell_lots: int,
    instruments: Table,
    markets: Table,
    positions: Table,
    currencies: Table,
) -> tuple[float, float, float, float]:
    """Return (worst value of ``instrument``, gross, worst |net|, margin) if all that could fill does; account currency.

    Per instrument the worse of "all buys fill" and "all sells fill" counts; net is the larger of the account
    leaning fully long or fully short. nan where a needed mark or rate is missing, so that a comparison fails.
    """
    qty, buys, sells = positions["qty_lots"], positions["work_buy_lots"], positions["work_sell_lots"]
    mark, lot_value, inverse = markets["mark_px"], instruments["lot_value"], instruments["inverse"]
    rate, settle, margin_rate = currencies["rate"], instruments["settle"], instruments["margin_rate"]
    own, gross, net_long, net_short, margin = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(qty)):
        high = qty[i] + buys[i]
        low = qty[i] - sells[i]
        if i == instrument:
            high += extra_buy_lots
            low -= extra_sell_lots
        if high == 0 and low == 0:
            continue
        if mark[i] <= 0.0:
            return float("nan"), float("nan"), float("nan"), float("nan")
        lot = lot_value[i] / mark[i] if inverse[i] else lot_value[i] * mark[i]
        lot *= rate[settle[i]]
        value = max(abs(high), abs(low)) * lot
        gross += value
        margin += value * margin_rate[i]
        net_long += high * lot
        net_short += low * lot
        if i == instrument:
            own = value
    return own, gross, max(abs(net_long), abs(net_short)), margin

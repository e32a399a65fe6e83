"""The simulated venue's own books: positions, cash flows, fees and funding, by a method of its own.

The engine values positions by average cost. This ledger does not: it books what each trade pays and receives, and
adds what the position is worth now. Linear: a lot is worth ``lot_size * price``. Inverse: profit is
``n (cv / entry - cv / exit)``, so a lot is worth ``-lot_size * contract_value / price`` up to a constant.
Two methods that must agree make a check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bus.instruments import InstrumentSpec


class Ledger:
    """Positions in lots by instrument; money by settlement currency."""

    def __init__(self, specs: Sequence[InstrumentSpec], cash: Mapping[str, float]) -> None:
        self._specs = specs
        self.positions = [0] * len(specs)
        self.cash: dict[str, float] = {spec.settle: 0.0 for spec in specs} | dict(cash)
        self.fees: dict[str, float] = dict.fromkeys(self.cash, 0.0)

    def worth(self, instrument: int, price: float) -> float:
        """What holding one lot adds to equity at ``price`` (quote), settle currency, up to a constant."""
        spec = self._specs[instrument]
        value = spec.lot_value(price)
        return -value if spec.inverse else value

    def trade(self, instrument: int, signed_lots: int, price: float, maker: bool) -> float:
        """Book one execution at ``price`` (quote); returns the fee, settle currency, positive = paid."""
        spec = self._specs[instrument]
        rate = spec.fee_rate_maker if maker else spec.fee_rate_taker
        fee = rate * abs(signed_lots) * spec.lot_value(price)
        self.positions[instrument] += signed_lots
        self.cash[spec.settle] -= signed_lots * self.worth(instrument, price) + fee
        self.fees[spec.settle] += fee
        return fee

    def fund(self, instrument: int, rate: float, price: float) -> None:
        """Longs pay ``rate`` of their exposure when it is positive, shorts receive it."""
        spec = self._specs[instrument]
        self.cash[spec.settle] -= rate * self.positions[instrument] * spec.lot_value(price)

    def closable(self, instrument: int, sign: int) -> int:
        """Lots an order of this ``sign`` may trade and only reduce."""
        return max(0, -sign * self.positions[instrument])

    def equity(self, prices: Sequence[float]) -> dict[str, float]:
        """Cash and positions at ``prices`` (quote, by instrument; 0 = unpriced, skipped), by settlement currency."""
        total = dict(self.cash)
        for i, (lots, price) in enumerate(zip(self.positions, prices, strict=True)):
            if lots and price > 0:
                total[self._specs[i].settle] += lots * self.worth(i, price)
        return total

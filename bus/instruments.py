"""What an instrument is: the static facts that engine, gate, venues and tapes agree on.

Prices are integers of `tick_size`, quantities integers of `lot_size`. A linear contract settles in its
quote currency and is worth ``lots * lot_size * price``; an inverse one is ``contract_value`` quote
units a lot and settles in the base currency, worth ``lots * contract_value / price``.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec


class InstrumentSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the catalogue; its index in the catalogue is its id everywhere inside the core."""

    symbol: str  # "BTC/USDT"
    venue: str = "sim"
    base: str = ""
    quote: str = "USDT"
    settle: str = "USDT"
    inverse: bool = False
    tick_size: float = 0.01  # quote per tick
    lot_size: float = 0.001  # base units per lot (linear); contracts per lot (inverse)
    contract_value: float = 1.0  # quote units per contract, inverse only
    qty_lots_min: int = 1
    qty_lots_max: int = 100_000_000
    notional_min: float = 0.0  # settle currency
    margin_rate: float = 0.10  # margin required, fraction of exposure
    fee_rate_maker: float = 0.0002  # fraction of notional
    fee_rate_taker: float = 0.0005
    fx_for: str = ""  # the currency whose rate in account currency this instrument's mark gives

    def qty_of(self, lots: int) -> float:
        """Base units (contracts for inverse) of ``lots``, without the dust of binary fractions."""
        return round(lots * self.lot_size, decimals(self.lot_size))

    def price_of(self, ticks: int) -> float:
        """Price of ``ticks``, quote, without the dust of binary fractions."""
        return round(ticks * self.tick_size, decimals(self.tick_size))

    def lot_value(self, price: float) -> float:
        """Value of one lot at ``price``, settle currency."""
        if self.inverse:
            return self.lot_size * self.contract_value / price
        return self.lot_size * price


@lru_cache(maxsize=1024)
def decimals(step: float) -> int:
    """How many decimals print a multiple of ``step`` exactly (0.01 -> 2)."""
    text = f"{step:.12f}".rstrip("0")
    return len(text.partition(".")[2])

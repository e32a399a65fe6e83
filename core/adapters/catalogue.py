"""The embedded catalogue: instruments of the paper market, with how each moves. Invented, but of realistic size.

Three settlement currencies are here on purpose: USDT, BTC (an inverse perpetual) and EUR, with the instruments whose
marks give the rates of BTC and EUR.

With two venues the second, ``sim2``, lists the three largest again, as ``BTC/USDT@sim2``: cheaper to take from, wider,
deeper, in coarser lots and ticks, at a price that wanders a little around the first venue's. Its place is behind all
others, so the instrument ids of the first venue do not depend on it.
"""

from __future__ import annotations

import msgspec

from bus.instruments import InstrumentSpec


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """How the embedded market moves an instrument."""

    spec: InstrumentSpec
    price: float  # quote, at the start
    coin: str  # the component it shares with others of the same coin
    beta: float = 1.0  # loading on the common factor
    vol: float = 0.4  # of the coin's own component, a year, calm
    euro: float = 0.0  # loading on the euro's rate
    spread_bps: float = 1.0  # of price, calm
    depth: float = 20_000.0  # quote, displayed at the best
    weight: float = 1.0  # share of the ticks
    noise_bps: float = 0.0  # standard deviation of each quote around the component's price
    offset_bps: float = 0.0  # of price, always


def _coin(
    base: str, price: float, tick: float, lot: float, beta: float, vol: float, weight: float
) -> Listing:
    spec = InstrumentSpec(
        symbol=f"{base}/USDT",
        base=base,
        tick_size=tick,
        lot_size=lot,
        notional_min=5.0,
        fx_for=base * (base == "BTC"),
    )
    return Listing(spec=spec, price=price, coin=base, beta=beta, vol=vol, weight=weight, spread_bps=1.0 + vol)


_EURO = InstrumentSpec(
    symbol="EUR/USDT",
    base="EUR",
    tick_size=0.0001,
    lot_size=0.1,
    notional_min=5.0,
    margin_rate=0.05,
    fx_for="EUR",
)
_ETH_EUR = InstrumentSpec(
    symbol="ETH/EUR", base="ETH", quote="EUR", settle="EUR", tick_size=0.01, lot_size=0.0001, notional_min=5.0
)
_BTC_INVERSE = InstrumentSpec(
    symbol="BTC/USD:BTC",
    base="BTC",
    quote="USD",
    settle="BTC",
    inverse=True,
    tick_size=0.1,
    lot_size=1.0,
    contract_value=100.0,
)

LISTINGS: tuple[Listing, ...] = (
    _coin("BTC", 61_800.0, 0.01, 0.00001, 1.0, 0.20, 5.0),
    _coin("ETH", 2_680.0, 0.01, 0.0001, 1.15, 0.30, 4.0),
    _coin("SOL", 155.0, 0.01, 0.001, 1.35, 0.50, 3.0),
    _coin("BNB", 515.0, 0.1, 0.001, 0.85, 0.25, 1.0),
    _coin("XRP", 0.605, 0.0001, 0.1, 0.95, 0.45, 1.5),
    _coin("ADA", 0.345, 0.0001, 0.1, 1.2, 0.45, 1.0),
    _coin("DOGE", 0.104, 0.00001, 1.0, 1.3, 0.55, 1.5),
    _coin("AVAX", 22.4, 0.01, 0.01, 1.35, 0.50, 1.0),
    _coin("LINK", 10.6, 0.01, 0.01, 1.25, 0.45, 1.0),
    _coin("DOT", 4.75, 0.001, 0.01, 1.2, 0.40, 1.0),
    _coin("LTC", 61.5, 0.01, 0.001, 0.9, 0.35, 1.0),
    _coin("UNI", 6.2, 0.001, 0.01, 1.2, 0.55, 1.0),
    Listing(spec=_EURO, price=1.092, coin="EUR", beta=0.0, vol=0.0, euro=1.0, spread_bps=1.0, weight=0.5),
    Listing(spec=_ETH_EUR, price=2_680.0 / 1.092, coin="ETH", beta=1.15, vol=0.30, euro=-1.0, spread_bps=2.0),
    Listing(spec=_BTC_INVERSE, price=61_800.0, coin="BTC", vol=0.20, spread_bps=0.5, weight=2.0),
)


SECOND_VENUE, SECOND_COINS = "sim2", ("BTC", "ETH", "SOL")


def _again(first: Listing) -> Listing:
    """The same thing at the second venue."""
    spec = msgspec.structs.replace(
        first.spec,
        symbol=f"{first.spec.symbol}@{SECOND_VENUE}",
        venue=SECOND_VENUE,
        tick_size=first.spec.tick_size * 10,
        lot_size=round(first.spec.lot_size * 10, 8),
        fee_rate_maker=0.00015,
        fee_rate_taker=0.00045,
        fx_for="",
    )
    return msgspec.structs.replace(
        first,
        spec=spec,
        spread_bps=first.spread_bps * 1.8,
        depth=first.depth * 1.5,
        weight=first.weight * 0.8,
        noise_bps=0.5,
        offset_bps=0.2,
    )


SECOND_LISTINGS = tuple(_again(listing) for listing in LISTINGS[: len(SECOND_COINS)])
EVERYWHERE = {listing.spec.symbol: listing for listing in (*LISTINGS, *SECOND_LISTINGS)}


def embedded_catalogue(venues: int = 1) -> tuple[InstrumentSpec, ...]:
    """The paper market's instruments at one or two venues; a row's place is its instrument id."""
    listings = LISTINGS if venues == 1 else (*LISTINGS, *SECOND_LISTINGS)
    return tuple(listing.spec for listing in listings)


def listing_of(spec: InstrumentSpec) -> Listing:
    """How ``spec`` moves: as listed here, or like a coin of its own at a price of 100."""
    if listing := EVERYWHERE.get(spec.symbol):
        return listing
    return Listing(spec=spec, price=100.0, coin=spec.symbol)

"""Which instruments trade the same thing at different venues, and how their lots and ticks convert. Pure."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from bus.instruments import InstrumentSpec


class Peer(NamedTuple):
    """One instrument as seen from another that trades the same thing (or from itself)."""

    instrument: int
    lots: int  # lots of the one looked from in one lot of this one
    ticks: Fraction  # ticks of the one looked from in one tick of this one


def peers_of(specs: tuple[InstrumentSpec, ...]) -> tuple[tuple[Peer, ...], ...]:
    """For each instrument itself and then, by id, what trades the same thing at another venue in convertible lots.

    The same thing is: base, quote, settlement and contract (what a symbol says after a colon: a perpetual is not the
    spot it is named after), linear. A lot at the other venue must be a whole number of lots here, else what fills
    there could not be counted here. One instrument a venue: the first.
    """
    alike: dict[tuple[str, ...], list[int]] = {}
    for i, spec in enumerate(specs):
        if spec.base and not spec.inverse:
            alike.setdefault(_thing(spec), []).append(i)
    return tuple(_seen_from(i, specs, alike.get(_thing(spec), [])) for i, spec in enumerate(specs))


def _thing(spec: InstrumentSpec) -> tuple[str, ...]:
    contract = spec.symbol.partition("@")[0].partition(":")[2]
    return spec.base, spec.quote, spec.settle, contract


def _seen_from(i: int, specs: tuple[InstrumentSpec, ...], alike: list[int]) -> tuple[Peer, ...]:
    own = specs[i]
    found, venues = [Peer(i, 1, Fraction(1))], {own.venue}
    for j in alike if not own.inverse else []:
        other = specs[j]
        lots = _exact(other.lot_size) / _exact(own.lot_size)
        if other.venue not in venues and lots.denominator == 1:
            venues.add(other.venue)
            found.append(Peer(j, int(lots), _exact(other.tick_size) / _exact(own.tick_size)))
    return tuple(found)


def _exact(step: float) -> Fraction:
    """The decimal that was meant by a binary fraction."""
    return Fraction(f"{step:.12f}")

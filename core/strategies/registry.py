"""The worked strategies by name. Errors are one line: what, why, what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from bus.instruments import InstrumentSpec
from core.strategies.base import Strategy
from core.strategies.common import Worked
from core.strategies.hold import Hold
from core.strategies.maker import Maker
from core.strategies.mean_reversion import MeanReversion
from core.strategies.momentum import Momentum

KINDS: dict[str, type[Worked]] = {
    "hold": Hold,
    "momentum": Momentum,
    "mean_reversion": MeanReversion,
    "maker": Maker,
}


def make(
    kind: str,
    id: str,
    specs: Sequence[InstrumentSpec],
    symbols: Sequence[str],
    notional: float,
    kelly_fraction: float = 0.5,
    params: Mapping[str, float] | None = None,
) -> Strategy:
    """A strategy ``kind`` named ``id`` on ``symbols`` of the catalogue (none named = all of it).

    ``notional`` is the most it holds of each symbol, account currency; ``kelly_fraction`` in (0, 1]. Raises ValueError.
    """
    if kind not in KINDS:
        raise ValueError(f"no strategy {kind!r}: there are {', '.join(KINDS)}")
    if not (math.isfinite(notional) and notional > 0.0):
        raise ValueError(f"strategy {id}: notional {notional} is not a positive amount in account currency")
    if not 0.0 < kelly_fraction <= 1.0:
        raise ValueError(
            f"strategy {id}: kelly_fraction {kelly_fraction} is outside (0, 1]; 0.5 is half Kelly"
        )
    given = dict(params or {})
    _check(kind, id, given)
    return KINDS[kind](id, _ids(id, specs, symbols), notional, kelly_fraction, given)


def _ids(id: str, specs: Sequence[InstrumentSpec], symbols: Sequence[str]) -> tuple[int, ...]:
    """Instrument ids of ``symbols``, each once, in the order given."""
    where: dict[str, int] = {}
    for i, spec in enumerate(specs):
        where.setdefault(spec.symbol, i)  # a symbol on several venues is the first one's
    unknown = [symbol for symbol in symbols if symbol not in where]
    if unknown:
        raise ValueError(f"strategy {id}: no instrument {', '.join(unknown)}; there are {', '.join(where)}")
    return tuple(dict.fromkeys(where[symbol] for symbol in symbols)) if symbols else tuple(range(len(specs)))


def _check(kind: str, id: str, params: Mapping[str, float]) -> None:
    known = KINDS[kind].PARAMS
    for name, value in params.items():
        if name not in known:
            raise ValueError(f"strategy {id}: {kind} has no parameter {name!r}: it has {', '.join(known)}")
        if not known[name].least <= value <= known[name].most:
            raise ValueError(
                f"strategy {id}: {name} = {value} is outside {known[name].least:g} to {known[name].most:g}"
            )

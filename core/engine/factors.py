"""What the market explains: the price part by factor, sample by sample.

At each sample the marks since the last one give the factors' returns; what was held then, times its betas (from the
window of samples before, never from the interval itself), times those returns is what each factor explains of the
price part. It is posted in whole ledger units. What no factor explains is *idiosyncratic*: the price part less the
factors, by subtraction, so this cut sums like every other. Trades inside an interval are in there too.

Factors: ``market`` (the benchmark, or all instruments equally weighted) and the configured baskets.
"""

from __future__ import annotations

import numpy as np

from core.engine.attribution import rows_of
from core.engine.config import SECOND_NS
from core.engine.state import State
from core.kernels.factors import betas, factor_returns
from core.kernels.tables import Table

MARKET = "market"
REST = "idiosyncratic"


def names(state: State) -> tuple[str, ...]:
    """The factors, the market first; none when sampling is off."""
    config = state.config.attribution
    return (MARKET, *config.factors) if config.sample_s > 0 else ()


def on_boot(state: State) -> None:
    """Set the first appointment; samples of another list of instruments or of before a long pause are of no use."""
    ledger, config = state.cold.ledger, state.config.attribution
    if any(len(row) != 8 * len(state.specs) for row in (*ledger.samples, ledger.exposure) if row):
        ledger.samples, ledger.exposure = [], b""
    if config.sample_s > 0:
        _appoint(state)


def _appoint(state: State) -> None:
    every_ns = max(int(state.config.attribution.sample_s * SECOND_NS), SECOND_NS)
    state.timer((state.cold.now_ns // every_ns + 1) * every_ns, "factor")


def on_timer(state: State) -> None:
    """One sample, when there was a tick since the last: post what the factors explain, look at the exposures anew."""
    _appoint(state)
    ledger, ticks = state.cold.ledger, int(state.account["ticks"][0])
    if not ledger.begun or ticks == ledger.sampled_ticks:
        return
    for name, amount in explained(state).items():
        ledger.factors[name] = amount
    ledger.sampled_ticks = ticks
    ledger.samples.append(state.markets["mark_px"].tobytes())
    if len(ledger.samples) > state.config.attribution.window + 1:
        del ledger.samples[0]
    rate = state.currencies["rate"][state.instruments["settle"]]
    exposure = state.positions["exposure"] * rate
    ledger.exposure = np.where(np.isfinite(exposure), exposure, 0.0).tobytes()


def explained(state: State) -> dict[str, int]:
    """What each factor explains until now, ledger units: as posted, and what it does since the last sample."""
    ledger, wanted = state.cold.ledger, names(state)
    found = {name: ledger.factors.get(name, 0) for name in wanted}
    if not (ledger.samples and ledger.exposure and wanted):
        return found
    exposure = np.frombuffer(ledger.exposure)
    if not exposure.any():
        return found
    moves = np.zeros(len(wanted))
    factor_returns(_last(state), state.markets["mark_px"].copy(), weights(state), moves)
    amounts = np.rint((exposure @ betas_of(state)) * moves * rows_of(state).units)
    for name, amount in zip(wanted, amounts.tolist(), strict=True):
        found[name] += int(amount) if abs(amount) < 2.0**62 else 0
    return found


def _last(state: State) -> Table:
    return np.frombuffer(state.cold.ledger.samples[-1])


def betas_of(state: State) -> Table:
    """Betas f8[instruments, factors] from the window of samples; computed once a sample."""
    ledger, rows = state.cold.ledger, rows_of(state)
    if rows.betas is None or rows.betas[0] != ledger.sampled_ticks:
        n = len(state.specs)
        prices = np.frombuffer(b"".join(ledger.samples)).reshape(len(ledger.samples), n)
        out = np.zeros((n, len(names(state))))
        betas(prices, weights(state), state.config.attribution.need, out)
        rows.betas = (ledger.sampled_ticks, out)
    return rows.betas[1]


def weights(state: State) -> Table:
    """Baskets f8[factors, instruments]; a symbol that is not in the catalogue has no weight."""
    rows = rows_of(state)
    if rows.baskets is None:
        rows.baskets = _weights(state)
    return rows.baskets


def _weights(state: State) -> Table:
    config = state.config.attribution
    baskets = [(config.benchmark,) if config.benchmark in state.ids else tuple(state.ids)]
    baskets += list(config.factors.values())
    table = np.zeros((len(baskets), len(state.specs)))
    for f, basket in enumerate(baskets):
        for symbol in basket:
            if symbol in state.ids:
                table[f, state.ids[symbol]] = 1.0
    return table

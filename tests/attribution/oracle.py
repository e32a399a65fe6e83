"""The same accounts by plain Python and fractions: no rounding anywhere, no table, no kernel."""

from __future__ import annotations

from fractions import Fraction

from bus.instruments import InstrumentSpec


def exact(value: float) -> Fraction:
    """A float as the decimal it was written as: 0.01 is 1/100."""
    return Fraction(repr(value))


def lot_worth(spec: InstrumentSpec, price: Fraction) -> Fraction:
    """What one lot adds to equity at ``price``, settle, up to a constant."""
    if spec.inverse:
        return -exact(spec.lot_size) * exact(spec.contract_value) / price
    return exact(spec.lot_size) * price


class Books:
    """Cash flows and positions of one account; equity in account currency at given marks and rates."""

    def __init__(self, specs: tuple[InstrumentSpec, ...], cash: dict[str, float]) -> None:
        self.specs = specs
        self.cash = {name: exact(amount) for name, amount in cash.items()}
        self.lots = [0] * len(specs)

    def trade(self, i: int, lots: int, ticks: int, fee: float) -> None:
        spec = self.specs[i]
        paid = lots * lot_worth(spec, ticks * exact(spec.tick_size)) + exact(fee)
        self.cash[spec.settle] = self.cash.get(spec.settle, Fraction(0)) - paid
        self.lots[i] += lots

    def fund(self, i: int, rate: float, mark: Fraction) -> None:
        spec = self.specs[i]
        value = abs(lot_worth(spec, mark))
        self.cash[spec.settle] -= exact(rate) * self.lots[i] * value

    def equity(self, marks: list[Fraction], rates: dict[str, Fraction]) -> Fraction:
        total = sum((rates[name] * amount for name, amount in self.cash.items()), Fraction(0))
        for i, lots in enumerate(self.lots):
            if lots:
                total += rates[self.specs[i].settle] * lots * lot_worth(self.specs[i], marks[i])
        return total


def regression(moves: list[list[Fraction]], factors: list[list[Fraction]]) -> list[list[Fraction]]:
    """Joint least squares with an intercept: for each column of ``moves`` its betas to the columns of ``factors``."""
    w, k = len(factors), len(factors[0])
    means = [sum(row[f] for row in factors) / w for f in range(k)]
    centred = [[row[f] - means[f] for f in range(k)] for row in factors]
    cross = [[sum(row[a] * row[b] for row in centred) for b in range(k)] for a in range(k)]
    return [
        _solved(cross, [sum(centred[t][f] * moves[t][i] for t in range(w)) for f in range(k)])
        for i in range(len(moves[0]))
    ]


def _solved(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """Gauss-Jordan without rounding."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for a in range(len(rows)):
        pivot = next(r for r in range(a, len(rows)) if rows[r][a])
        rows[a], rows[pivot] = rows[pivot], rows[a]
        rows[a] = [x / rows[a][a] for x in rows[a]]
        for r in range(len(rows)):
            if r != a:
                rows[r] = [x - rows[r][a] * y for x, y in zip(rows[r], rows[a], strict=True)]
    return [row[-1] for row in rows]

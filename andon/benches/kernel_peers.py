"""The same portfolio written twice more: plain Python over lists, and numpy over whole columns at every tick.

Both do what the batch kernel does for a quoted tick (mark, value, sum, peak, six tests), without its form checks, and
both must arrive at its equity: a peer that computes something else proves nothing.
"""

from __future__ import annotations

import numpy as np

from core.kernels.tables import Table


class PythonBook:
    """Incremental, on lists of floats: the fastest plain Python there is."""

    def __init__(
        self, instruments: Table, _markets: Table, positions: Table, currencies: Table, account: Table
    ) -> None:
        self.tick_size: list[float] = instruments["tick_size"].tolist()
        self.inverse: list[int] = instruments["inverse"].tolist()
        self.margin_rate: list[float] = instruments["margin_rate"].tolist()
        self.settle: list[int] = instruments["settle"].tolist()
        self.fx: list[int] = instruments["fx_currency"].tolist()
        self.value: list[float] = (positions["qty_lots"] * instruments["lot_value"]).tolist()
        sign = np.sign(positions["qty_lots"])
        self.cost: list[float] = (sign * positions["cost"]).tolist()
        self.exposure: list[float] = positions["exposure"].tolist()
        self.unrealized: list[float] = positions["unrealized"].tolist()
        self.loss_limit: list[float] = positions["loss_limit"].tolist()
        self.rate: list[float] = currencies["rate"].tolist()
        self.cash: list[float] = currencies["cash"].tolist()
        self.sums = [list(map(float, row)) for row in currencies[["unrealized", "gross", "net", "margin"]]]
        row = account[0]
        self.totals = [
            float(row[name]) for name in ("equity", "gross", "margin", "equity_peak", "equity_day_open")
        ]

    def run(self, rows: list[tuple[int, int, int]], limits: list[float]) -> float:
        """Apply (instrument, bid, ask) rows until a switch trips; returns equity."""
        equity, gross, margin, peak, day_open = self.totals
        for i, bid, ask in rows:
            mark = 0.5 * (bid + ask) * self.tick_size[i]
            linear, signed_cost = not self.inverse[i], self.cost[i]
            exposure = self.value[i] * mark if linear else self.value[i] / mark
            unrealized = exposure - signed_cost if linear else signed_cost - exposure
            c = self.settle[i]
            sums, rate = self.sums[c], self.rate[c]
            unrealized_change = unrealized - self.unrealized[i]
            gross_change = abs(exposure) - abs(self.exposure[i])
            sums[0] += unrealized_change
            sums[1] += gross_change
            sums[2] += exposure - self.exposure[i]
            sums[3] += gross_change * self.margin_rate[i]
            equity += rate * unrealized_change
            gross += rate * gross_change
            margin += rate * gross_change * self.margin_rate[i]
            self.exposure[i], self.unrealized[i] = exposure, unrealized
            fx = self.fx[i]
            if fx >= 0:
                change = mark - self.rate[fx]
                self.rate[fx] = mark
                equity += change * (self.cash[fx] + self.sums[fx][0])
                gross += change * self.sums[fx][1]
                margin += change * self.sums[fx][3]
            peak = max(peak, equity)
            drawdown = (peak - equity) / peak
            daily = max(0.0, (day_open - equity) / day_open)
            if (
                drawdown >= limits[0]
                or max(0.0, -unrealized) / abs(signed_cost) >= self.loss_limit[i]
                or daily >= limits[2]
                or max(daily, drawdown) >= limits[3]
                or gross / equity >= limits[4]
                or equity / margin < limits[5]
            ):
                break
        self.totals = [equity, gross, margin, peak, day_open]
        return equity


class NumpyBook:
    """Whole columns at every tick: what vectorised risk code does when it is asked "and now?"."""

    def __init__(
        self, instruments: Table, markets: Table, positions: Table, currencies: Table, account: Table
    ) -> None:
        self.instruments, self.positions = instruments, positions
        self.tick_size = instruments["tick_size"].copy()
        self.linear = instruments["inverse"] == 0
        self.settle = instruments["settle"].astype(np.intp)
        self.margin_rate = instruments["margin_rate"].copy()
        self.value = positions["qty_lots"] * instruments["lot_value"]
        self.cost = np.sign(positions["qty_lots"]) * positions["cost"]
        self.mark = markets["mark_px"].copy()
        self.rate, self.cash = currencies["rate"].copy(), currencies["cash"].copy()
        self.peak, self.day_open = float(account["equity_peak"][0]), float(account["equity_day_open"][0])

    def run(self, rows: list[tuple[int, int, int]], limits: list[float]) -> float:
        """As ``PythonBook.run``."""
        equity, currencies = 0.0, len(self.rate)
        for i, bid, ask in rows:
            self.mark[i] = 0.5 * (bid + ask) * self.tick_size[i]
            fx = self.instruments["fx_currency"][i]
            if fx >= 0:
                self.rate[fx] = self.mark[i]
            exposure = np.where(self.linear, self.value * self.mark, self.value / self.mark)
            unrealized = np.where(self.linear, exposure - self.cost, self.cost - exposure)
            size = np.abs(exposure)
            sums = np.bincount(self.settle, unrealized, currencies)
            equity = float(self.rate @ (self.cash + sums))
            gross = float(self.rate @ np.bincount(self.settle, size, currencies))
            margin = float(self.rate @ np.bincount(self.settle, size * self.margin_rate, currencies))
            self.peak = max(self.peak, equity)
            drawdown = (self.peak - equity) / self.peak
            daily = max(0.0, (self.day_open - equity) / self.day_open)
            lost = np.maximum(0.0, -unrealized) / np.abs(self.cost)
            if (
                drawdown >= limits[0]
                or bool((lost >= self.positions["loss_limit"]).any())
                or daily >= limits[2]
                or max(daily, drawdown) >= limits[3]
                or gross / equity >= limits[4]
                or equity / margin < limits[5]
            ):
                break
        return equity

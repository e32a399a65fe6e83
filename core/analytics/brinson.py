"""Active return by sector: allocation, selection and interaction (Brinson and Fachler 1985).

    allocation   (wp - wb) (rb - B)     overweight in what did better than the benchmark as a whole
    selection    wb (rp - rb)
    interaction  (wp - wb) (rp - rb)

B is the benchmark's return. For each sector the three add up to its active return, and over sectors to P - B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.analytics.errors import RiskInputError
from core.analytics.series import Floats, finite

_WHOLE = 1e-9  # weights are fractions that add up to 1 within this


@dataclass(frozen=True)
class Brinson:
    """Arrays by sector, in the unit of the returns."""

    portfolio: float
    benchmark: float
    allocation: Floats
    selection: Floats
    interaction: Floats

    @property
    def active(self) -> float:
        """Portfolio less benchmark, the sum of all parts."""
        return float((self.allocation + self.selection + self.interaction).sum())


def brinson_fachler(
    held: npt.ArrayLike, benchmark: npt.ArrayLike, made: npt.ArrayLike, returned: npt.ArrayLike
) -> Brinson:
    """Weights ``held`` and of the ``benchmark``, returns ``made`` and ``returned``: one each a sector, one period."""
    wp, wb, rp, rb = (finite(x, rows_min=1, varies=False) for x in (held, benchmark, made, returned))
    if not len(wp) == len(wb) == len(rp) == len(rb):
        raise RiskInputError("BAD_SHAPE", "weights and returns of both are needed for every sector")
    for name, w in (("held", wp), ("benchmark", wb)):
        if abs(float(w.sum()) - 1.0) > _WHOLE:
            raise RiskInputError(
                "BAD_OPTION", f"{name} weights add up to {w.sum():g}, not 1: cash is a sector too"
            )
    whole = float(wb @ rb)
    tilt = wp - wb
    parts = (np.asarray(tilt * (rb - whole)), np.asarray(wb * (rp - rb)), np.asarray(tilt * (rp - rb)))
    return Brinson(float(wp @ rp), whole, *parts)

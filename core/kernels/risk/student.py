"""Maximum likelihood for Student's t, the inner half: location and scale for given degrees of freedom.

EM with the scale step of Kent, Tyler and Vardi (1994): the same fixed point as the textbook's, reached in a third of
the steps. What it returns besides is the sum that the score of the degrees of freedom needs, so that the outer half
is a search for one root.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.kernels._jit import background

Floats = npt.NDArray[np.float64]


@background
def t_location_scale(x: Floats, df: float, location: float, scale: float) -> tuple[float, float, float]:
    """(location, scale, score sum) of the best t with ``df`` for ``x``, started at ``location``, ``scale`` > 0.

    Score sum: over x of (df + 1) d / (df (df + d)) - log(1 + d / df), d the squared standardised distance.
    A scale of 0 means that too many values are equal for a t with so few degrees of freedom.
    """
    n = len(x)
    for _ in range(2000):
        weights, first, second = 0.0, 0.0, 0.0
        for i in range(n):
            u = x[i] - location
            w = (df + 1.0) / (df + (u / scale) ** 2)
            weights += w
            first += w * u
            second += w * u * u
        shift = first / weights
        square = second / weights - shift * shift
        if not square > 0.0:
            return location, 0.0, 0.0
        changed = abs(shift) + abs(math.sqrt(square) - scale)
        location += shift
        scale = math.sqrt(square)
        if changed <= 1e-14 * scale:
            break
    score = 0.0
    for i in range(n):
        d = ((x[i] - location) / scale) ** 2
        score += (df + 1.0) * d / (df * (df + d)) - math.log1p(d / df)
    return location, scale, score

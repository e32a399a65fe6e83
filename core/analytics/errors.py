"""The one error of analytics: input that no honest number can be computed from."""

from __future__ import annotations


class RiskInputError(ValueError):
    """``code`` for programs, ``message`` for people: what is wrong and what to do.

    Codes of series, VaR, covariance, tails and backtests: BAD_ALPHA, BAD_CELL, BAD_DATE, BAD_FILE, BAD_METHOD,
    BAD_OPTION, BAD_SHAPE, CONSTANT_PRICES, DUPLICATE_DATES, MISSING_VALUES, NO_COLUMN, NOT_FINITE, NOT_POSITIVE,
    NOT_PSD, NO_FILE, TAIL_TOO_THIN (alpha n < 1), TOO_FEW_ROWS, UNSORTED_DATES, ZERO_VARIANCE.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

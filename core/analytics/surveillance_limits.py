"""Thresholds of the surveillance detectors, with units; ``[surveillance]`` of the configuration has the same names."""

from __future__ import annotations

import msgspec


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Defaults are chosen so that the worked strategies, which quote and cross spreads honestly, find nothing."""

    wash_window_s: float = 1.0  # between an own buy and an own sell
    wash_price: float = 0.00001  # fraction of price within which two prices are the same
    wash_pairs_min: int = 3  # pairs in one episode
    wash_share_min: float = 0.4  # of the episode's own volume that is in pairs
    wash_meet_s: float = (
        0.05  # a maker and a taker this close, at one venue and price, have met: one pair is enough
    )
    layering_ratio: float = 5.0  # size withdrawn on one side / size shown on the side that was executed
    layering_together_min: int = 3  # times in one episode, when one owner shows and another executes
    layering_cancel_s: float = 5.0  # after the execution
    layering_life_s: float = 60.0  # older resting orders were not placed for this execution
    layering_filled_max: float = 0.1  # fraction of a withdrawn order that may have filled
    stuffing_window_s: float = 1.0
    stuffing_messages_min: int = 50  # submits, amends and cancels of one owner on one symbol in the window
    stuffing_life_s: float = 1.0  # an order cancelled within this was never meant to stand
    stuffing_cancelled_min: float = 0.9  # fraction of the window's orders cancelled so soon, unfilled
    close_window_s: float = 300.0  # before the configured day ends
    close_share: float = 0.5  # of the own day's volume in the symbol
    close_one_way: float = 0.8  # |buys - sells| / (buys + sells) of the taking executions in the window
    close_move: float = 0.002  # fraction by which the mark moved the same way
    close_fills_min: int = 3
    close_day_s: float = (
        3600.0  # own flow must reach back this far before the window: else nothing to compare with
    )

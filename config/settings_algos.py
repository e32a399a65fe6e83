"""Settings of the execution algorithms. The section names are the TOML's."""

from __future__ import annotations

from typing import Annotated

from config.rules import Rule
from config.section import Section

FITTED = "fitted on equities elsewhere: refit from your own costs (andon tca)"


class AlgoSettings(Section, frozen=True):
    """Execution algorithms (andon order --algo). The last six are the cost model of `is`, Almgren and Chriss 2000."""

    catch_up_max: Annotated[
        float, Rule("fraction of a slice", 0, 100, note="how much more than its part a slice may send")
    ] = 1.0
    on_restart: Annotated[
        str, Rule("text", choices=("cancel", "resume"), note="resume: once reconciled and started")
    ] = "cancel"
    denials_max: Annotated[
        int, Rule("children", 1, 1000, note="denied or rejected in a row: paused, with an alarm")
    ] = 5
    stall_slices: Annotated[float, Rule("slices", 0.1, 1000, note="behind its schedule: alarm")] = 3.0
    profile_weeks: Annotated[
        float, Rule("weeks", 0, 520, note="of flat volume that a learned volume curve is drawn towards")
    ] = 4.0
    sigma: Annotated[float, Rule("fraction of price per square root of a day", 0, 10)] = 0.03
    eta: Annotated[
        float, Rule("fraction of price at the market's own volume", 0, 1e6, above=True, note=FITTED)
    ] = 0.005
    gamma: Annotated[float, Rule("fraction of price for a day's volume", 0, 1e6, note=FITTED)] = 0.01
    epsilon: Annotated[float, Rule("fraction of price", 0, 1, note="half the spread")] = 0.0001
    risk_aversion: Annotated[float, Rule("1 / quote currency", 0, 1e6, note="0 = evenly over time")] = 1e-5
    daily_volume: Annotated[float, Rule("base units", 0, 1e18, note="0 = as the tape has shown")] = 0.0

"""Settings of the gate: the firm's limits, and those of narrower scopes beside them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from config.rules import Rule
from config.section import Ratio, Section


class GateSettings(Section, frozen=True):
    """Limits every order meets before it may leave."""

    price_collar: Annotated[float, Rule("fraction of reference price", 0, 1, above=True)] = 0.05
    order_value_max: Annotated[float, Rule("account currency", 0, 1e12, above=True)] = 250_000.0
    order_lots_max: Annotated[int, Rule("lots", 0, 10**12, note="0 = the instrument's maximum")] = 0
    concentration_max: Annotated[float, Rule("fraction of equity, per asset", 0, 100, above=True)] = 0.25
    gross_leverage_max: Ratio = 5.0
    margin_ratio_min: Annotated[float, Rule("ratio", 0, 1000)] = 1.2
    net_leverage_max: Ratio = 5.0
    open_orders_max: Annotated[int, Rule("orders", 1, 1_000_000)] = 5000
    data_age_max_s: Annotated[float, Rule("s", 0, 86_400, above=True)] = 10.0
    range_collar: Annotated[float, Rule("fraction beyond the recent range", 0, 1, note="0 = off")] = 0.03
    window_s: Annotated[float, Rule("s", 1, 3600, note="the recent past is one to two of these")] = 30.0
    clock_skew_max_s: Annotated[float, Rule("s", 0, 3600, note="ticks further in the future refuse")] = 1.0
    spread_bps_max: Annotated[float, Rule("basis points", 0, 10_000, note="microstructure veto; 0 = off")] = (
        100.0
    )
    spread_ewma_max: Annotated[float, Rule("multiples of the usual spread", 0, 1e6, note="veto; 0 = off")] = (
        10.0
    )
    thin_max: Annotated[float, Rule("multiples of the lots at the best", 0, 1e9, note="veto; 0 = off")] = 50.0
    imbalance_max: Annotated[
        float, Rule("fraction of the lots at both bests", 0, 1, note="veto; 0 = off")
    ] = 0.98
    momentum_max: Annotated[float, Rule("standard deviations", 0, 1000, note="momentum veto; 0 = off")] = 5.0
    participation_max: Annotated[
        float, Rule("fraction of the volume traded in the window", 0, 1000, note="0 = off")
    ] = 0.0
    messages_per_s: Annotated[
        float, Rule("messages/s", 0, 1e6, note="submits, amends and cancels; entries wait; 0 = off")
    ] = 150.0
    messages_burst_s: Annotated[float, Rule("s of the rate", 0.01, 3600, note="what may be sent at once")] = (
        1.0
    )
    kill_reserve: Annotated[
        float, Rule("fraction of a venue's messages", 0, 0.95, note="left to the cancels of a kill")
    ] = 0.2
    duplicate_window_ms: Annotated[float, Rule("ms", 0, 3_600_000, note="0 = off")] = 250.0
    repeat_max: Annotated[
        int, Rule("executed orders in a row on one side", 0, 1_000_000, note="0 = off; re-armed by a person")
    ] = 50
    repeat_window_s: Annotated[float, Rule("s", 0.1, 86_400)] = 60.0
    self_match: Annotated[bool, Rule("true | false", note="deny what would trade with our own order")] = True
    stress_move: Annotated[
        float,
        Rule("fraction of price", 0, 1, note="what pending orders may lose of each loss limit; 0 = off"),
    ] = 0.05
    position_room_min: Annotated[
        float, Rule("fraction of the position's loss limit", 0, 1, note="less is not added to")
    ] = 0.1
    var_max: Annotated[float, Rule("fraction of equity, after the trade", 0, 100, note="0 = off")] = 0.0
    es_max: Annotated[float, Rule("fraction of equity, after the trade", 0, 100, note="0 = off")] = 0.0
    risk_age_max_s: Annotated[float, Rule("s", 0, 86_400, above=True, note="older VaR and ES refuse")] = 900.0
    override_max_min: Annotated[
        float, Rule("min", 0, 1440, above=True, note="longest life of an override")
    ] = 60.0
    restricted: Annotated[tuple[str, ...], Rule("symbols", note="nobody may enter them")] = ()
    venues_barred: Annotated[tuple[str, ...], Rule("venues", note="nobody may enter there")] = ()


class ScopeSettings(Section, frozen=True):
    """Limits of one scope beside the firm's in [gate]: the tightest counts. With a number goes an owner."""

    price_collar: Annotated[float, Rule("fraction of reference price", 0, 1, note="0 = none here")] = 0.0
    range_collar: Annotated[float, Rule("fraction beyond the recent range", 0, 1, note="0 = none here")] = 0.0
    order_value_max: Annotated[float, Rule("account currency", 0, 1e12, note="0 = none here")] = 0.0
    order_lots_max: Annotated[int, Rule("lots", 0, 10**12, note="0 = none here")] = 0
    concentration_max: Annotated[
        float, Rule("fraction of equity, per asset", 0, 100, note="0 = none here")
    ] = 0.0
    participation_max: Annotated[
        float, Rule("fraction of the volume traded in the window", 0, 1000, note="0 = none here")
    ] = 0.0
    spread_bps_max: Annotated[float, Rule("basis points", 0, 10_000, note="0 = none here")] = 0.0
    data_age_max_s: Annotated[float, Rule("s", 0, 86_400, note="0 = none here")] = 0.0
    exposure_max: Annotated[
        float, Rule("account currency, gross, working orders filled", 0, 1e15, note="0 = none here")
    ] = 0.0
    open_orders_max: Annotated[int, Rule("orders", 0, 1_000_000, note="0 = none here")] = 0
    messages_per_s: Annotated[float, Rule("messages/s", 0, 1e6, note="0 = none here")] = 0.0
    owner: Annotated[str, Rule("text", note="who answers for these numbers")] = ""
    rationale: Annotated[str, Rule("text", note="why they are what they are")] = ""
    date: Annotated[str, Rule("text", note="when they were set")] = ""


class LimitSettings(Section, frozen=True):
    """Limits by scope: limits.firm, limits.account.ID, limits.venue.NAME, limits.strategy.ID, limits.symbol."SYM"."""

    firm: ScopeSettings = ScopeSettings()
    account: dict[str, ScopeSettings] = msgspec.field(default_factory=dict)
    venue: dict[str, ScopeSettings] = msgspec.field(default_factory=dict)
    strategy: dict[str, ScopeSettings] = msgspec.field(default_factory=dict)
    symbol: dict[str, ScopeSettings] = msgspec.field(default_factory=dict)

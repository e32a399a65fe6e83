"""Every setting of Andon, with its type, default, unit and range. The section names are the TOML's.

Numbers here are limits that stop a book, so each carries bounds: a value outside them is refused at start,
never clipped. ``config/andon.toml`` is this page in the operator's words; a test keeps the two equal.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from config.gate import GateSettings, LimitSettings
from config.rules import Rule
from config.section import Flag, Fraction, On, Ratio, Seconds, Section, Text
from config.settings_algos import AlgoSettings
from config.settings_market import MarketSettings, RouterSettings
from config.settings_orders import OrderSettings


class AccountSettings(Section, frozen=True):
    """The account this core answers for. One core per account."""

    id: Text = "paper"
    env: Annotated[str, Rule("text", choices=("paper", "live"), note="live needs armed = true in a file")] = (
        "paper"
    )
    armed: Annotated[bool, Rule("true | false", note="live orders; counts only from your own TOML file")] = (
        False
    )
    ccy: Annotated[str, Rule("currency", note="everything is valued in it")] = "USDT"
    cash: Annotated[
        dict[str, float], Rule("units of each currency", 0, 1e15, note="paper opening balance")
    ] = msgspec.field(default_factory=lambda: {"USDT": 1_000_000.0})
    day_zone: Annotated[str, Rule("IANA time zone", note="where the trading day of daily_loss turns")] = "UTC"


class DrawdownSwitch(Section, frozen=True):
    """(peak equity - equity) / peak: HALTED."""

    enabled: On = True
    limit: Annotated[float, Rule("fraction of peak equity", 0, 1, above=True)] = 0.05
    level: Annotated[
        str,
        Rule("text", choices=("halt", "flatten", "shutdown"), note="halt keeps positions, flatten closes"),
    ] = "halt"


class PositionLossSwitch(Section, frozen=True):
    """A position's unrealised loss against its basis: flatten that position, block re-entry."""

    enabled: On = True
    limit: Annotated[float, Rule("fraction of basis", 0, 1, above=True)] = 0.02
    basis: Annotated[str, Rule("text", choices=("cost", "equity"))] = "cost"


class DailyLossSwitch(Section, frozen=True):
    """(day-open equity - equity) / day-open: HALTED for the day and until re-armed."""

    enabled: On = True
    limit: Annotated[float, Rule("fraction of day-open equity", 0, 1, above=True)] = 0.10
    level: Annotated[
        str,
        Rule("text", choices=("halt", "flatten", "shutdown"), note="halt keeps positions, flatten closes"),
    ] = "halt"


class EmergencySwitch(Section, frozen=True):
    """Loss from peak or from day-open equity, the larger: flatten everything, SHUTDOWN."""

    enabled: On = True
    limit: Annotated[float, Rule("fraction of equity", 0, 1, above=True)] = 0.15


class LeverageSwitch(Section, frozen=True):
    """Gross exposure / equity: REDUCING, positions cut largest first to the target."""

    enabled: On = True
    limit: Ratio = 5.0
    target: Annotated[float, Rule("ratio", 0, 1000, above=True, note="below limit")] = 4.5


class MarginSwitch(Section, frozen=True):
    """Equity / margin required falls below: REDUCING, cheapest to close first, to the target."""

    enabled: On = True
    limit: Ratio = 1.2
    target: Annotated[float, Rule("ratio", 0, 1000, above=True, note="above limit")] = 1.5


class StaleDataSwitch(Section, frozen=True):
    """No fresh book for an instrument that is held or quoted."""

    enabled: On = True
    limit_s: Seconds = 30.0
    level: Annotated[str, Rule("text", choices=("reduce", "halt", "flatten"))] = "reduce"


class VenueDownSwitch(Section, frozen=True):
    """The link to a venue stays down: HALTED there."""

    enabled: On = True
    limit_s: Seconds = 10.0


class OrderRateSwitch(Section, frozen=True):
    """Runaway: submits, amends and cancels a second over the window."""

    enabled: On = True
    limit_per_s: Annotated[float, Rule("messages/s", 0, 1e6, above=True)] = 200.0
    window_s: Annotated[float, Rule("s", 0.05, 3600)] = 1.0


class RejectRateSwitch(Section, frozen=True):
    """Share of the last orders that the venue refused."""

    enabled: On = True
    limit: Fraction = 0.5
    window: Annotated[int, Rule("orders", 1, 100_000)] = 20
    min: Annotated[int, Rule("orders", 1, 100_000, note="fewer than this never trip")] = 10


class ReconciliationSwitch(Section, frozen=True):
    """Own books and the venue's differ."""

    enabled: On = True


class JournalSwitch(Section, frozen=True):
    """The journal cannot be written: no new risk; cancels still leave."""

    enabled: On = True


class SwitchSettings(Section, frozen=True):
    """Kill switches. Each latches; only a named operator with a reason re-arms it."""

    drawdown: DrawdownSwitch = DrawdownSwitch()
    position_loss: PositionLossSwitch = PositionLossSwitch()
    daily_loss: DailyLossSwitch = DailyLossSwitch()
    emergency: EmergencySwitch = EmergencySwitch()
    leverage: LeverageSwitch = LeverageSwitch()
    margin: MarginSwitch = MarginSwitch()
    stale_data: StaleDataSwitch = StaleDataSwitch()
    venue_down: VenueDownSwitch = VenueDownSwitch()
    order_rate: OrderRateSwitch = OrderRateSwitch()
    reject_rate: RejectRateSwitch = RejectRateSwitch()
    reconciliation: ReconciliationSwitch = ReconciliationSwitch()
    journal: JournalSwitch = JournalSwitch()


class KillSettings(Section, frozen=True):
    """Deadlines of a kill's phases, counted from the start of the phase."""

    cancel_retry_ms: Annotated[int, Rule("ms", 10, 600_000, note="repeat each unconfirmed cancel")] = 500
    mass_cancel_ms: Annotated[int, Rule("ms", 10, 600_000, note="then cancel whatever the venue holds")] = (
        1500
    )
    query_ms: Annotated[int, Rule("ms", 10, 600_000, note="then ask the venue what is open")] = 3000
    alarm_ms: Annotated[int, Rule("ms", 10, 600_000, note="then alarm, naming what is unconfirmed")] = 5000
    flatten_retry_ms: Annotated[int, Rule("ms", 10, 600_000, note="repeat a closing order")] = 1500
    flatten_alarm_ms: Annotated[int, Rule("ms", 10, 600_000, note="alarm while not flat")] = 15_000
    slice_lots_max: Annotated[int, Rule("lots", 0, 10**12, note="0 = the instrument's maximum")] = 0


class EngineSettings(Section, frozen=True):
    """The engine's clockwork. The BOT_ variables set the ones that name them."""

    autostart: Annotated[
        bool, Rule("true | false", note="ACTIVE at once after a clean stop or on a new folder")
    ] = False
    signal_interval_s: Annotated[float, Rule("s", 1, 86_400, note="BOT_SIGNAL_INTERVAL")] = 60.0
    min_trade_interval_s: Annotated[float, Rule("s", 0, 86_400, note="BOT_MIN_TRADE_INTERVAL")] = 0.0
    account_check_interval_s: Annotated[float, Rule("s", 5, 86_400, note="BOT_ACCOUNT_CHECK_INTERVAL")] = (
        300.0
    )
    disable_microstructure_veto: Annotated[
        bool, Rule("true | false", note="BOT_DISABLE_MICROSTRUCTURE_VETO")
    ] = False
    disable_momentum_veto: Annotated[bool, Rule("true | false", note="BOT_DISABLE_MOMENTUM_VETO")] = False
    reduce_api_calls: Annotated[bool, Rule("true | false", note="BOT_REDUCE_API_CALLS")] = False
    bypass_interactive: Annotated[bool, Rule("true | false", note="BOT_BYPASS_INTERACTIVE")] = False
    inbox_control_max: Annotated[int, Rule("events", 16, 10_000_000)] = 65_536
    inbox_market_max: Annotated[int, Rule("ticks", 16, 10_000_000)] = 65_536


class AttributionSettings(Section, frozen=True):
    """How profit and loss are cut: hours, sessions, and what factors explain of it by rolling regression."""

    bucket_s: Annotated[float, Rule("s", 60, 86_400, note="an hour, as profit is kept by hour")] = 3600.0
    sessions: Annotated[
        dict[str, float], Rule("hour of the day, UTC", 0, 23.99, note="each lasts until the next begins")
    ] = msgspec.field(default_factory=lambda: {"asia": 0.0, "europe": 7.0, "us": 13.0})
    sample_s: Annotated[float, Rule("s", 0, 86_400, note="between samples of all marks; 0 = no factors")] = (
        60.0
    )
    window: Annotated[int, Rule("samples", 3, 10_000, note="the betas are made from these")] = 120
    samples_min: Annotated[int, Rule("samples", 3, 10_000, note="with fewer there are no betas")] = 30
    benchmark: Annotated[str, Rule("symbol", note="the market; empty = all symbols, equally weighted")] = ""
    factors: Annotated[
        tuple[str, ...], Rule("name: symbols", note='baskets, as "chains: ETH/USDT SOL/USDT"')
    ] = ()


class JournalSettings(Section, frozen=True):
    """What is kept on disk."""

    ticks_keep_mb: Annotated[
        int, Rule("MB", 1, 10_000_000, note="older tick blocks are dropped, nothing else")
    ] = 2048
    snapshot_every_events: Annotated[int, Rule("events", 100, 10**9)] = 50_000
    snapshot_every_s: Annotated[float, Rule("s", 1, 86_400)] = 300.0


class AuditSettings(Section, frozen=True):
    """Who else remembers how far the journal had come."""

    witness: Annotated[
        str, Rule("path, or |command", note="second witness of the head, best on another disk or host")
    ] = ""


class SurveillanceSettings(Section, frozen=True):
    """Patterns in own flow that markets forbid: what counts as one. Findings alarm and are audited; nothing stops."""

    enabled: Annotated[bool, Rule("true | false", note="while the core runs; andon surveil looks anyway")] = (
        True
    )
    every_s: Annotated[float, Rule("s", 0.1, 86_400)] = 10.0
    keep_s: Annotated[float, Rule("s", 60, 604_800, note="own flow kept in memory for it")] = 7200.0
    wash_window_s: Annotated[float, Rule("s between own buy and own sell", 0, 3600)] = 1.0
    wash_price: Annotated[float, Rule("fraction of price, taken as the same", 0, 0.1)] = 0.00001
    wash_pairs_min: Annotated[int, Rule("pairs in one episode", 1, 1_000_000)] = 3
    wash_share_min: Annotated[float, Rule("fraction of the own volume meanwhile", 0, 1)] = 0.4
    wash_meet_s: Annotated[
        float, Rule("s between maker and taker", 0, 60, note="one such pair is enough")
    ] = 0.05
    layering_ratio: Annotated[
        float, Rule("size withdrawn / size shown on the executed side", 0, 1000, above=True)
    ] = 5.0
    layering_together_min: Annotated[
        int, Rule("times in one episode", 1, 1_000_000, note="where one strategy shows and another executes")
    ] = 3
    layering_cancel_s: Annotated[float, Rule("s after the execution", 0, 3600, above=True)] = 5.0
    layering_life_s: Annotated[float, Rule("s, older orders do not count", 0, 86_400, above=True)] = 60.0
    layering_filled_max: Annotated[float, Rule("fraction of a withdrawn order filled", 0, 1)] = 0.1
    stuffing_window_s: Annotated[float, Rule("s", 0, 3600, above=True)] = 1.0
    stuffing_messages_min: Annotated[int, Rule("messages in the window", 2, 1_000_000)] = 50
    stuffing_life_s: Annotated[float, Rule("s from order to cancel", 0, 3600, above=True)] = 1.0
    stuffing_cancelled_min: Annotated[float, Rule("fraction of the orders", 0, 1)] = 0.9
    close_window_s: Annotated[float, Rule("s before the day ends", 1, 86_400)] = 300.0
    close_share: Annotated[float, Rule("fraction of the own day's volume", 0, 1, above=True)] = 0.5
    close_one_way: Annotated[float, Rule("fraction of it in one direction, net", 0, 1)] = 0.8
    close_move: Annotated[float, Rule("fraction the mark moved that way", 0, 1)] = 0.002
    close_fills_min: Annotated[int, Rule("taking executions", 1, 1_000_000)] = 3
    close_day_s: Annotated[float, Rule("s of own flow needed before the window", 0, 86_400)] = 3600.0


class BusSettings(Section, frozen=True):
    """Where clients attach. TCP only with CURVE keys."""

    state: Annotated[str, Rule("ZeroMQ endpoint", note="empty = ipc in the bus folder")] = ""
    command: Annotated[str, Rule("ZeroMQ endpoint", note="empty = ipc in the bus folder")] = ""
    tcp: Flag = False
    host: Annotated[str, Rule("address to bind")] = "127.0.0.1"
    state_port: Annotated[int, Rule("port", 1, 65_535)] = 7701
    command_port: Annotated[int, Rule("port", 1, 65_535)] = 7702
    requests_per_s_max: Annotated[
        float, Rule("requests/s of one client", 0, 1e6, note="stopping is never throttled; 0 = no limit")
    ] = 500.0
    heartbeat_hz: Annotated[float, Rule("per s", 0.1, 100)] = 4.0
    table_hz: Annotated[float, Rule("per s", 0.1, 100)] = 10.0


class StrategySettings(Section, frozen=True):
    """One running strategy; its id is the section's name."""

    kind: Annotated[str, Rule("text", choices=("momentum", "mean_reversion", "maker", "hold"))]
    enabled: Flag = True
    symbols: Annotated[tuple[str, ...], Rule("symbols", note="empty = all of the market's")] = ()
    notional: Annotated[float, Rule("account currency per symbol", 0, 1e12, above=True)] = 10_000.0
    kelly_fraction: Annotated[float, Rule("fraction of full Kelly", 0, 1)] = 0.5
    params: Annotated[dict[str, float], Rule("number", -1e15, 1e15)] = msgspec.field(default_factory=dict)
    venues: Annotated[tuple[str, ...], Rule("venues", note="empty = all")] = ()
    edge: Annotated[
        float,
        Rule("fraction of price over edge_horizon_s", 0, 1, note="expected; caps it by Kelly; 0 = no cap"),
    ] = 0.0
    edge_horizon_s: Annotated[float, Rule("s", 0, 1e8, above=True)] = 3600.0
    edge_samples: Annotated[float, Rule("trades", 1, 1e9, note="the edge was estimated from")] = 100.0


VAR_METHODS = tuple("historical normal student cornish_fisher ewma filtered_historical monte_carlo".split())


class RiskSettings(Section, frozen=True):
    """Risk calculations off the loop: profile, VaR, stress. They inform; limits that need them refuse without them."""

    enabled: Flag = True
    interval_s: Annotated[float, Rule("s", 0.05, 3600, note="profile")] = 1.0
    var_interval_s: Annotated[float, Rule("s", 0.05, 86_400, note="VaR, stress, betas, recommendations")] = (
        5.0
    )
    method: Annotated[str, Rule("text", choices=VAR_METHODS, note="the VaR that counts; all are shown")] = (
        "historical"
    )
    alpha: Annotated[float, Rule("probability of the tail", 0, 0.25, above=True)] = 0.01
    horizon_s: Annotated[float, Rule("s", 1, 31_536_000, note="by the square root of time")] = 86_400.0
    bar_s: Annotated[float, Rule("s", 0.1, 86_400, note="of one return of the sampled history")] = 60.0
    window: Annotated[int, Rule("bars", 20, 10_000, note="the most that are used")] = 500
    rows_min: Annotated[int, Rule("bars", 20, 10_000, note="fewer and nothing is said")] = 100
    history: Annotated[
        str, Rule("file of closes", note="CSV or Parquet, a column a symbol; empty = sampled marks")
    ] = ""
    scenarios: Annotated[str, Rule("scenario file", note="empty = the five of the house")] = ""
    market: Annotated[str, Rule("symbol", note="betas are to it; empty = the first of the catalogue")] = ""


class OperatorSettings(Section, frozen=True):
    """Whose name stands in the audit trail for local commands."""

    name: Annotated[str, Rule("text", note="empty = the user's login name")] = ""


class Settings(Section, frozen=True):
    """Everything."""

    account: AccountSettings = AccountSettings()
    switches: SwitchSettings = SwitchSettings()
    kill: KillSettings = KillSettings()
    gate: GateSettings = GateSettings()
    limits: LimitSettings = LimitSettings()
    engine: EngineSettings = EngineSettings()
    attribution: AttributionSettings = AttributionSettings()
    journal: JournalSettings = JournalSettings()
    audit: AuditSettings = AuditSettings()
    surveillance: SurveillanceSettings = SurveillanceSettings()
    bus: BusSettings = BusSettings()
    market: MarketSettings = MarketSettings()
    router: RouterSettings = RouterSettings()
    operator: OperatorSettings = OperatorSettings()
    risk: RiskSettings = RiskSettings()
    algos: AlgoSettings = AlgoSettings()
    orders: OrderSettings = OrderSettings()
    strategies: dict[str, StrategySettings] = msgspec.field(default_factory=dict)

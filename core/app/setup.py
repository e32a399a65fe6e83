"""From settings to what the engine must know: the one translation between the two vocabularies."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bus.instruments import InstrumentSpec
from config.gate import ScopeSettings
from config.settings import Settings
from core.adapters.catalogue import embedded_catalogue
from core.engine.config import (
    AlgoLimits,
    AttributionConfig,
    EngineConfig,
    GateLimits,
    KillTimes,
    RouterLimits,
    ScopeLimits,
    StrategyConfig,
    SwitchLimits,
)

REDUCED = 4  # BOT_REDUCE_API_CALLS: the standing reconciliation comes this many times less often
DAYS_AHEAD = 400  # day boundaries computed at start; beyond them a day is 24 hours


class SetupError(ValueError):
    """The settings cannot be used as they stand: one line with the way out."""


def engine_config(
    settings: Settings, instruments: tuple[InstrumentSpec, ...], *, env: str, now_ns: int
) -> EngineConfig:
    """Everything the engine needs, derived once at start and journalled with Boot."""
    _check_cash(settings, instruments)
    fewer = settings.engine.reduce_api_calls
    return EngineConfig(
        account=settings.account.id,
        env=env,
        ccy=settings.account.ccy,
        cash=dict(settings.account.cash),
        instruments=instruments,
        venues=tuple(dict.fromkeys(spec.venue for spec in instruments)),
        switches=_switches(settings),
        kill=_kill_times(settings),
        gate=_gate(settings),
        limits=_limits(settings, instruments, any_symbol=env == "REPLAY"),
        restricted=settings.gate.restricted,
        strategies=_strategies(settings, instruments, any_symbol=env == "REPLAY"),
        signal_interval_s=settings.engine.signal_interval_s,
        min_trade_interval_s=settings.engine.min_trade_interval_s,
        account_check_interval_s=settings.engine.account_check_interval_s * (REDUCED if fewer else 1),
        day_opens_ns=day_opens_ns(settings.account.day_zone, now_ns),
        operator=settings.operator.name,
        protective_on_cancel_all=settings.orders.protective_on_cancel_all,
        router=_router(settings),
        algos=_algos(settings, own_in_tape=env == "LIVE"),
        attribution=_attribution(settings, instruments, any_symbol=env == "REPLAY"),
    )


def _algos(settings: Settings, *, own_in_tape: bool) -> AlgoLimits:
    """The simulated venue does not print our executions on its tape; a real one does."""
    a = settings.algos
    return AlgoLimits(
        catch_up_max=a.catch_up_max,
        on_restart=a.on_restart,
        denials_max=a.denials_max,
        stall_slices=a.stall_slices,
        own_in_tape=own_in_tape,
        profile_weeks=a.profile_weeks,
        sigma=a.sigma,
        eta=a.eta,
        gamma=a.gamma,
        epsilon=a.epsilon,
        risk_aversion=a.risk_aversion,
        daily_volume=a.daily_volume,
    )


def paper_instruments(settings: Settings) -> tuple[InstrumentSpec, ...]:
    """The embedded catalogue, or the part of it that is configured (with the rate instruments it needs)."""
    catalogue = embedded_catalogue(settings.market.venues)
    wanted = _everywhere(settings.market.symbols, catalogue)
    unknown = wanted - {spec.symbol for spec in catalogue}
    if unknown:
        names = ", ".join(spec.symbol for spec in catalogue)
        raise SetupError(f"market.symbols: no {', '.join(sorted(unknown))} in the embedded market: {names}")
    if not wanted:
        return catalogue
    needed = {spec.settle for spec in catalogue if spec.symbol in wanted}
    return tuple(spec for spec in catalogue if spec.symbol in wanted or spec.fx_for in needed)


def _everywhere(symbols: tuple[str, ...], catalogue: tuple[InstrumentSpec, ...]) -> set[str]:
    """``symbols``, and what lists the same thing at the second venue."""
    return {*symbols} | {spec.symbol for spec in catalogue if spec.symbol.partition("@")[0] in symbols}


def day_opens_ns(zone: str, now_ns: int) -> tuple[int, ...]:
    """The coming midnights of ``zone``, ns UTC, summer time and all."""
    tz = ZoneInfo(zone)
    today = datetime.fromtimestamp(now_ns / 1e9, tz=tz).replace(hour=0, minute=0, second=0, microsecond=0)
    days = (today.replace(tzinfo=None) + timedelta(days=n) for n in range(1, DAYS_AHEAD))
    return tuple(int(day.replace(tzinfo=tz).timestamp()) * 1_000_000_000 for day in days)


def _check_cash(settings: Settings, instruments: tuple[InstrumentSpec, ...]) -> None:
    known = {settings.account.ccy} | {spec.fx_for for spec in instruments}
    for currency, amount in settings.account.cash.items():
        if amount and currency not in known:
            raise SetupError(
                f"account.cash: no instrument gives a {settings.account.ccy} rate for {currency}"
            )


def _switches(settings: Settings) -> SwitchLimits:
    s = settings.switches
    return SwitchLimits(
        drawdown=s.drawdown.limit if s.drawdown.enabled else None,
        drawdown_level=s.drawdown.level,
        daily_loss_level=s.daily_loss.level,
        position_loss=s.position_loss.limit if s.position_loss.enabled else None,
        position_loss_basis=s.position_loss.basis,
        daily_loss=s.daily_loss.limit if s.daily_loss.enabled else None,
        emergency=s.emergency.limit if s.emergency.enabled else None,
        leverage=s.leverage.limit if s.leverage.enabled else None,
        leverage_target=s.leverage.target,
        margin=s.margin.limit if s.margin.enabled else None,
        margin_target=s.margin.target,
        stale_data_s=s.stale_data.limit_s if s.stale_data.enabled else None,
        stale_data_level=s.stale_data.level,
        venue_down_s=s.venue_down.limit_s if s.venue_down.enabled else None,
        order_rate_per_s=s.order_rate.limit_per_s if s.order_rate.enabled else None,
        order_rate_window_s=s.order_rate.window_s,
        reject_rate=s.reject_rate.limit if s.reject_rate.enabled else None,
        reject_window=s.reject_rate.window,
        reject_min=s.reject_rate.min,
        reconciliation=s.reconciliation.enabled,
        journal=s.journal.enabled,
    )


def _kill_times(settings: Settings) -> KillTimes:
    k = settings.kill
    return KillTimes(
        cancel_retry_ms=k.cancel_retry_ms,
        mass_cancel_ms=k.mass_cancel_ms,
        query_ms=k.query_ms,
        alarm_ms=k.alarm_ms,
        flatten_retry_ms=k.flatten_retry_ms,
        flatten_alarm_ms=k.flatten_alarm_ms,
        slice_lots_max=k.slice_lots_max,
    )


def _attribution(
    settings: Settings, instruments: tuple[InstrumentSpec, ...], *, any_symbol: bool
) -> AttributionConfig:
    a = settings.attribution
    baskets: dict[str, tuple[str, ...]] = {}
    for text in a.factors:
        name, colon, symbols = text.partition(":")
        if not colon or not name.strip() or not symbols.split() or name.strip() == "market":
            raise SetupError(
                f'attribution.factors: {text!r} is no basket: give "name: SYMBOL SYMBOL", market is the benchmark\'s'
            )
        baskets[name.strip()] = tuple(symbols.split())
    named = [a.benchmark] * bool(a.benchmark) + [symbol for basket in baskets.values() for symbol in basket]
    missing = set(named) - {spec.symbol for spec in instruments}
    if missing and not any_symbol:
        raise SetupError(f"attribution: not in this market: {', '.join(sorted(missing))}")
    return AttributionConfig(
        bucket_s=a.bucket_s,
        sessions=dict(a.sessions),
        sample_s=a.sample_s,
        window=a.window,
        need=a.samples_min,
        benchmark=a.benchmark,
        factors=baskets,
    )


def _router(settings: Settings) -> RouterLimits:
    r = settings.router
    return RouterLimits(
        latency_weight=r.latency_weight,
        stale_weight=r.stale_weight,
        volatility=r.volatility,
        stale_max_s=r.stale_max_s,
        messages_per_s=r.messages_per_s,
        exposure_max=dict(r.exposure_max),
        wallet=dict(r.wallet),
        fee_bps=dict(r.fee_bps),
        slip_bps=dict(r.slip_bps),
        latency_ms=dict(r.latency_ms),
    )


def _gate(settings: Settings) -> GateLimits:
    """Names are the same on both sides; the vetoes' switches stand in [engine], because variables set them."""
    given = {
        name: getattr(settings.gate, name)
        for name in GateLimits.__struct_fields__
        if hasattr(settings.gate, name)
    }
    return GateLimits(
        **given,
        microstructure_veto=not settings.engine.disable_microstructure_veto,
        momentum_veto=not settings.engine.disable_momentum_veto,
    )


def _limits(
    settings: Settings, instruments: tuple[InstrumentSpec, ...], *, any_symbol: bool
) -> dict[str, ScopeLimits]:
    """By scope. A scope that does not exist is a slip, except on a tape, which has its own instruments."""
    s = settings.limits
    known = {
        "account": {settings.account.id},
        "venue": {spec.venue for spec in instruments},
        "strategy": set(settings.strategies),
        "symbol": {spec.symbol for spec in instruments},
    }
    found = {"all": _scope(s.firm)} if s.firm != ScopeSettings() else {}
    for kind, names in known.items():
        for name, scope in getattr(s, kind).items():
            if name not in names and not any_symbol:
                raise SetupError(f"limits.{kind}.{name}: no such {kind}: {', '.join(sorted(names)[:12])}")
            found[f"{kind}:{name}"] = _scope(scope)
    return found


def _scope(scope: ScopeSettings) -> ScopeLimits:
    """0 is none."""
    given = {name: getattr(scope, name) for name in ScopeLimits.__struct_fields__}
    return ScopeLimits(**{name: value for name, value in given.items() if value not in (0, "")})


def _strategies(
    settings: Settings, instruments: tuple[InstrumentSpec, ...], *, any_symbol: bool
) -> tuple[StrategyConfig, ...]:
    """With ``any_symbol`` (a tape has its own) what is missing is left out, and none left means all there are."""
    symbols = {spec.symbol for spec in instruments}
    result = []
    for id_, s in settings.strategies.items():
        missing = [symbol for symbol in s.symbols if symbol not in symbols]
        if missing and not any_symbol:
            raise SetupError(f"strategies.{id_}.symbols: not in this market: {', '.join(missing)}")
        result.append(
            StrategyConfig(
                id=id_,
                kind=s.kind,
                enabled=s.enabled,
                symbols=tuple(symbol for symbol in s.symbols if symbol in symbols),
                notional=s.notional,
                kelly_fraction=s.kelly_fraction,
                params=dict(s.params),
                venues=s.venues,
                edge=s.edge,
                edge_horizon_s=s.edge_horizon_s,
                edge_samples=s.edge_samples,
            )
        )
    return tuple(result)

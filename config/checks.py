"""What no single setting can say: rules between settings, checked on the effective whole."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from config.rules import ConfigError
from config.schema import nearest
from config.settings import Settings

ORDERED = (  # left must be below right
    ("switches.leverage.target", "switches.leverage.limit"),
    ("switches.margin.limit", "switches.margin.target"),
    ("kill.cancel_retry_ms", "kill.mass_cancel_ms"),
    ("kill.mass_cancel_ms", "kill.query_ms"),
    ("kill.query_ms", "kill.alarm_ms"),
    ("kill.flatten_retry_ms", "kill.flatten_alarm_ms"),
)


def check(settings: Settings, sources: dict[str, str]) -> None:
    """Raise ConfigError for the first rule that does not hold."""
    for rule in RULES:
        rule(settings, sources)


def _ordered(settings: Settings, sources: dict[str, str]) -> None:
    for low, high in ORDERED:
        if not _value(settings, low) < _value(settings, high):
            raise ConfigError(
                f"{low} = {_value(settings, low)} ({sources[low]}) must be below"
                f" {high} = {_value(settings, high)} ({sources[high]})"
            )


def _reject_window(settings: Settings, sources: dict[str, str]) -> None:
    switch, key = settings.switches.reject_rate, "switches.reject_rate.min"
    if switch.min > switch.window:
        raise ConfigError(
            f"{key} = {switch.min} ({sources[key]}) is above switches.reject_rate.window = {switch.window}:"
            " the switch could never trip"
        )


def _risk_window(settings: Settings, sources: dict[str, str]) -> None:
    risk, key = settings.risk, "risk.rows_min"
    if risk.rows_min > risk.window:
        raise ConfigError(
            f"{key} = {risk.rows_min} ({sources[key]}) is above risk.window = {risk.window}:"
            " there could never be enough"
        )
    if risk.bar_s < risk.interval_s:
        key = "risk.bar_s"
        raise ConfigError(
            f"{key} = {risk.bar_s} ({sources[key]}) is below risk.interval_s = {risk.interval_s}:"
            " bars are sampled at that interval, so most would be missing"
        )


def _cash(settings: Settings, sources: dict[str, str]) -> None:
    if settings.account.ccy not in settings.account.cash:
        raise ConfigError(
            f"account.cash ({sources['account.cash']}) has no {settings.account.ccy}, the account's currency:"
            f" add {settings.account.ccy} = 0.0 or more"
        )


def _zone(settings: Settings, sources: dict[str, str]) -> None:
    name = settings.account.day_zone
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = nearest(name, zoneinfo.available_timezones())
        raise ConfigError(
            f'account.day_zone = "{name}" ({sources["account.day_zone"]}) is not an IANA time zone{hint}'
        ) from None


def _ports(settings: Settings, sources: dict[str, str]) -> None:
    bus = settings.bus
    if bus.tcp and bus.state_port == bus.command_port:
        raise ConfigError(
            f"bus.state_port and bus.command_port are both {bus.state_port} ({sources['bus.command_port']}):"
            " give each its own"
        )


def _armed(settings: Settings, sources: dict[str, str]) -> None:
    """Live orders are armed only by a file its owner wrote: no flag, variable or shipped profile can."""
    source = sources["account.armed"]
    if settings.account.armed and not source.startswith("file:"):
        raise ConfigError(
            f"account.armed ({source}) is refused: live trading is armed only in your own TOML file"
        )


def _owners(settings: Settings, sources: dict[str, str]) -> None:
    """A limit of a scope has somebody who answers for it."""
    kinds = {"account": settings.limits.account, "venue": settings.limits.venue}
    kinds |= {"strategy": settings.limits.strategy, "symbol": settings.limits.symbol}
    sections = {f"{kind}.{name}": scope for kind, named in kinds.items() for name, scope in named.items()}
    for name, scope in {"firm": settings.limits.firm, **sections}.items():
        given = [key for key in scope.__struct_fields__ if getattr(scope, key) not in ("", 0)]
        if given and not scope.owner.strip():
            raise ConfigError(
                f"limits.{name}.{given[0]} ({sources[f'limits.{name}.{given[0]}']}) has no owner:"
                f' add owner = "who answers for it" to [limits.{name}]'
            )


RULES: tuple[Callable[[Settings, dict[str, str]], None], ...] = (
    _ordered,
    _reject_window,
    _risk_window,
    _cash,
    _zone,
    _ports,
    _armed,
    _owners,
)


def _value(settings: Settings, key: str) -> float:
    node: object = settings
    for part in key.split("."):
        node = getattr(node, part)
    assert isinstance(node, int | float), key
    return node

"""Settings from the environment: the ``BOT_`` variables, and ``ANDON_<SECTION>__<KEY>`` for any setting.

A misspelt variable must not be ignored in silence: someone who writes ``BOT_SIGNAL_INTERVALL=5`` believes it is on.
So every unknown ``BOT_`` name is an error, and so is every ``ANDON_`` name with a double underscore in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from config.rules import ConfigError
from config.schema import find, nearest

BOT_VARIABLES = {
    "BOT_BYPASS_INTERACTIVE": "engine.bypass_interactive",
    "BOT_DISABLE_MICROSTRUCTURE_VETO": "engine.disable_microstructure_veto",
    "BOT_DISABLE_MOMENTUM_VETO": "engine.disable_momentum_veto",
    "BOT_REDUCE_API_CALLS": "engine.reduce_api_calls",
    "BOT_SIGNAL_INTERVAL": "engine.signal_interval_s",
    "BOT_MIN_TRADE_INTERVAL": "engine.min_trade_interval_s",
    "BOT_ACCOUNT_CHECK_INTERVAL": "engine.account_check_interval_s",
}


def from_environment(environ: Mapping[str, str], known: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Dotted key -> (text, variable name). ``known`` are the keys set so far, strategies of lower layers included.

    Raises ConfigError for an unknown name, and for one setting given by two variables that differ.
    """
    names = {variable_name(key): key for key in known}
    found: dict[str, tuple[str, str]] = {}
    for variable in sorted(environ):
        key = _key(variable, names)
        if key is None:
            continue
        if key in found and found[key][0] != environ[variable]:
            raise ConfigError(f"{key} is set twice, by {found[key][1]} and by {variable}: unset one of them")
        found[key] = (environ[variable], variable)
    return found


def variable_name(key: str) -> str:
    """``switches.drawdown.limit`` -> ``ANDON_SWITCHES__DRAWDOWN__LIMIT``; a strategy's ``-`` becomes ``_``."""
    return "ANDON_" + key.replace(".", "__").replace("-", "_").upper()


def _key(variable: str, names: Mapping[str, str]) -> str | None:
    if variable.startswith("BOT_"):
        if variable not in BOT_VARIABLES:
            raise ConfigError(f"unknown variable {variable}{nearest(variable, BOT_VARIABLES)}")
        return BOT_VARIABLES[variable]
    if not variable.startswith("ANDON_") or "__" not in variable:
        return None
    if variable in names:
        return names[variable]
    key = variable.removeprefix("ANDON_").replace("__", ".").lower()
    if nearest(variable, names):
        raise ConfigError(f"unknown variable {variable}{nearest(variable, names)}")
    return find(key, f"env:{variable}").key

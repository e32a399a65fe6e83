"""What one setting may be: its unit, its range, and how text or a TOML value becomes it.

Every setting is declared once, in ``config.settings``, as ``Annotated[type, Rule(...)]``. The loader, the
reference file, the printed configuration and every refusal read the same declaration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
TEXT_CHARS_MAX = 200  # a name, a host or a symbol; anything longer is a mistake


class ConfigError(Exception):
    """The configuration cannot be used. The message is one line: what, why, what to do."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Unit and bounds of one setting. ``above`` excludes the lower bound itself."""

    unit: str
    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    choices: tuple[str, ...] = ()
    note: str = ""

    def range_text(self) -> str:
        """The allowed values, as a refusal shows them."""
        if self.choices:
            return " | ".join(self.choices)
        return f"{'(' if self.above else '['}{_short(self.low)}, {_short(self.high)}]"

    def admits(self, number: float) -> bool:
        """Whether ``number`` is finite and in range."""
        if not math.isfinite(number):
            return False
        return (number > self.low if self.above else number >= self.low) and number <= self.high


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting by its dotted name; ``kind`` is bool, int, float, str, list (of str) or map (str to float)."""

    key: str
    kind: str
    rule: Rule


def printable(text: str) -> str:
    """Fit for one line of an error, whatever the text came from."""
    return "".join(c if c.isprintable() else "?" for c in text)


def parse(leaf: Leaf, value: object, source: str) -> Any:
    """Check a TOML value, or the text of an environment variable or option, and return the plain value.

    Raises ConfigError naming the setting, the value, what is allowed, the unit, and where the value came from.
    """
    assert leaf.kind in PARSERS, leaf.kind
    return PARSERS[leaf.kind](leaf, value, source)


def refuse(leaf: Leaf, value: object, allowed: str, source: str) -> ConfigError:
    """The one shape of a refusal."""
    return ConfigError(
        f"{leaf.key} = {_shown(value)} ({source}) is refused: allowed {allowed}, unit {leaf.rule.unit}"
    )


def _bool(leaf: Leaf, value: object, source: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in TRUE + FALSE:
        return value.strip().lower() in TRUE
    raise refuse(leaf, value, "true | false", source)


def _int(leaf: Leaf, value: object, source: str) -> int:
    number = _integer(value)
    if number is None or not leaf.rule.admits(number):
        raise refuse(leaf, value, f"a whole number in {leaf.rule.range_text()}", source)
    return number


def _integer(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**63 else None
    if isinstance(value, str):
        digits = value.strip().replace("_", "")
        unsigned = digits.removeprefix("-")
        if unsigned.isascii() and unsigned.isdigit() and len(unsigned) < 19:
            return int(digits)
    return None


def _float(leaf: Leaf, value: object, source: str) -> float:
    number = _number(value)
    if not leaf.rule.admits(number):
        raise refuse(leaf, value, leaf.rule.range_text(), source)
    return number


def _number(value: object) -> float:
    """The number, or nan, which no rule admits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _str(leaf: Leaf, value: object, source: str) -> str:
    if not isinstance(value, str) or len(value) > TEXT_CHARS_MAX or not (value.isprintable() or not value):
        raise refuse(leaf, value, f"one line of text, at most {TEXT_CHARS_MAX} characters", source)
    if leaf.rule.choices and value not in leaf.rule.choices:
        raise refuse(leaf, value, leaf.rule.range_text(), source)
    return value


def _list(leaf: Leaf, value: object, source: str) -> list[str]:
    items = [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value
    if not isinstance(items, list):
        raise refuse(leaf, value, "a list of names", source)
    names = [_str(leaf, item, source) for item in items]
    if "" in names or len(set(names)) != len(names):
        raise refuse(leaf, value, "a list of names, each once and none empty", source)
    return names


def _map(leaf: Leaf, value: object, source: str) -> dict[str, float]:
    pairs = _pairs(value) if isinstance(value, str) else value
    if not isinstance(pairs, dict):
        raise refuse(leaf, value, "NAME = number pairs", source)
    return {
        name: _float(Leaf(f"{leaf.key}.{name}", "float", leaf.rule), v, source) for name, v in pairs.items()
    }


def _pairs(text: str) -> dict[str, str] | None:
    """``"USDT=1000,BTC=2"`` as a dict; None when it has another shape."""
    found: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = item.partition("=")
        if not equals or not name.strip() or name.strip() in found:
            return None
        found[name.strip()] = number.strip()
    return found


PARSERS = {"bool": _bool, "int": _int, "float": _float, "str": _str, "list": _list, "map": _map}


def _short(number: float) -> str:
    return f"{number:_.0f}" if float(number).is_integer() else f"{number:g}"


def _shown(value: object) -> str:
    text = printable(value if isinstance(value, str) else repr(value))
    return f'"{text[:60]}"' if isinstance(value, str) else text[:60]

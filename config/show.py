"""The configuration in words: what ``andon doctor --print-config`` prints, and the reference file itself."""

from __future__ import annotations

import json
from typing import Any

from config.load import Loaded
from config.rules import Leaf
from config.schema import fields, flat, is_secret
from config.settings import Settings, StrategySettings

COMMENT_COLUMN = 36

HEADER = """\
# Andon: every setting with its default, its range and its unit.
#
# This file is the reference. Copy the lines you change into a file of your own and start with --config FILE.
# Precedence: command line > environment > your TOML > profile > the defaults below. Any setting can also be given
# as ANDON_<SECTION>__<KEY>, for example ANDON_SWITCHES__DRAWDOWN__LIMIT=0.03. Unknown names are errors.
# Secrets never stand here: they come from files, the environment or systemd credentials.
# `andon doctor --print-config` shows the effective values and where each came from.
"""

LIMITS = """
# Limits of one scope beside the firm's: limits.account.ID, limits.venue.NAME, limits.strategy.ID, limits.symbol."SYM",
# with the settings of [limits.firm]. The tightest of all scopes counts, and the refusal names it. For example:
#
# [limits.symbol."BTC/USDT"]
# order_value_max = 50_000.0            # account currency
# owner = "desk"
# rationale = "a tenth of a usual day's depth within 10 basis points"
# date = "2026-01-02"
"""

STRATEGIES = """
# One section per running strategy; its id (a-z, 0-9, -) is the section's name. None by default.
#
# [strategies.maker-1]
"""


def print_config(loaded: Loaded) -> str:
    """The effective configuration as TOML, the source of each value beside it, values of secrets hidden."""
    lines = [f"# profile {loaded.profile or 'none'}, sha256 {loaded.sha256}"]
    section = None
    for leaf, value in flat(loaded.settings):
        name, _, key = leaf.key.rpartition(".")
        if name != section:
            lines += ["", f"[{_header(name)}]"]
            section = name
        lines.append(
            _line(f"{key} = {_masked(leaf.key, value)}", f"{leaf.rule.unit}; {loaded.sources[leaf.key]}")
        )
    return "\n".join(lines) + "\n"


def reference() -> str:
    """The text of ``config/andon.toml``, from the declarations."""
    lines = [HEADER.rstrip()]
    section = None
    for leaf, value in flat(Settings()):
        name, _, key = leaf.key.rpartition(".")
        if name != section:
            lines += ["", f"[{name}]", *_section_notes(name)]
            section = name
        lines.append(_line(f"{key} = {_toml(value)}", _meaning(leaf)))
    return "\n".join([*lines, LIMITS.rstrip(), STRATEGIES.rstrip(), *_strategy_lines()]) + "\n"


def _strategy_lines() -> list[str]:
    example = {f"strategies.maker-1.{name}": name for name in fields(StrategySettings)}
    return [
        "# " + _line(f"{example[leaf.key]} = {_toml(value)}", _meaning(leaf))
        for leaf, value in flat(Settings(strategies={"maker-1": StrategySettings(kind="maker")}))
        if leaf.key in example
    ]


def _section_notes(name: str) -> list[str]:
    node: Any = Settings()
    for part in name.split("."):
        node = getattr(node, part)
    return [f"# {' '.join((type(node).__doc__ or '').split())}"]


def _meaning(leaf: Leaf) -> str:
    allowed = (
        f", {leaf.rule.range_text()}" if leaf.rule.choices or leaf.kind in {"int", "float", "map"} else ""
    )
    note = f"; {leaf.rule.note}" if leaf.rule.note else ""
    return f"{leaf.rule.unit}{allowed}{note}"


def _line(left: str, comment: str) -> str:
    return f"{left:<{COMMENT_COLUMN}}  # {comment}"


def _header(name: str) -> str:
    """A dotted section name as TOML takes it."""
    return ".".join(_key(part) for part in name.split("."))


def _masked(key: str, value: Any) -> str:
    if is_secret(key):
        return '"(hidden)"'
    if isinstance(value, dict):
        return _toml({name: "(hidden)" if is_secret(name) else part for name, part in value.items()})
    return _toml(value)


def _toml(value: Any) -> str:
    """A bool, int, float, str, list of str or map as TOML."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(name)} = {_toml(part)}" for name, part in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:_}" if isinstance(value, int) and value >= 100_000 else repr(value)


def _key(name: str) -> str:
    bare = name and all(c.isascii() and (c.isalnum() or c in "-_") for c in name)
    return name if bare else json.dumps(name, ensure_ascii=False)

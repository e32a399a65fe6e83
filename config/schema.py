"""Names of settings: dotted keys to declarations and back, and the nearest name to a wrong one.

A key is looked up by walking the Structs of ``config.settings``. In ``strategies`` and in the scopes of ``limits`` the
members are named by the user. Nothing is listed twice, so a new field is known everywhere at once.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from config.rules import ConfigError, Leaf, Rule, printable
from config.section import Section
from config.settings import Settings

MEMBER = re.compile(r"[^\s.]{1,64}")
STRATEGY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
KINDS: dict[object, str] = {bool: "bool", int: "int", float: "float", str: "str", tuple: "list", dict: "map"}


class Members(NamedTuple):
    """A section whose members the user names."""

    section: Any


@functools.cache
def fields(section: type[Section]) -> dict[str, Any]:
    """Field name -> its type, annotations kept, in order of declaration."""
    hints = get_type_hints(section, include_extras=True)
    return {name: hints[name] for name in section.__struct_fields__}


def find(key: str, source: str) -> Leaf:
    """The declaration behind a dotted key; ConfigError with the nearest name when there is none."""
    parts = key.split(".")
    node, known = _descend(parts)
    if parts[0] == "strategies" and len(parts) > 1 and not STRATEGY_ID.fullmatch(parts[1]):
        raise ConfigError(
            f"strategy id {printable(parts[1][:40])} ({source}) is refused:"
            " use 1 to 32 of a-z, 0-9 and -, for example maker-1"
        )
    if parts[0] == "limits" and len(parts) > 2 and parts[1] != "firm" and not MEMBER.fullmatch(parts[2]):
        raise ConfigError(
            f"limits of {printable(parts[2][:40])!r} ({source}) are refused: not a name without dots"
        )
    if known < len(parts):
        raise _unknown(parts, node, known, source)
    if get_origin(node) is not Annotated:
        raise ConfigError(f"{key} ({source}) is a section, not a setting: give one of its settings a value")
    return leaf(key, node)


def is_section(key: str) -> bool:
    """Whether a dotted key names a table of settings rather than one setting."""
    parts = key.split(".")
    node, known = _descend(parts)
    return known == len(parts) and (_is_section(node) or isinstance(node, Members))


def leaf(key: str, annotated: Any) -> Leaf:
    """The Leaf of an ``Annotated[type, Rule]``."""
    kind, rule = get_args(annotated)
    assert isinstance(rule, Rule), key
    return Leaf(key, KINDS[get_origin(kind) or kind], rule)


def flat(settings: Section, prefix: str = "") -> Iterator[tuple[Leaf, Any]]:
    """Every setting of a tree with its value, in order of declaration; values are plain (list, dict, scalar)."""
    for name, kind in fields(type(settings)).items():
        value, key = getattr(settings, name), f"{prefix}{name}"
        if isinstance(value, Section):
            yield from flat(value, f"{key}.")
        elif _members(kind) is not None:
            for member in sorted(value):
                yield from flat(value[member], f"{key}.{member}.")
        else:
            yield leaf(key, kind), msgspec.to_builtins(value)


def nearest(name: str, known: Iterable[str]) -> str:
    """`` - did you mean X?``, or nothing."""
    found = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f" - did you mean {found[0]}?" if found else ""


def is_secret(key: str) -> bool:
    """Whether a name looks like it holds a secret; its value is never printed."""
    return re.search(r"secret|token|passw|passphrase|api_?key|private", key, re.IGNORECASE) is not None


def _descend(parts: list[str]) -> tuple[Any, int]:
    """The node at the end of the longest known beginning of a key, and how many parts that is."""
    node: Any = Settings
    for depth, part in enumerate(parts):
        if isinstance(node, Members):
            node = node.section  # any name: the user's own
            continue
        if not _is_section(node) or part not in fields(node):
            return node, depth
        node = _members(fields(node)[part]) or fields(node)[part]
    return node, len(parts)


def _members(kind: Any) -> Members | None:
    """What the user's own names stand for, where a field is a section of sections."""
    parts = get_args(kind) if get_origin(kind) is dict else ()
    return Members(parts[1]) if len(parts) == 2 and _is_section(parts[1]) else None


def _is_section(node: Any) -> bool:
    return isinstance(node, type) and issubclass(node, Section)


def _unknown(parts: list[str], node: Any, known: int, source: str) -> ConfigError:
    """The nearest sibling at the first wrong part, else the nearest of all settings."""
    key = ".".join(parts)
    siblings = difflib.get_close_matches(parts[known], list(fields(node)) if _is_section(node) else [], n=1)
    if siblings:
        hint = f" - did you mean {'.'.join([*parts[:known], siblings[0]])}?"
    else:
        hint = nearest(key, [found.key for found, _ in flat(Settings())])
    secret = ": secrets come from the environment, files or systemd credentials" if is_secret(key) else ""
    return ConfigError(f"unknown setting {printable(key[:80])} ({source}){hint}{secret}")

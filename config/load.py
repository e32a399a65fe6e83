"""Layers of configuration into one frozen Settings, with the source of each value.

Precedence: command line > environment > TOML > profile > default. The source of a value is ``default``,
``profile:NAME``, ``file:PATH``, ``env:VARIABLE`` or ``cli``. Every error is a ConfigError of one line (exit code 2).
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from config.checks import check
from config.rules import ConfigError, parse, printable
from config.schema import find, flat, is_section, nearest
from config.settings import Settings
from config.variables import from_environment

PROFILES = Path(__file__).parent / "profiles"
FILE_BYTES_MAX = 1_000_000


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The effective configuration."""

    settings: Settings
    sources: dict[str, str]  # dotted key -> where its value came from; every setting is here
    sha256: str  # of the effective values, whatever their sources
    profile: str  # name, or empty


class _Layers:
    """Values and their sources while layers are laid over each other."""

    def __init__(self) -> None:
        self.values = {leaf.key: value for leaf, value in flat(Settings())}
        self.sources: dict[str, str] = {}

    def put(self, key: str, value: object, source: str) -> None:
        """Check one value and let it win over what was there."""
        leaf = find(key, source)
        self.values[key] = parse(leaf, value, source)
        self.sources[key] = source

    def put_file(self, path: Path, source: str) -> None:
        """Lay a TOML file over the rest."""
        for key, value in _walk(_read(path), source):
            self.put(key, value, source)


def load(
    profile: str | None,
    config_file: Path | None,
    cli: Mapping[str, str] | None,
    environ: Mapping[str, str],
) -> Loaded:
    """Lay the layers and return the effective configuration; raises ConfigError.

    ``cli`` holds dotted keys and text, as given on the command line.
    """
    layers = _Layers()
    if profile:
        layers.put_file(_profile_path(profile), f"profile:{profile}")
    if config_file is not None:
        layers.put_file(config_file, f"file:{config_file}")
    for key, (text, variable) in from_environment(environ, _possible(layers.values)).items():
        layers.put(key, text, f"env:{variable}")
    for key, text in (cli or {}).items():
        layers.put(key, text, "cli")
    if not layers.values["operator.name"]:
        layers.values["operator.name"] = environ.get("USER") or environ.get("LOGNAME") or "operator"
    return _finish(layers, profile or "")


def profiles() -> list[str]:
    """Names of the shipped profiles."""
    return sorted(path.stem for path in PROFILES.glob("*.toml"))


def _finish(layers: _Layers, profile: str) -> Loaded:
    nested = _nest(layers.values)
    for name, strategy in nested.get("strategies", {}).items():
        if "kind" not in strategy:
            raise ConfigError(
                f'strategies.{name} has no kind: add kind = "momentum" or another worked strategy'
            )
    settings = msgspec.convert(nested, Settings)
    values = {leaf.key: value for leaf, value in flat(settings)}
    sources = {key: layers.sources.get(key, "default") for key in values}
    check(settings, sources)
    digest = hashlib.sha256(msgspec.json.encode(values, order="sorted")).hexdigest()
    return Loaded(settings=settings, sources=sources, sha256=digest, profile=profile)


def _profile_path(name: str) -> Path:
    if name not in profiles():
        shown = printable(name[:40])
        raise ConfigError(
            f'unknown profile "{shown}"{nearest(name, profiles())}: there are {", ".join(profiles())}'
        )
    return PROFILES / f"{name}.toml"


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            raise ConfigError(f"{path} is larger than {FILE_BYTES_MAX} bytes: it is no configuration")
        return tomllib.loads(raw.decode())
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text: save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path} is not valid TOML: {reason}") from None


def _walk(table: dict[str, Any], source: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of a TOML table; a map setting (``cash``, ``params``) is one value."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and is_section(key):
            yield from _walk(value, source, f"{key}.")
        else:
            yield key, value


def _possible(values: Mapping[str, Any]) -> list[str]:
    """Keys an environment variable may name: all settings, and every field of the strategies seen so far."""
    members = {key.split(".")[1] for key in values if key.startswith("strategies.")}
    fields = ("kind", "enabled", "symbols", "notional", "kelly_fraction", "params")
    return [*values, *(f"strategies.{member}.{field}" for member in members for field in fields)]


def _nest(values: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in values.items():
        *path, last = key.split(".")
        node = nested
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return nested

"""Where the files of one installation are. The sockets' place is the bus's own business (``bus.address``)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def data_dir(given: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The data folder, absolute, not created: the option, else ``$ANDON_HOME``, else the platform's folder."""
    environ = os.environ if environ is None else environ
    chosen = str(given) if given else environ.get("ANDON_HOME", "")
    path = Path(chosen) if chosen else _platform_dir(environ)
    return Path(os.path.abspath(path.expanduser()))


def default_config_file(data: Path) -> Path | None:
    """``<data-dir>/andon.toml`` when there is one: what a start without ``--config`` reads."""
    path = data / "andon.toml"
    return path if path.exists() else None


def _platform_dir(environ: Mapping[str, str]) -> Path:
    home = Path(environ["HOME"]) if environ.get("HOME") else Path("~").expanduser()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "andon"
    shared = environ.get("XDG_DATA_HOME", "")
    return (Path(shared) if Path(shared).is_absolute() else home / ".local" / "share") / "andon"

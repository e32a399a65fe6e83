"""How a core is started."""

from __future__ import annotations

from pathlib import Path

import msgspec

from config.load import Loaded


class CoreOptions(msgspec.Struct, kw_only=True):
    """What the command line has made up its mind about."""

    data_dir: Path
    loaded: Loaded
    profile: str = "paper"
    venues: tuple[str, ...] = ()
    replay: Path | None = None
    speed: float = 1.0  # of a tape; inf = flat out
    headless_seconds: float = 0.0  # 0 = until told to stop
    quiet: bool = False
    seed: int = 0  # 0 = the configured one
    symbol: str | None = None
    skip_bad: bool = False

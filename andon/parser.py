"""argparse with the house manners: errors are one line, exit 2, and name the nearest word."""

from __future__ import annotations

import argparse
import math
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from andon.errors import UsageError


class Parser(argparse.ArgumentParser):
    """No abbreviations (``--re`` must not mean ``--report`` today and ``--reason`` tomorrow), no exit on its own."""

    def __init__(self, prog: str, description: str, examples: str = "") -> None:
        epilog = f"examples:\n{examples}" if examples else None
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and exiting."""
        options = [option for action in self._actions for option in action.option_strings]
        hint = _nearest_of(message, options)
        raise UsageError(f"{self.prog}: {message}{hint}", f"see {self.prog} --help")


def nearest(word: str, words: list[str]) -> str:
    """`` (did you mean …?)`` or nothing."""
    from difflib import get_close_matches

    found = get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    return f" (did you mean {found[0]}?)" if found else ""


def _nearest_of(message: str, options: list[str]) -> str:
    if unknown := re.match(r"unrecognized arguments: (\S+)", message):
        word = unknown[1].partition("=")[0]
        return nearest(word, options)
    if choice := re.match(r".*invalid choice: '(.*)' \(choose from (.*)\)$", message, re.DOTALL):
        return nearest(choice[1], re.findall(r"'([^']*)'", choice[2]))
    return ""


def common(parser: argparse.ArgumentParser) -> None:
    """What every command takes."""
    group = parser.add_argument_group("everywhere")
    group.add_argument("--json", action="store_true", help="print JSON, one object a line")
    group.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML); precedence: command line,"
                       " environment, this file, defaults")  # fmt: skip
    group.add_argument("--data-dir", type=Path, metavar="DIR", help="the core's folder (default: $ANDON_HOME,"
                       " else the user's data folder)")  # fmt: skip


def target(parser: argparse.ArgumentParser) -> None:
    """Which core a client command talks to, when it is not the data folder's own."""
    group = parser.add_argument_group("which core")
    group.add_argument("--attach", metavar="ENDPOINT", help="command endpoint of a core elsewhere (tcp://…, ipc://…)"
                       " or the data folder it runs on")  # fmt: skip
    group.add_argument(
        "--key", metavar="NAME", help="key pair to identify with (see andon keys new); TCP only"
    )


def seconds(text: str) -> float:
    """A finite, positive number of seconds."""
    value = _float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return value


def positive(text: str) -> float:
    """A finite, positive number."""
    value = _float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def speed(text: str) -> float:
    """``max`` or a positive multiple of real time."""
    return math.inf if text.strip().lower() == "max" else positive(text)


def since(text: str) -> int:
    """ns UTC: so long ago (90s, 15m, 2h, 7d), or an ISO time (UTC unless it names a zone)."""
    if ago := re.fullmatch(r"([0-9]{1,9})([smhd])", text):
        units_s = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
        return time.time_ns() - int(ago[1]) * units_s[ago[2]] * 1_000_000_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 15m, 2h, 7d nor 2026-11-20T14:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e9)


def natural(text: str) -> int:
    """A whole number from 0 to 2^63 - 1 (what a seed or a count can be)."""
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 10^18")
    return int(text)


def decimal(text: str) -> str:
    """A finite, positive decimal, kept as its text: prices and sizes cross the wire unrounded."""
    if not re.fullmatch(r"[0-9]{0,18}(\.[0-9]{0,18})?", text) or not text.strip("0."):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive decimal number")
    return text


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None

"""Colours, glyphs and frames.

The screen is grey until something needs a human: saturated colour means halted, stale or an alarm nobody has
acknowledged. Every meaning also has a word or a glyph, so that ``NO_COLOR`` and the ASCII set lose nothing.
Contrast against the background is tested (text at least 4.5:1).
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style

BACKGROUND = "#121212"
RAISED = "#242424"  # the cursor row

PALETTE: dict[str, tuple[str, str, str]] = {  # name -> (foreground, background, attributes)
    "text": ("#E0E0E0", BACKGROUND, ""),
    "bold": ("#FFFFFF", BACKGROUND, "bold"),
    "dim": ("#8A8A8A", BACKGROUND, ""),
    "frame": ("#5F5F5F", BACKGROUND, ""),
    "title": ("#C8C8C8", BACKGROUND, "bold"),
    "up": ("#56B4E9", BACKGROUND, ""),
    "down": ("#E69F00", BACKGROUND, ""),
    "old": ("#D7BA7D", BACKGROUND, ""),
    "doubtful": ("#8A8A8A", BACKGROUND, "italic"),
    "near": ("#F0E442", BACKGROUND, "bold"),
    "medium": ("#CC79A7", BACKGROUND, "bold"),
    "plot": ("#5C6870", BACKGROUND, ""),
    "key": ("#FFFFFF", BACKGROUND, "bold"),
    "high": ("#121212", "#F0E442", "bold"),
    "stale": ("#121212", "#D7BA7D", "bold"),
    "halted": ("#FFFFFF", "#B3261E", "bold"),
    "running": ("#121212", "#E69F00", "bold"),
    "chip": ("#FFFFFF", "#3C3C3C", "bold"),
    "live": ("#121212", "#E0E0E0", "bold"),
    "code": ("#121212", "#F0E442", "bold"),
    "cursor": ("#FFFFFF", RAISED, ""),
}

FRAME_PARTS = "┌─┐│└┘"
FRAMES = {"PAPER": "┌─┐│└┘", "LIVE": "╔═╗║╚╝", "REPLAY": "┌╌┐╎└┘"}  # the environment shows at every edge

ASCII = str.maketrans(
    {
        **dict.fromkeys("┌┐└┘╔╗╚╝┼┤├", "+"),
        **dict.fromkeys("─╌", "-"),
        **dict.fromkeys("│║╎", "|"),
        **dict.fromkeys("█▇▆▅", "#"),
        **dict.fromkeys("▄▃", "="),
        **dict.fromkeys("▂▁", "_"),
        "═": "=",
        "·": ".",
        "—": "-",
        "…": "~",
        "‼": "H",
        "●": "*",
        "○": "o",
        "◐": "%",
        "■": "X",
        "▲": "^",
        "▼": "v",
        "▸": ">",
        "→": ">",
        "↑": "^",
        "↓": "v",
        "×": "x",
        "✖": "!",
    }
)


def build_styles() -> dict[str, Style]:
    """The palette as Rich styles."""
    return {
        name: Style(color=fg, bgcolor=bg, bold="bold" in attributes, italic="italic" in attributes)
        for name, (fg, bg, attributes) in PALETTE.items()
    }


def on_cursor(style: Style) -> Style:
    """The same words on the cursor row; reverse blocks keep their own ground."""
    plain = style.bgcolor is not None and style.bgcolor.name.upper() == BACKGROUND
    return style + Style(bgcolor=RAISED, bold=True) if plain else style


def frame_for(env: str) -> str:
    """Corner, edge, corner, side, corner, corner of the environment; unknown ones look like LIVE."""
    return FRAMES.get(env, FRAMES["LIVE"]) if env else FRAMES["PAPER"]


def wants_ascii(env: Mapping[str, str]) -> bool:
    """``ANDON_ASCII=1``, or a locale that cannot say more."""
    if env.get("ANDON_ASCII"):
        return env["ANDON_ASCII"] not in ("0", "false", "no")
    locale = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or ""
    return locale in ("C", "POSIX") or "8859" in locale

"""Whole screens as text, at both sizes and in every state that matters. ``UPDATE_GOLDEN=1`` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from console import settle, shown, text
from scenarios import SCENARIOS

GOLDEN = Path(__file__).parent / "golden"
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
DASHBOARDS = [
    "connecting",
    "running",
    "stale",
    "link_lost",
    "near_limit",
    "halted",
    "killing",
    "flood",
    "live",
]
PAGES = [
    ("running", "2", "80x24"),
    ("stale", "2", "120x40"),
    ("running", "3", "80x24"),
    ("running", "3", "120x40"),
    ("near_limit", "4", "80x24"),
    ("algos", "5", "80x24"),
    ("algos", "5", "120x40"),
    ("running", "5", "80x24"),
    ("halted", "4", "120x40"),
    ("flood", "7", "80x24"),
    ("flood", "7", "120x40"),
    ("killing", "0", "80x24"),
    ("killing", "0", "120x40"),
    ("link_lost", "0", "80x24"),
    ("running", "?", "80x24"),
    ("running", "?", "120x40"),
]


def compare(name: str, screen: str) -> None:
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(screen + "\n")
    assert screen + "\n" == path.read_text(), f"{path.name} differs; look, then UPDATE_GOLDEN=1"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DASHBOARDS)
async def test_dashboard(name, size):
    async with shown(SCENARIOS[name](), SIZES[size]) as (app, pilot):
        if name == "link_lost":
            app.clock.advance(12)
            await settle(app, pilot)
        compare(f"1-{name}-{size}", text(app))


@pytest.mark.parametrize(("name", "page", "size"), PAGES)
async def test_page(name, page, size):
    async with shown(SCENARIOS[name](), SIZES[size]) as (app, pilot):
        app.goto(page)
        await settle(app, pilot)
        compare(f"{'help' if page == '?' else page}-{name}-{size}", text(app))


async def test_ascii_says_the_same_without_a_single_glyph():
    async with shown(SCENARIOS["halted"](), (120, 40), ascii=True) as (app, _pilot):
        screen = text(app)
        compare("1-halted-ascii-120x40", screen)
        assert screen.isascii()


async def test_code_dialog():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        app.deeds.make_guard = lambda env: __import__("tui.guard", fromlist=["Guard"]).Guard(
            env, make=lambda e: "KTRW"
        )
        await pilot.press("0", "f")
        await settle(app, pilot)
        compare("0-flatten-code-80x24", text(app))


async def test_a_terminal_too_small_says_so_and_keeps_the_state_word():
    async with shown(SCENARIOS["halted"](), (70, 20)) as (app, _pilot):
        screen = text(app)
        assert "HALTED" in screen
        assert "needs 80x24" in screen
        assert "DISTANCE" not in screen

"""The typed one-time code: the only way to flatten, to re-arm and to start, and not by accident."""

from __future__ import annotations

from console import settle, shown, text
from scenarios import SCENARIOS
from textual import events

from tui.guard import Guard

CODE = "KTRW"


def fixed_codes(app) -> None:
    codes = iter([CODE, "MNPR", "ACDE", "FHJK"])
    app.deeds.make_guard = lambda env: Guard(env, make=lambda e: next(codes))


async def open_flatten(app, pilot) -> None:
    fixed_codes(app)
    await pilot.press("0", "f")
    await pilot.pause()
    assert app.code.open
    assert not app.link.sent


async def test_the_code_confirms():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await open_flatten(app, pilot)
        app.clock.advance(0.6)
        await pilot.press(*CODE.lower())
        assert not app.link.sent  # typing it is not yet saying yes
        await pilot.press("enter")
        assert app.link.sent[0]["data"] == {"scope": "all", "level": "flatten"}
        assert not app.code.open


async def test_type_ahead_confirms_nothing_however_late_it_is_handled():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        fixed_codes(app)
        app.key_offset_s = -30.0  # read from the keyboard half a minute before they are handled
        await pilot.press("0", "f", *CODE, "enter")
        app.clock.advance(0.6)
        await pilot.press(*CODE, "enter")
        assert not app.link.sent
        assert app.code.open
        assert app.code.guard.typed == ""


async def test_keys_within_half_a_second_of_the_paint_do_not_count():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await open_flatten(app, pilot)
        app.clock.advance(0.49)
        await pilot.press(*CODE, "enter")
        assert not app.link.sent
        assert app.code.guard.typed == ""


async def test_enter_before_the_whole_code_is_cancel():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await open_flatten(app, pilot)
        app.clock.advance(1)
        await pilot.press(*CODE[:3], "enter")
        assert not app.link.sent
        assert not app.code.open
        assert "nothing was sent" in text(app)


async def test_a_paste_confirms_nothing():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await open_flatten(app, pilot)
        app.clock.advance(1)
        app.post_message(events.Paste(CODE + "\n"))
        await pilot.pause()
        assert app.code.open
        assert app.code.guard.typed == ""
        assert not app.link.sent


async def test_the_code_expires_after_ten_seconds():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await open_flatten(app, pilot)
        app.clock.advance(5)
        await settle(app, pilot)
        assert app.code.open
        app.clock.advance(5.1)
        await settle(app, pilot)
        assert not app.code.open
        await pilot.press(*CODE, "enter")
        assert not app.link.sent


async def test_a_wrong_code_is_replaced_and_three_end_it():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await open_flatten(app, pilot)
        app.clock.advance(1)
        await pilot.press(*"XXXX")
        assert app.code.guard.code != CODE
        await pilot.press(*CODE, *"XXXX")
        assert not app.code.open
        assert not app.link.sent


async def test_a_page_key_leaves_the_dialog():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await open_flatten(app, pilot)
        app.clock.advance(1)
        await pilot.press("7")
        assert app.page_number == "7"
        assert not app.code.open
        assert not app.link.sent


async def test_live_must_be_typed_in_live():
    async with shown(SCENARIOS["live"]()) as (app, pilot):
        await pilot.press("0", "f")
        await pilot.pause()
        assert app.code.guard.code.startswith("LIVE")
        assert len(app.code.guard.code) == 8


async def test_rearm_wants_the_code_and_then_a_reason():
    async with shown(SCENARIOS["halted"]()) as (app, pilot):
        fixed_codes(app)
        await pilot.press("4", "R")
        await pilot.pause()
        app.clock.advance(1)
        await pilot.press(*CODE, "enter")
        assert not app.link.sent
        await pilot.press(*"checked", "enter")
        assert app.link.sent[0]["type"] == "rearm"
        assert app.link.sent[0]["data"] == {"switch": "drawdown@all"}
        assert app.link.sent[0]["reason"] == "checked"
        assert app.scene().word == "HALTED"  # until the core says otherwise


async def test_leaving_the_reason_sends_nothing():
    async with shown(SCENARIOS["halted"]()) as (app, pilot):
        fixed_codes(app)
        await pilot.press("4", "R")
        await pilot.pause()
        app.clock.advance(1)
        await pilot.press(*CODE, "enter", "x", "escape")
        assert not app.link.sent
        assert "nothing was sent" in text(app)


async def test_words_that_cannot_be_undone_ask_for_the_code():
    async with shown(SCENARIOS["halted"]()) as (app, _pilot):
        for line in ["flatten", "kill flatten", "kill shutdown", "start", "rearm drawdown because"]:
            app.deeds.run(line)
            assert app.code.open, line
            app.code.close()
        assert not app.link.sent

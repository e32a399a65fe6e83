"""Keys and words: where they lead, what they send, and what they may not do."""

from __future__ import annotations

from console import settle, shown, text
from scenarios import SCENARIOS
from textual import events

from tui.actions import PAGES
from tui.panic import Pull


class FakeCord:
    """Counts pulls; the real one is tested with real sockets."""

    last = None

    def __init__(self) -> None:
        self.pulled = 0

    def pull(self) -> None:
        self.pulled += 1

    def unanswered(self) -> bool:
        return False


def types(app) -> list[str]:
    return [s["type"] for s in app.link.sent]


async def test_the_chord_cancels_all_from_every_page_and_once_only_opens_the_panel():
    cord = FakeCord()
    async with shown(SCENARIOS["running"](), cord=cord) as (app, pilot):
        for pulls, page in enumerate(PAGES):
            app.goto(page)
            await pilot.press("ctrl+backslash")
            assert (app.page_number, cord.pulled) == ("0", pulls), page
            await pilot.press("ctrl+backslash")
            assert cord.pulled == pulls + 1, page
        assert not app.link.sent


async def test_two_presses_too_far_apart_are_no_chord():
    cord = FakeCord()
    async with shown(SCENARIOS["running"](), cord=cord) as (app, pilot):
        await pilot.press("ctrl+backslash")
        app.clock.advance(2.1)
        await pilot.press("ctrl+backslash")
        assert cord.pulled == 0


async def test_the_chord_works_over_a_dialog_and_over_lines_being_typed():
    cord = FakeCord()
    async with shown(SCENARIOS["running"](), cord=cord) as (app, pilot):
        for pulls, opener in enumerate([("0", "f"), ("1", "colon", "h"), ("2", "slash", "x")]):
            await pilot.press(*opener, "ctrl+backslash", "ctrl+backslash")
            assert cord.pulled == pulls + 1, opener
            assert app.page_number == "0"
            assert not app.code.open
            assert app.footer.prompt is None


async def test_halt_new_and_cancel_all_take_two_keys_and_no_dialog():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await pilot.press("0", "c")
        assert app.link.sent[0]["type"] == "kill"
        assert app.link.sent[0]["data"] == {"scope": "all", "level": "halt"}
        await pilot.press("h")
        assert app.link.sent[1]["data"] == {"scope": "all", "level": "reduce"}


async def test_no_letter_commands_anything_on_the_dashboard():
    async with shown(SCENARIOS["halted"]()) as (app, pilot):
        await pilot.press("c", "h", "f", "R", "s", "a", "A", "z", "enter", "space")
        assert not app.link.sent
        assert not app.code.open


async def test_a_paste_into_a_line_is_not_sent_until_a_key_says_so():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await pilot.press("colon")
        app.post_message(events.Paste("halt because\nstop\n"))
        await pilot.pause()
        assert app.footer.prompt.text == "halt because"
        assert not app.link.sent
        await pilot.press("enter")
        assert app.link.sent[0]["reason"] == "because"


async def test_the_screen_follows_the_core_and_not_the_key():
    core = SCENARIOS["running"]()
    async with shown(core, (120, 40)) as (app, pilot):
        await pilot.press("0", "c")
        await settle(app, pilot)
        assert "● ACTIVE" in text(app)
        assert "SENT" in text(app)
        app.clock.advance(0.009)
        core.reply(app.link.sent[0], "accepted")
        await settle(app, pilot)
        assert "● ACTIVE" in text(app)
        assert "ack 9 ms" in text(app)
        core.state("HALTED", latched=["operator"], operator="alice", reason="operator at console")
        core.reply(app.link.sent[0], "done", cancelled=5, cancel_total=5, receipt="5f0c")
        await settle(app, pilot)
        assert "■ HALTED" in text(app)
        assert "DONE" in text(app)
        assert "cancelled 5/5" in text(app)
        assert "5f0c" in text(app)


async def test_no_answer_in_a_second_is_an_alarm_with_the_way_round():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await pilot.press("0", "c")
        app.clock.advance(1.2)
        await settle(app, pilot)
        assert "‼1" in text(app)
        await pilot.press("7")
        await settle(app, pilot)
        assert "no answer to kill halt in 1 s" in text(app)
        assert "andon kill --reason" in text(app)


async def test_a_cord_nobody_answers_is_an_alarm_until_somebody_does():
    cord = FakeCord()
    async with shown(SCENARIOS["running"](), cord=cord) as (app, pilot):
        cord.last = Pull("p1", app.clock.mono)
        app.clock.advance(0.9)
        await settle(app, pilot)
        assert "SENT, no answer yet" in text(app)
        assert "‼0" in text(app)
        app.clock.advance(0.2)
        await settle(app, pilot)
        assert "‼1" in text(app)
        cord.last = Pull("p1", app.clock.mono - 2, status="accepted", sent_ms=1.0, ack_ms=1500.0)
        await settle(app, pilot)
        assert "‼0" in text(app)
        assert "ACK 1500 ms" in text(app)


async def test_words():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await pilot.press("colon", *"halt", "space", *"why", "enter")
        assert types(app) == ["kill"]
        assert app.link.sent[0]["data"] == {"scope": "all", "level": "halt"}
        assert app.link.sent[0]["reason"] == "why"
        for line, type_ in [
            ("kill reduce venue:sim why not", "kill"),
            ("stop", "stop"),
            ("ack a1", "acknowledge_alert"),
            ("shelve a1 30 maintenance", "shelve_alert"),
        ]:
            app.deeds.run(line)
            assert types(app)[-1] == type_, line
        _, kill, _, _, shelve = app.link.sent
        assert kill["data"] == {"scope": "venue:sim", "level": "reduce"}
        assert kill["reason"] == "why not"
        assert shelve["data"] == {"id": "a1", "for_s": 1800}
        assert shelve["reason"] == "maintenance"


WRONG = [
    ("frobnicate", "no command :frobnicate"),
    ("shelve a1 90 x", "1 to 60 minutes"),
    ("shelve a1 30", "MINUTES REASON"),
    ("shelve k1 30 noisy", "high alarm cannot be shelved"),
    ("shelve nope 30 x", "no alarm"),
]


async def test_words_that_are_wrong_say_why_and_send_nothing():
    async with shown(SCENARIOS["halted"]()) as (app, pilot):
        for line, says in WRONG:
            app.deeds.run(line)
            app.paint()
            await pilot.pause()
            assert says in text(app)
        assert not app.link.sent


async def test_going_about():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        for key in "234701":
            await pilot.press(key)
            assert app.page_number == key
        await pilot.press("question_mark")
        assert app.page_number == "?"
        await pilot.press("escape")
        assert app.page_number == "1"
        for line, page in [("goto pos", "2"), ("alarms", "7"), ("goto 3", "3"), ("kill-panel", "0")]:
            app.deeds.run(line)
            assert app.page_number == page, line


async def test_view_only_looks_and_stops_and_nothing_else():
    cord = FakeCord()
    async with shown(SCENARIOS["halted"](), view_only=True, cord=cord) as (app, pilot):
        assert "[VIEW]" in text(app)
        for line in [
            "flatten",
            "kill flatten",
            "kill shutdown",
            "rearm drawdown x",
            "start",
            "ack a1",
            "shelve a1 5 x",
        ]:
            app.deeds.run(line)
        await pilot.press("4", "R", "s", "7", "a", "A", "z", "0", "f", "R", "s")
        assert not app.link.sent
        assert not app.code.open
        await pilot.press("c", "ctrl+backslash", "ctrl+backslash")
        assert types(app) == ["kill"]
        assert cord.pulled == 1


async def test_acknowledging_asks_the_core():
    core = SCENARIOS["running"]()
    async with shown(core) as (app, pilot):
        await pilot.press("7", "a")
        assert app.link.sent[0]["data"] == {"id": "a1"}
        await settle(app, pilot)
        assert "!1" in text(app)
        core.alert(
            "a1", "medium", "switch.position_loss", "SOL/USDT uses 61%", 98, status="ACK", operator="alice"
        )
        await settle(app, pilot)
        assert "!0" in text(app)


async def test_filter_moves_and_order():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await pilot.press("2")
        await settle(app, pilot)
        grid = app.page.grid
        assert grid.selected == "BTC/USDT"
        await pilot.press("j", "j", "k", "G")
        assert grid.selected == "XRP/USDT"
        await pilot.press("slash", *"usdt", "space", *"!btc", "enter")
        assert grid.keys == ["SOL/USDT", "ETH/USDT", "AVAX/USDT", "XRP/USDT"]
        assert "filter:usdt !btc  4 shown" in text(app)
        await pilot.press("o", "o")
        assert grid.keys == ["AVAX/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"]
        await pilot.press("1", "2")
        assert grid.words == "usdt !btc"  # a page keeps its state


async def test_leaving_sends_nothing():
    async with shown(SCENARIOS["running"]()) as (app, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running
        assert not app.link.sent


async def test_values_stay_and_are_marked_when_the_link_goes_and_the_app_stays():
    core = SCENARIOS["running"]()
    async with shown(core) as (app, pilot):
        core.lose()
        await settle(app, pilot)
        app.clock.advance(11)
        await settle(app, pilot)
        screen = text(app)
        assert "LINK LOST 11 s" in screen
        assert "STALE 11s" in screen
        assert "~1,002,341" in screen
        assert "~14:03:33Z" in screen
        core.heartbeat()
        core.book()
        core.snapshot()
        await settle(app, pilot)
        assert "LINK LOST" not in text(app)
        assert "STALE" not in text(app).replace("stale_data", "")


async def test_flood_of_events_is_folded_in_one_tick():
    core = SCENARIOS["running"]()
    async with shown(core) as (app, pilot):
        for i in range(3000):
            core.account(1_000_000.0 + i)
        await settle(app, pilot)
        assert app.view.account.equity == 1_002_999.0
        assert "EQ 1,002,999" in text(app)

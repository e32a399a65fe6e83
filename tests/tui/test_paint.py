"""What painting costs: rows that did not change are not painted, rows that are not visible are not even formatted."""

from __future__ import annotations

import pytest
from console import settle, shown, text
from fake_core import FakeCore
from scenarios import SCENARIOS

from tui import draw, format
from tui.lines.table import Column, join, matches
from tui.scene import ends, fit, width_of
from tui.theme import wants_ascii
from tui.widgets.painted import Painted


async def test_nothing_changed_nothing_painted():
    async with shown(SCENARIOS["running"](), (120, 40)) as (app, _pilot):
        scene = app.scene()
        assert sum(p.pull(scene) for p in app.query(Painted)) == 0


async def test_one_row_changed_one_row_painted():
    core = SCENARIOS["running"]()
    async with shown(core, (120, 40)) as (app, pilot):
        app.goto("2")
        await settle(app, pilot)
        core.position("ETH/USDT", -11.0, 3154.0, 3120.5, strategies={"maker": -11.0}, working_buy=3.0)
        app.pump.fold()
        assert app.page.grid.pull(app.scene()) == 1
        await pilot.pause()
        assert "-11.000" in text(app)


async def test_five_thousand_rows_format_only_what_is_seen():
    core = FakeCore()
    core.state()
    for i in range(5000):
        core.position(f"S{i:04d}", 1.0 + i, 10.0, 10.1)
    core.heartbeat()
    core.snapshot()
    async with shown(core, (120, 40)) as (app, pilot):
        app.goto("2")
        await settle(app, pilot)
        grid = app.page.grid
        asked: list[str] = []
        cells = grid.table.cells
        object.__setattr__(grid.table, "cells", lambda scene, key: (asked.append(key), cells(scene, key))[1])
        try:
            await pilot.press("G")
            assert grid.selected == "S0000"
            assert len(set(asked)) <= 40
            asked.clear()
            app.paint()
            assert len(asked) <= 40
        finally:
            object.__setattr__(grid.table, "cells", cells)


async def test_order_of_rows_rests_between_changes():
    core = SCENARIOS["running"]()
    async with shown(core) as (app, pilot):
        app.goto("2")
        await settle(app, pilot)
        before = list(app.page.grid.keys)
        core.position("AVAX/USDT", 90_000.0, 38.1, 38.0)
        await settle(app, pilot)
        assert app.page.grid.keys == before  # not while it is being read
        core.position("NEW/USDT", 1.0, 1.0, 1.0)
        await settle(app, pilot)
        assert "NEW/USDT" in app.page.grid.keys  # but a new row shows at once
        app.clock.advance(0.6)
        await settle(app, pilot)
        assert app.page.grid.keys[0] == "AVAX/USDT"


async def test_the_paint_waits_while_the_terminal_has_not_taken_the_last_frames():
    core = SCENARIOS["running"]()
    async with shown(core) as (app, pilot):
        backlog = [9]
        app.backlog = lambda: backlog[0]
        core.account(900_000.0)
        await settle(app, pilot)
        assert app.view.account.equity == 900_000.0  # the view goes on
        assert "900,000" not in text(app)
        assert app.pump.skipped == 1
        backlog[0] = 0
        await settle(app, pilot)
        assert "900,000" in text(app)


async def test_numbers_wait_a_fifth_of_a_second_and_what_matters_does_not():
    core = SCENARIOS["running"]()
    async with shown(core) as (app, pilot):
        app.pump.beat()
        core.account(900_000.0)
        app.clock.advance(0.05)
        app.pump.beat()
        await pilot.pause()
        assert "900,000" not in text(app)
        core.state("HALTED")
        app.clock.advance(0.05)
        app.pump.beat()
        await pilot.pause()
        assert "HALTED" in text(app)
        assert "900,000" in text(app)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (format.money(-3210.4, sign=True), "-3,210"),
        (format.money(-0.2, sign=True), "0"),
        (format.money(None), "—"),
        (format.price(64117.2), "64,117.2"),
        (format.price(0.5213), "0.521300"),
        (format.quantity(-12.0, sign=True), "-12.000"),
        (format.quantity(0.0), "0"),
        (format.percent(-0.0032, sign=True), "-0.32%"),
        (format.percent(0.0, sign=True), "0.00%"),
        (format.in_unit(0.0109, "fraction"), "1.09%"),
        (format.in_unit(1.8, "ratio"), "1.80x"),
        (format.in_unit(None, "s"), "—"),
        (format.age(None), "?"),
        (format.age(999_999_999), "<1s"),
        (format.age(75 * 10**9), "75s"),
        (format.age(7200 * 10**9), "2h"),
        (format.clock(0), "--:--:--"),
        (format.clock(86_399 * 10**9), "23:59:59"),
        (draw.bar(0.0, 10), "··········"),
        (draw.bar(0.001, 10), "█·········"),
        (draw.bar(0.999, 10), "█████████·"),
        (draw.bar(1.0, 10), "██████████"),
        (draw.bar(None, 4), "????"),
        (draw.spark([0, 1, 2, 3], 4), "▁▃▆█"),
    ],
)
def test_words(made, expected):
    assert made == expected


def test_a_plot_spans_its_range_and_its_room():
    rows = draw.plot([0.0, 5.0, 10.0], 3, 2, 0.0, 10.0)
    assert rows == ["  █", "▁██"]


def test_stretch_keeps_the_last_known_value():
    assert draw.stretch([(0, 1.0), (10, 2.0), (11, 3.0)], 4) == [1.0, 1.0, 1.0, 3.0]


def test_lines_fit_exactly():
    line = (("abc", "text"), ("defgh", "dim"))
    assert fit(line, 5) == (("abc", "text"), ("de", "dim"))
    assert width_of(fit(line, 20)) == 20
    assert width_of(ends(line, (("right", "text"),), 20)) == 20
    assert ends(line, (("right", "text"),), 10) == fit(line, 10)


def test_a_cell_too_long_says_so():
    columns = (Column("A", 4), Column("B", 4, right=True))
    cells = [("abcdef", "text"), ("1", "text")]
    assert "".join(t for t, _ in join(cells, columns, 9)) == "abc…    1"


def test_filter_words():
    assert matches("btc !venue", "BTC/USDT", "sim")
    assert not matches("btc !sim", "BTC/USDT", "sim")
    assert matches("", "x")
    assert matches("!", "x")


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, False),
        ({"LANG": "C"}, True),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"ANDON_ASCII": "1"}, True),
        ({"ANDON_ASCII": "0", "LANG": "C"}, False),
    ],
)
def test_when_ascii(env, expected):
    assert wants_ascii(env) is expected

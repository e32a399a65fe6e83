"""What must hold of the code itself: keys, widths, colours, imports."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len

from tui import actions, theme
from tui.lines.alarms import ALARMS
from tui.lines.algos import ALGOS
from tui.lines.help import HELP
from tui.lines.orders import ORDERS
from tui.lines.positions import POSITIONS
from tui.lines.switches import SWITCHES
from tui.lines.table import shown

TUI = Path(__file__).parents[2] / "tui"
PAGES = list(actions.PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_no_key_means_two_things_on_a_page(page):
    keys = [key for a in actions.for_page(page) for key in a.keys]
    assert len(keys) == len(set(keys))


def test_no_reserved_keys_and_every_action_explains_itself():
    for action in actions.ACTIONS:
        assert not set(action.keys) & actions.RESERVED
        assert len(action.help) > 5, action.id
        assert action.keys or action.command, action.id


@pytest.mark.parametrize("view_only", [False, True])
@pytest.mark.parametrize("page", PAGES)
def test_the_cord_and_the_pages_work_everywhere(page, view_only):
    assert actions.find(page, "ctrl+backslash", view_only).id == "kill_panel"
    for number in PAGES:
        key = "question_mark" if number == "?" else number
        assert actions.find(page, key, view_only).id == f"goto:{number}"


def test_only_the_kill_panel_has_letters_that_act_at_once():
    for action in actions.ACTIONS:
        if action.danger == "stop" and action.keys and action.id != "kill_panel":
            assert action.pages == {"0"}, action.id
        if action.danger == "typed":
            assert action.label.endswith("…"), action.id


@pytest.mark.parametrize("page", PAGES)
def test_the_footer_fits_eighty_columns_with_nine_actions_at_most(page):
    hints = actions.footer(page)
    text = "  ".join(f"{key} {label}" for key, label in hints)
    assert len(text) + 2 <= 80, text
    assert len(hints) <= 9
    assert hints[-1][0] == "^\\"


def test_every_typed_action_has_a_word_too():
    for action in actions.ACTIONS:
        if action.danger and action.id not in ("kill_panel", "ack_all"):
            assert action.command, action.id


@pytest.mark.parametrize("table", [ALARMS, ALGOS, HELP, ORDERS, POSITIONS, SWITCHES], ids=lambda t: t.name)
@pytest.mark.parametrize("width", [34, 38, 58, 78, 118, 198])
def test_columns_fit_their_room(table, width):
    columns = shown(table.columns, width)
    assert columns
    assert sum(size for _, _, size in columns) + len(columns) - 1 <= width


def test_safety_columns_are_there_on_the_smallest_dashboard():
    names = lambda table, width: {c.name for _, c, _ in shown(table.columns, width)}
    assert {"SWITCH", "VALUE", "LIMIT", "USE"} <= names(SWITCHES, 40)
    assert {"SYM", "QTY", "UPNL", "AGE"} <= names(POSITIONS, 40)
    assert {"S", "SYM", "STATUS", "QTY", "FILLED", "AGE"} <= names(ORDERS, 58)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


GRAPHICS = {"frame": 2.5, "plot": 3.0}  # lines and areas; every one has a word beside it


@pytest.mark.parametrize("name", theme.PALETTE)
def test_contrast(name):
    foreground, background, _ = theme.PALETTE[name]
    assert contrast(foreground, background) >= GRAPHICS.get(name, 4.5)
    if background == theme.BACKGROUND and name not in GRAPHICS and name not in ("dim", "doubtful"):
        assert contrast(foreground, theme.RAISED) >= 4.5  # on the cursor row as well


def glyphs() -> set[str]:
    source = "".join(p.read_text() for p in TUI.rglob("*.py"))
    return {c for c in source if ord(c) > 126}


def test_every_glyph_is_one_cell_and_has_an_ascii_form():
    for glyph in glyphs():
        assert cell_len(glyph) == 1, f"{glyph!r} {unicodedata.name(glyph)}"
        assert not 0x2800 <= ord(glyph) <= 0x28FF, "braille is missing from common fonts"
        assert glyph.translate(theme.ASCII).isascii(), glyph


def test_ascii_glyphs_are_one_cell():
    assert all(len(v) == 1 for v in theme.ASCII.values())


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print('\\n'.join(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=TUI.parent
    )
    return set(out.stdout.split())


def test_the_console_loads_no_heavy_library():
    found = loaded_by("import tui, tui.run, tui.app")
    assert not found & {"numpy", "numba", "pandas", "ccxt", "core", "config", "asyncio.windows_events"}


def test_model_and_lines_know_no_terminal():
    found = loaded_by("import tui.model.reduce, tui.control, tui.guard, tui.lines.kill, tui.lines.help")
    assert not [m for m in found if m.startswith("textual")]


def test_the_link_starts_before_textual_is_imported():
    assert "textual" not in loaded_by("import tui.run")


def test_no_datatable_and_no_toast():
    for path in TUI.rglob("*.py"):
        assert not re.search(r"import .*DataTable|\.notify\(|run_worker|@work", path.read_text()), path

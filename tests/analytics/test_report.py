"""The report: one page that needs nothing else, says what the numbers say, and is safe with any name."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.analytics import scenarios
from core.analytics.advice import recommend
from core.analytics.book import Book, Holding, make
from core.analytics.profile import WEIGHTS, profile
from core.analytics.report import render, write_report
from core.analytics.stress import run

pytest.importorskip("matplotlib", reason="no matplotlib: the report extra is not installed")


def page_of(book: Book) -> str:
    shocks = scenarios.compile(scenarios.load().scenarios, book)
    shown = profile(book, shocks)
    return render(book, run(book, shocks), shown, recommend(book, shocks, shown))


def held(symbol: str = "A/USDT", mark: float = 100.0) -> Book:
    return make([Holding(symbol=symbol, qty=3000.0, mark=mark, avg_px=100.0)], cash={"USDT": 1e5})


class Links(HTMLParser):
    """Whatever a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = {"src", "href", "xlink:href", "data", "action"}
        self.found += [
            value or "" for name, value in attrs if name in names and not (value or "").startswith("#")
        ]


def test_the_page_has_the_numbers_and_fetches_nothing() -> None:
    book = held()
    page = page_of(book)
    links = Links()
    links.feed(page)
    assert (links.found, "script" in links.tags, links.tags.count("svg")) == ([], False, 3)
    shocks = scenarios.compile(scenarios.load().scenarios, book)
    shown, result = profile(book, shocks), run(book, shocks)
    assert f"{shown.score:.0f} / 100 {shown.level.name}" in page
    assert all(f"{o.pnl:,.2f}" in page and o.name in page for o in result.outcomes)
    assert all(name in page for name in WEIGHTS)
    assert all(r.text.replace("'", "&#x27;") in page for r in recommend(book, shocks, shown))
    assert all(note in page for note in book.assumed)


def test_a_symbol_cannot_write_html() -> None:
    page = page_of(held("<script>x</script>$\\alpha$/USDT"))
    assert not re.search(r"<script", page)


def test_what_is_not_known_is_a_question_mark() -> None:
    page = page_of(held(mark=math.nan))
    assert "? / 100 UNKNOWN" in page
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)


def test_a_flat_book_has_a_page_too() -> None:
    assert "0 / 100 LOW" in page_of(make([], cash={"USDT": 1.0}))


def test_it_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    book = held()
    shocks = scenarios.compile(scenarios.load().scenarios, book)
    path = write_report(tmp_path / "a" / "b", book, run(book, shocks), profile(book, shocks), ())
    assert path == tmp_path / "a" / "b" / "risk.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")

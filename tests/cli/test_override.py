"""`andon override`: what goes out, what is refused before it does, and what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Andon, assert_one_line
from tests.cli.toy import Toy, done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path


def test_a_request_says_what_where_for_how_long_and_why(andon: Andon, folder: Path) -> None:
    words = (
        "override request VALUE_MAX --value 400000 --minutes 15 --scope symbol:BTC/USDT --reason roll".split()
    )
    with Toy(folder, done) as toy:
        assert andon(*words).code == 0
    [sent] = toy.requests
    assert (sent.type, sent.reason) == ("request_override", "roll")
    assert sent.data == {
        "code": "VALUE_MAX",
        "scope": "symbol:BTC/USDT",
        "minutes": "15.0",
        "value": "400000",
    }


def test_the_others_say_which_and_granting_is_for_an_admin(andon: Andon, folder: Path) -> None:
    with Toy(folder, done) as toy:
        assert andon("override", "revoke", "V1-1", "--json").code == 0
        refused = andon("override", "grant", "V1-1")
    assert [(sent.type, sent.data) for sent in toy.requests] == [("revoke_override", {"id": "V1-1"})]
    assert_one_line(refused, 1)
    assert "admin" in refused.err


@pytest.mark.parametrize(
    "words",
    [
        "override",
        "override ask",
        "override request",
        "override request VALUE_MAX",
        "override request VALUE_MAX --minutes 5",
        "override request VALUE_MAX --minutes 0 --reason r",
        "override request VALUE_MAX --minutes x --reason r",
        "override request VALUE_MAX --minutes 5 --value -1 --reason r",
        "override grant",
        "override grant V1-1 --minutes 5",
        "override list V1-1",
    ],
)
def test_bad_usage_is_one_line_and_leaves_nothing(andon: Andon, words: str) -> None:
    assert_one_line(andon(*words.split()), 2)


def test_without_overrides_it_says_that_every_limit_holds(andon: Andon, folder: Path) -> None:
    with Toy(folder, done):
        ended = andon("override", "list")
        assert andon("override", "list", "--json").rows() == []
    assert (ended.code, ended.out) == (0, "no overrides: every limit holds\n")

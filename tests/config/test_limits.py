"""Limits by scope: from a file to the engine, with an owner; and the vetoes' switches."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bus.instruments import InstrumentSpec
from config.gate import GateSettings
from config.load import load
from config.rules import ConfigError
from config.show import print_config
from core.app.setup import SetupError, engine_config
from core.engine.config import EngineConfig, GateLimits, ScopeLimits

SPECS = (InstrumentSpec(symbol="BTC/USDT", base="BTC"), InstrumentSpec(symbol="ETH/USDT", base="ETH"))
MINE = """
[limits.firm]
order_value_max = 9000.0
owner = "head of risk"
[limits.symbol."BTC/USDT"]
price_collar = 0.01
open_orders_max = 7
owner = "desk"
rationale = "thin at night"
date = "2026-01-02"
[limits.venue.sim]
messages_per_s = 12.5
owner = "desk"
[limits.strategy.m]
exposure_max = 1e5
owner = "desk"
[strategies.m]
kind = "maker"
edge = 0.001
venues = ["sim"]
"""


def engine(
    tmp_path: Path, text: str = "", environ: dict[str, str] | None = None, env: str = "PAPER"
) -> EngineConfig:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return engine_config(load(None, path, None, environ or {}).settings, SPECS, env=env, now_ns=0)


def test_every_scope_reaches_the_engine_and_only_what_is_set(tmp_path) -> None:
    config = engine(tmp_path, MINE)
    assert config.limits == {
        "all": ScopeLimits(order_value_max=9000.0, owner="head of risk"),
        "venue:sim": ScopeLimits(messages_per_s=12.5, owner="desk"),
        "strategy:m": ScopeLimits(exposure_max=1e5, owner="desk"),
        "symbol:BTC/USDT": ScopeLimits(
            price_collar=0.01, open_orders_max=7, owner="desk", rationale="thin at night", date="2026-01-02"
        ),
    }
    assert config.strategies[0].edge == 0.001 and config.strategies[0].venues == ("sim",)
    assert engine(tmp_path).limits == {}


def test_what_is_printed_can_be_loaded_again(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    first = load(None, path, None, {})
    again = tmp_path / "again.toml"
    again.write_text(print_config(first))
    assert load(None, again, None, {}).settings == first.settings


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('[limits.symbol."BTC/USDT"]\nprice_collar = 0.01\n', "has no owner"),
        ("[limits.firm]\nopen_orders_max = 5\n", "has no owner"),
        (
            '[limits.venue.sim]\nmesages_per_s = 5\nowner = "x"\n',
            "did you mean limits.venue.sim.messages_per_s?",
        ),
        ('[limits.nobody.x]\nopen_orders_max = 5\nowner = "x"\n', "unknown setting limits.nobody"),
        ('[limits.venue.sim]\nmessages_per_s = nan\nowner = "x"\n', "allowed [0,"),
        ('[limits.venue.sim]\nmessages_per_s = -1\nowner = "x"\n', "allowed [0,"),
        ('[limits.symbol."A B"]\nopen_orders_max = 1\nowner = "x"\n', "not a name"),
    ],
)
def test_a_wrong_limit_is_refused_in_one_line(tmp_path, text, hint) -> None:
    with pytest.raises(ConfigError) as caught:
        engine(tmp_path, text)
    assert hint in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("scope", ["symbol.'XRP/USDT'", "venue.alt", "strategy.nobody", "account.other"])
def test_a_scope_that_is_not_there_is_a_slip_but_not_on_a_tape(tmp_path, scope) -> None:
    text = f'[limits.{scope}]\nopen_orders_max = 5\nowner = "x"\n'
    with pytest.raises(SetupError, match="no such"):
        engine(tmp_path, text)
    assert engine(tmp_path, text, env="REPLAY").limits


@pytest.mark.parametrize(
    ("variable", "field"),
    [
        ("BOT_DISABLE_MICROSTRUCTURE_VETO", "microstructure_veto"),
        ("BOT_DISABLE_MOMENTUM_VETO", "momentum_veto"),
    ],
)
def test_each_variable_switches_its_veto_and_nothing_else(tmp_path, variable, field) -> None:
    on, off = engine(tmp_path).gate, engine(tmp_path, environ={variable: "true"}).gate
    assert getattr(on, field) is True
    assert off == msgspec.structs.replace(on, **{field: False})


def test_every_number_of_the_gate_can_be_configured() -> None:
    by_engine_alone = {"microstructure_veto", "momentum_veto"}
    assert set(GateLimits.__struct_fields__) - set(GateSettings.__struct_fields__) == by_engine_alone
    assert set(GateSettings.__struct_fields__) - set(GateLimits.__struct_fields__) == {"restricted"}

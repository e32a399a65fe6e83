"""Layers, sources and refusals of the configuration."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.load import load, profiles
from config.rules import ConfigError
from config.schema import flat
from config.settings import Settings
from config.show import print_config, reference
from config.variables import BOT_VARIABLES, variable_name

ROOT = Path(__file__).resolve().parents[2]
COLLAR = "gate.price_collar"


def toml(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(profile=None, file=None, cli=None, environ=None) -> str:
    """The message of the ConfigError that loading must raise: one printable line."""
    with pytest.raises(ConfigError) as caught:
        load(profile, file, cli, environ or {})
    message = str(caught.value)
    assert message.isprintable(), message
    assert len(message) < 400
    return message


def test_without_anything_the_defaults_hold_and_say_so() -> None:
    loaded = load(None, None, None, {})

    assert loaded.settings == Settings(operator=type(Settings().operator)(name="operator"))
    assert set(loaded.sources.values()) == {"default"}


def test_the_stronger_layer_wins_and_is_named(tmp_path) -> None:
    file = toml(
        tmp_path, "[gate]\nprice_collar = 0.02\norder_value_max = 7\n[engine]\nsignal_interval_s = 2\n"
    )
    environ = {"BOT_SIGNAL_INTERVAL": "3", "ANDON_GATE__PRICE_COLLAR": "0.03"}
    loaded = load("paper", file, {COLLAR: "0.04"}, environ)

    assert loaded.settings.gate.price_collar == 0.04
    assert loaded.sources[COLLAR] == "cli"
    assert loaded.settings.engine.signal_interval_s == 3.0
    assert loaded.sources["engine.signal_interval_s"] == "env:BOT_SIGNAL_INTERVAL"
    assert loaded.settings.gate.order_value_max == 7.0
    assert loaded.sources["gate.order_value_max"] == f"file:{file}"
    assert loaded.settings.engine.autostart
    assert loaded.sources["engine.autostart"] == "profile:paper"


def test_every_setting_has_a_source() -> None:
    loaded = load("paper", None, None, {})
    assert list(loaded.sources) == [leaf.key for leaf, _ in flat(loaded.settings)]


def test_the_fingerprint_is_of_values_not_of_their_sources(tmp_path) -> None:
    file = toml(tmp_path, "[gate]\nprice_collar = 0.05\n")
    plain = load(None, None, None, {}).sha256

    assert load(None, file, None, {}).sha256 == plain
    assert load(None, None, {COLLAR: "0.051"}, {}).sha256 != plain


def test_paper_has_two_worked_strategies_and_starts_itself() -> None:
    settings = load("paper", None, None, {}).settings
    assert {name: s.kind for name, s in settings.strategies.items()} == {
        "maker-1": "maker",
        "momentum-1": "momentum",
    }
    assert settings.engine.autostart
    assert settings.engine.signal_interval_s == 1.0


@pytest.mark.parametrize("name", profiles())
def test_every_profile_loads(name) -> None:
    assert load(name, None, None, {}).profile == name


def test_live_is_armed_only_by_a_file(tmp_path) -> None:
    armed = toml(tmp_path, "[account]\narmed = true\n")

    assert not load("live", None, None, {"BOT_BYPASS_INTERACTIVE": "true"}).settings.account.armed
    assert load("live", armed, None, {}).settings.account.armed
    assert "account.armed" in refusal("live", cli={"account.armed": "true"})
    assert "account.armed" in refusal("live", environ={"ANDON_ACCOUNT__ARMED": "1"})


def test_the_reference_file_is_the_defaults(tmp_path) -> None:
    path = ROOT / "config/andon.toml"

    assert path.read_text(encoding="utf-8") == reference(), "regenerate it with config.show.reference()"
    loaded = load(None, path, None, {})
    assert loaded.sha256 == load(None, None, None, {}).sha256
    assert set(loaded.sources.values()) == {f"file:{path}"}


def test_what_is_printed_can_be_loaded_again(tmp_path) -> None:
    first = load("paper", None, {"strategies.maker-1.params": "edge=1.5"}, {})
    again = load(None, toml(tmp_path, print_config(first)), None, {})

    assert again.settings == first.settings
    assert "; profile:paper" in print_config(first)


def test_secrets_are_hidden_and_their_names_are_sent_elsewhere() -> None:
    loaded = load("paper", None, {"strategies.maker-1.params": "api_token=12345"}, {})
    assert "12345" not in print_config(loaded)
    assert "secrets come from" in refusal(cli={"account.api_secret": "hunter2"})
    assert "hunter2" not in refusal(cli={"account.api_secret": "hunter2"})


def test_each_specified_variable_reaches_its_setting() -> None:
    texts = dict.fromkeys(BOT_VARIABLES, "yes") | {
        "BOT_SIGNAL_INTERVAL": "61",
        "BOT_MIN_TRADE_INTERVAL": "62",
        "BOT_ACCOUNT_CHECK_INTERVAL": "63",
    }
    loaded = load(None, None, None, texts)

    engine = loaded.settings.engine
    assert engine.bypass_interactive
    assert engine.disable_microstructure_veto
    assert engine.disable_momentum_veto
    assert engine.reduce_api_calls
    assert (engine.signal_interval_s, engine.min_trade_interval_s, engine.account_check_interval_s) == (
        61,
        62,
        63,
    )
    assert all(loaded.sources[key] == f"env:{name}" for name, key in BOT_VARIABLES.items())


def test_every_number_can_be_set_by_a_variable() -> None:
    for leaf, value in flat(Settings()):
        if leaf.kind in {"int", "float"}:
            loaded = load(None, None, None, {variable_name(leaf.key): repr(value)})
            assert loaded.sources[leaf.key] == f"env:{variable_name(leaf.key)}"


@pytest.mark.parametrize(
    ("environ", "hint"),
    [
        ({"BOT_SIGNAL_INTERVALL": "5"}, "did you mean BOT_SIGNAL_INTERVAL?"),
        ({"BOT_NONSENSE_ENTIRELY": "5"}, "unknown variable BOT_NONSENSE_ENTIRELY"),
        ({"ANDON_GATE__PRICE_COLAR": "0.1"}, "did you mean ANDON_GATE__PRICE_COLLAR?"),
        ({"BOT_SIGNAL_INTERVAL": "5", "ANDON_ENGINE__SIGNAL_INTERVAL_S": "6"}, "set twice"),
        ({"BOT_SIGNAL_INTERVAL": ""}, "[1, 86_400]"),
        ({"BOT_SIGNAL_INTERVAL": "0.5"}, "unit s"),
        ({"BOT_ACCOUNT_CHECK_INTERVAL": "4"}, "[5, 86_400]"),
        ({"BOT_REDUCE_API_CALLS": "maybe"}, "true | false"),
        ({"BOT_REDUCE_API_CALLS": ""}, "true | false"),
    ],
)
def test_a_wrong_variable_is_refused(environ, hint) -> None:
    assert hint in refusal(environ=environ)


def test_other_programs_variables_are_theirs() -> None:
    environ = {"PATH": "/bin", "ANDON_HOME": "/x", "ROBOT_X": "1", "USER": "ada"}
    assert load(None, None, None, environ).settings.operator.name == "ada"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[swiches.drawdown]\nlimit = 0.1\n", "did you mean switches?"),
        ("[switches.drawdown]\nlimt = 0.1\n", "did you mean switches.drawdown.limit?"),
        ("[gate]\nprice_collar = nan\n", "gate.price_collar = nan"),
        ("[gate]\nprice_collar = inf\n", "(0, 1]"),
        ("[gate]\nprice_collar = -0.1\n", "fraction of reference price"),
        ("[gate]\nprice_collar = '0.1x'\n", "gate.price_collar"),
        ("[gate]\nprice_collar = true\n", "gate.price_collar = True"),
        ("[gate]\nopen_orders_max = 1.5\n", "a whole number"),
        ("[gate]\nopen_orders_max = 99999999999999999999999\n", "a whole number"),
        ("[gate]\nprice_collar = {a = 1}\n", "gate.price_collar"),
        ("gate = 3\n", "is a section"),
        ("[strategies.maker-1]\nenabled = true\n", "has no kind"),
        ("[strategies.maker-1]\nkind = 'maker'\nnotionl = 3\n", "did you mean strategies.maker-1.notional?"),
        ("[strategies.maker-1]\nkind = 'scalper'\n", "momentum | mean_reversion | maker | hold"),
        ("[strategies.'Maker 1']\nkind = 'maker'\n", "strategy id"),
        ("[strategies.maker-1]\nkind = 'maker'\nsymbols = ['A', 'A']\n", "each once"),
        (
            "[strategies.maker-1]\nkind = 'maker'\nparams = {edge = nan}\n",
            "strategies.maker-1.params.edge = nan",
        ),
        ("[account]\ncash = {BTC = 1}\n", "has no USDT"),
        ("[account]\nday_zone = 'Europe/Lundon'\n", "did you mean Europe/London?"),
        ("[account]\nday_zone = '../../etc/passwd'\n", "not an IANA time zone"),
        ("[switches.leverage]\ntarget = 6.0\n", "must be below"),
        ("[kill]\nquery_ms = 9000\n", "must be below kill.alarm_ms"),
        ("[switches.reject_rate]\nmin = 30\n", "could never trip"),
        ("[bus]\ntcp = true\nstate_port = 7702\n", "give each its own"),
        ("[gate\n", "is not valid TOML"),
        ("[gate]\nprice_collar = 0.1\nprice_collar = 0.2\n", "is not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, hint) -> None:
    assert hint in refusal(file=toml(tmp_path, text))


def test_files_that_are_none_are_refused(tmp_path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")

    assert "No such file" in refusal(file=tmp_path / "absent.toml")
    assert "directory" in refusal(file=tmp_path)
    assert "not UTF-8" in refusal(file=binary)
    assert "larger than" in refusal(file=toml(tmp_path, "#" * 1_000_001))
    assert "not valid TOML" in refusal(file=toml(tmp_path, "a = " + "[" * 5000))


@pytest.mark.parametrize("name", ["papr", "../andon", "", "live\n"])
def test_an_unknown_profile_is_refused(name) -> None:
    if name:
        assert "unknown profile" in refusal(profile=name)
    else:
        assert load(name, None, None, {}).profile == ""


@given(st.sampled_from([leaf for leaf, _ in flat(Settings())]), st.text(max_size=300))
def test_any_text_is_a_value_or_one_line_of_refusal(leaf, text) -> None:
    try:
        load(None, None, {leaf.key: text}, {})
    except ConfigError as error:
        assert str(error).isprintable()


@given(st.text(max_size=100))
def test_any_name_is_known_or_one_line_of_refusal(name) -> None:
    try:
        load(None, None, {name: "1"}, {})
    except ConfigError as error:
        assert str(error).isprintable()


@given(st.binary(max_size=200))
def test_any_file_loads_or_is_refused(tmp_path_factory, raw) -> None:
    path = tmp_path_factory.mktemp("any") / "x.toml"
    path.write_bytes(raw)
    try:
        load(None, path, None, {})
    except ConfigError as error:
        assert str(error).isprintable()


def test_every_bound_holds_the_default_and_refuses_what_is_outside() -> None:
    for leaf, value in flat(Settings()):
        if leaf.kind not in {"int", "float"}:
            continue
        assert leaf.rule.admits(value), leaf.key
        assert dataclasses.replace(leaf.rule).range_text() in refusal(
            cli={leaf.key: repr(leaf.rule.high * 2 + 1)}
        )
        assert leaf.key in refusal(cli={leaf.key: "nan"})
        assert leaf.key in refusal(cli={leaf.key: "-1e300"})

"""What was decided stands in the record, as it was decided: orders, refusals, cancels, commands, limits, settings."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from bus import trail
from bus.effects import CancelOrder, NewOrder, Publish
from bus.enums import GateLayer, ReportKind
from bus.events import Boot
from bus.trail import Line
from bus.views import AuditView, DeniedView
from config.settings import Settings
from core.adapters.journal import Journal, JournalReader, export, verify
from core.adapters.journal_trail import COLUMNS, order_trail, rows
from core.adapters.witness import Witness
from core.app.drive import effects_digest
from core.app.rebuild import rebuild
from core.app.setup import engine_config, paper_instruments
from core.engine.config import encode
from core.engine.market import Ticks
from core.engine.trail import changes, lines, sealed
from tests.engine.kit import T0, Bench

BUY = {"symbol": "AAA/USDT", "side": "buy", "qty": "3", "type": "limit", "price": "99.5"}


def told(bench: Bench, effects: list, event: object) -> tuple[Line, ...]:
    return trail.decode(lines(bench.state, event, effects))  # type: ignore[arg-type]


class Recorded(Bench):
    """A bench that keeps what a journal would; its Boot carries the configuration, as a real one does."""

    def __init__(self) -> None:
        self.kept: list[tuple[object, bytes, bytes]] = []
        super().__init__()

    def do(self, event):  # type: ignore[no-untyped-def]
        if isinstance(event, Boot):
            named = {"config": encode(self.config), "config_sha256": "c" * 64, "build_sha256": "b" * 64}
            event = msgspec.structs.replace(event, **named)
        effects = super().do(event)
        said = lines(self.state, event, effects) if effects else b""
        self.kept.append((event, effects_digest(effects), said))
        return effects

    @property
    def lines(self) -> tuple[Line, ...]:
        return trail.decode(self.kept[-1][2])

    def write(self, folder: Path) -> Path:
        journal = Journal(folder / "journal.db", 1, witness=Witness(folder))
        for event, fx, audit in self.kept:
            if isinstance(event, Ticks):
                journal.append("ticks", event.ts_ns, event.rows.tobytes(), fx, audit)
            else:
                kind = event.__struct_config__.tag  # type: ignore[attr-defined]
                journal.append(kind, event.ts_ns, msgspec.msgpack.encode(event), fx, audit)  # type: ignore[attr-defined]
        assert journal.close()
        return folder / "journal.db"


@pytest.fixture
def bench() -> Recorded:
    return Recorded()


def test_an_approved_order_names_who_what_and_every_layer_that_passed(bench: Recorded) -> None:
    bench.command("submit_order", BUY, who="ann", id="intent-1")
    order = next(e for e in bench.effects if isinstance(e, NewOrder))
    line = next(each for each in bench.lines if each.what == trail.ORDER)
    assert (line.who, line.role, line.order, line.command) == ("ann", "operator", order.cl_ord_id, "intent-1")
    assert (line.symbol, line.side, line.qty, line.price) == ("AAA/USDT", "buy", 3.0, 99.5)
    assert line.layers == order.approval.layers != 0
    assert line.layers >> GateLayer.FORM & 1


def test_a_refusal_names_layer_code_value_and_limit(bench: Recorded) -> None:
    bench.command("submit_order", BUY | {"price": "50"}, who="ann", id="far")
    view = next(e.data for e in bench.effects if isinstance(e, Publish) and isinstance(e.data, DeniedView))
    line = next(each for each in bench.lines if each.what == trail.DENIED)
    assert (line.layer, line.result, line.command) == (view.layer, view.code, "far")
    assert (line.value, line.limit) == (view.value, view.limit) and line.value is not None
    assert any(each.result == f"rejected {view.code}" and each.role == "operator" for each in bench.lines)


def test_a_cancel_names_who_wanted_it(bench: Recorded) -> None:
    for n in range(2):
        bench.command("submit_order", BUY, id=f"order-{n}")
    mine, other = list(bench.state.working)
    bench.command("cancel_order", {"cl_ord_id": mine}, who="ann")
    (line,) = [each for each in bench.lines if each.what == trail.CANCEL]
    assert (line.who, line.order) == ("ann", mine)
    bench.command("kill", {"scope": "all", "level": "halt"}, who="bob")
    cancelled = [e.cl_ord_id for e in bench.effects if isinstance(e, CancelOrder)]
    by = {each.order: each.who for each in bench.lines if each.what == trail.CANCEL}
    assert set(by) == set(cancelled) and by[other] == "bob"
    before = len(bench.kept)
    bench.wait(1.2)  # unanswered: the kill asks again by itself
    again = [
        each
        for event, _, raw in bench.kept[before:]
        for each in trail.decode(raw)
        if each.what == trail.CANCEL
    ]
    assert again and {each.who for each in again} == {"kill operator@all"}


def test_every_effect_that_leaves_has_a_line(bench: Recorded) -> None:
    for n in range(3):
        bench.command("submit_order", BUY, id=f"order-{n}")
    bench.command("kill", {"scope": "all", "level": "flatten"})
    asked = [e.cl_ord_id for e in bench.all if isinstance(e, NewOrder | CancelOrder)]
    written = [
        line.order
        for _, _, raw in bench.kept
        for line in trail.decode(raw)
        if line.what in (trail.ORDER, trail.CANCEL)
    ]
    assert asked == written


def test_a_limit_is_told_with_what_it_was(bench: Recorded) -> None:
    bench.command("set_limit", {"name": "order_value_max", "value": "500"}, who="eve", reason="smaller")
    (line,) = [each for each in bench.lines if each.what == "set_limit order_value_max"]
    assert (line.who, line.role, line.result, line.detail) == (
        "eve",
        "operator",
        "1000000000.0 -> 500.0",
        "smaller",
    )
    bench.command("set_limit", {"name": "order_value_max", "value": "700"})
    assert any(each.result == "500.0 -> 700.0" for each in bench.lines)


def test_a_command_is_told_with_its_ending(bench: Recorded) -> None:
    bench.command("stop", {}, who="ann", id="s1")
    assert [(each.what, each.result) for each in bench.lines if each.command == "s1"][-1] == ("stop", "done")
    bench.command("start", {}, who="ann", id="s2")
    assert ("start", "accepted") in [(each.what, each.result) for each in bench.lines]
    bench.command("rearm", {"switch": "drawdown"}, who="ann", id="r1")
    assert ("rearm", "rejected NOT_LATCHED") in [(each.what, each.result) for each in bench.lines]


def test_settings_that_changed_between_two_starts_are_told_one_by_one() -> None:
    specs = paper_instruments(Settings())
    before = engine_config(Settings(), specs, env="PAPER", now_ns=T0)
    later = engine_config(Settings(), specs, env="PAPER", now_ns=T0 + 40 * 86_400 * 10**9)
    assert changes(before, later) == (), "the calendar is derived, not configured"
    after = msgspec.structs.replace(
        later, gate=msgspec.structs.replace(later.gate, order_value_max=7.0), operator="eve"
    )
    assert changes(before, after) == (
        ("gate.order_value_max", str(before.gate.order_value_max), "7.0"),
        ("operator", before.operator, "eve"),
    )
    bench = Bench()
    boot = Boot(bench.now, 2, True, config_sha256="f" * 64, changed=changes(before, after))
    found = told(bench, bench.do(boot), boot)
    assert next((line.target, line.result) for line in found if line.what == trail.CONFIG) == (
        "gate.order_value_max",
        "250000.0 -> 7.0",
    )
    assert ("configuration", "f" * 64) in [(line.target, line.result) for line in found]


def test_limits_set_by_command_are_told_again_at_the_next_start(bench: Recorded) -> None:
    bench.command("set_limit", {"name": "order_value_max", "value": "500"})
    boot = Boot(bench.now, 2, True)
    found = told(bench, bench.do(boot), boot)
    assert [(line.target, line.result, line.limit) for line in found if line.what == trail.LIMIT] == [
        ("order_value_max", "500", 500.0)
    ]


def test_what_the_bus_says_names_its_record(bench: Recorded) -> None:
    bench.command("submit_order", BUY | {"price": "50"})
    audit = bench.kept[-1][2]
    before = effects_digest(bench.effects)
    sealed(bench.effects, 4711, audit)
    views = [
        e.data for e in bench.effects if isinstance(e, Publish) and isinstance(e.data, AuditView | DeniedView)
    ]
    assert views and {(view.seq, view.hash) for view in views} == {(4711, trail.digest(audit))}
    assert effects_digest(bench.effects) != before, "so it must be stamped after the digest was taken"


def test_a_replay_makes_the_same_lines_and_notices_others(bench: Recorded, tmp_path: Path) -> None:
    bench.command("submit_order", BUY)
    bench.command("kill", {"scope": "all", "level": "halt"})
    path = bench.write(tmp_path)
    assert verify(path).ok
    with JournalReader(path) as reader:
        records = list(reader.records())
    assert rebuild(records, None).differs_at == 0
    at = next(n for n, record in enumerate(records) if record.kind == "command")
    words = trail.decode(records[at].audit)
    forged = trail.encode([msgspec.structs.replace(words[0], who="mallory"), *words[1:]])
    assert (
        rebuild([*records[:at], records[at]._replace(audit=forged), *records[at + 1 :]], None).differs_at
        == at + 1
    )
    assert (
        rebuild([*records[:at], records[at]._replace(audit=b""), *records[at + 1 :]], None).differs_at
        == at + 1
    )
    old = [record._replace(audit=None) for record in records]
    assert rebuild(old, None).differs_at == 0, "records of version 1 had no lines"


def test_one_order_from_request_to_fill(bench: Recorded, tmp_path: Path) -> None:
    bench.command("submit_order", BUY, who="ann", reason="a good price")
    key = next(iter(bench.state.working))
    bench.report(key, ReportKind.ACK)
    bench.fill(key, 2, 99.5, exec_id="x1", fee=0.01)
    bench.command("cancel_order", {"cl_ord_id": key}, who="bob")
    bench.report(key, ReportKind.CANCELED)
    with JournalReader(bench.write(tmp_path)) as reader:
        steps = order_trail(reader.records(), key)
    assert [row["step"] for row in steps if row["step"] != "act"] == [
        "request", "gate", "report", "report", "request", "cancel", "report"
    ]  # fmt: skip
    request, gate = steps[0], next(row for row in steps if row["step"] == "gate")
    assert (request["who"], request["reason"], request["data"]["qty"]) == ("ann", "a good price", "3")
    assert [each["layer"] for each in gate["layers"]] == [layer.name for layer in GateLayer]
    assert (gate["config"], gate["build"]) == ("c" * 64, "b" * 64)
    fill = next(row for row in steps if row.get("kind") == "TRADE")
    assert (fill["qty"], fill["price"], fill["fee"]) == (2.0, 99.5, 0.01)


@pytest.mark.parametrize("fmt", ["jsonl", "csv", "parquet"])
def test_the_trail_leaves_in_three_formats_with_the_same_rows(
    bench: Recorded, tmp_path: Path, fmt: str
) -> None:
    bench.command("submit_order", BUY)
    bench.command("submit_order", BUY | {"price": "50"})
    bench.command("set_limit", {"name": "order_value_max", "value": "500"})
    path = bench.write(tmp_path)
    out = tmp_path / f"trail.{fmt}"
    with JournalReader(path) as reader:
        expected = list(rows(reader.records()))
    assert export(path, fmt, out, "audit") == len(expected) > 8
    if fmt == "jsonl":
        assert [json.loads(row) for row in out.read_text().splitlines()] == expected
    elif fmt == "csv":
        import csv

        with open(out, newline="") as file:
            found = list(csv.DictReader(file))
        assert [{k: "" if v is None else str(v) for k, v in row.items()} for row in expected] == found
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        table = parquet.read_table(out)
        assert tuple(table.column_names) == COLUMNS and table.to_pylist() == expected
    assert expected[-1]["config"] == "c" * 64 + "+1", "one limit set by command since the boot"
    assert {row["build"] for row in expected} == {"b" * 64}

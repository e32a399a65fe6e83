"""What adds risk waits for the disk and can be withdrawn; what lowers it never waits. The last door before the venue."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bus.effects import Approval, CancelOrder, Effect, MassCancel, NewOrder, QueryOrder, ReplaceOrder
from bus.enums import OrdType, ReportKind, Side, TimeInForce
from bus.events import Report
from core.app.perform import Performer
from core.engine.leaving import may_leave
from tests.engine.kit import Bench, config, only
from tests.engine.listed_kit import Listed

NOW_NS = 1_700_000_000_000_000_000
ENTRY = NewOrder(
    "a1", 0, 0, Side.BUY, OrdType.LIMIT, TimeInForce.GTC, 5, 100, False, False, Approval(layers=254, reducing=False)
)  # fmt: skip
EXIT = msgspec.structs.replace(ENTRY, cl_ord_id="x1", approval=Approval(layers=254, reducing=True))
CANCEL = CancelOrder("a1", 0, 0)


class Recorder:
    """A venue that writes down what reaches it."""

    id = 0

    def __init__(self) -> None:
        self.seen: list[Effect] = []

    def take(self, effect: Effect, now_ns: int) -> None:
        self.seen.append(effect)

    submit = replace = cancel = mass_cancel = query_order = query_open = query_positions = take


def rig(may: Callable[..., bool] = lambda _request: True) -> tuple[Performer, Recorder, list[Report]]:
    venue, posted = Recorder(), list[Report]()
    nothing = lambda _effect: None
    return (
        Performer([venue], publish=nothing, reply=nothing, latch=nothing, post=posted.append, may=may),
        venue,
        posted,
    )


def play(performer: Performer, effects: list[Effect], seq: int) -> None:
    """As the loop does: reduce, journal, rest."""
    performer.reduce(effects, NOW_NS)
    performer.rest(effects, seq)


def test_new_risk_leaves_when_its_cause_is_durable_and_not_before() -> None:
    performer, venue, _ = rig()
    play(performer, [ENTRY], 7)
    performer.release(6, NOW_NS)
    assert venue.seen == []

    performer.release(7, NOW_NS)
    assert venue.seen == [ENTRY]


def test_the_journal_may_be_quicker_than_the_loop() -> None:
    performer, venue, _ = rig()
    performer.reduce([ENTRY], NOW_NS)
    assert performer.held == 1  # so that a commit between journal and rest is told to the loop at all
    performer.release(1 << 40, NOW_NS)
    assert venue.seen == []

    performer.rest([ENTRY], 7)
    performer.release(7, NOW_NS)
    assert venue.seen == [ENTRY]


def test_what_lowers_risk_never_waits() -> None:
    performer, venue, _ = rig()
    performer.reduce([CancelOrder("b1", 0, 0), EXIT, MassCancel(0)], NOW_NS)

    assert venue.seen == [CancelOrder("b1", 0, 0), EXIT, MassCancel(0)]


def test_a_cancel_before_the_disk_withdraws_the_order() -> None:
    performer, venue, posted = rig()
    play(performer, [ENTRY], 7)
    play(performer, [QueryOrder("a1", 0, 0), CANCEL], 8)
    performer.release(8, NOW_NS)

    assert venue.seen == []
    assert [(r.cl_ord_id, r.kind) for r in posted] == [("a1", ReportKind.NOT_SENT)]


def test_an_order_cancelled_in_the_step_that_made_it_never_leaves() -> None:
    for stop in (CANCEL, MassCancel(0)):
        performer, venue, posted = rig()
        play(performer, [ENTRY, stop], 7)
        performer.release(7, NOW_NS)

        assert not any(isinstance(effect, (NewOrder, CancelOrder)) for effect in venue.seen)
        assert [(r.cl_ord_id, r.kind) for r in posted] == [("a1", ReportKind.NOT_SENT)]


def test_the_submit_that_trips_the_order_rate_is_itself_held_back() -> None:
    bench = Bench(config(switches=only(order_rate_per_s=2.0)))
    bench.price(0, 100.0)
    performer, venue, posted = rig()
    for n in range(4):
        data = {
            "symbol": "AAA/USDT",
            "side": "buy",
            "qty": "1",
            "type": "limit",
            "price": "99",
            "intent": str(n),
        }
        play(performer, list(bench.command("submit_order", data)), n)
    performer.release(1 << 40, NOW_NS)

    assert "order_rate@all" in bench.kills()
    assert not any(isinstance(effect, NewOrder) for effect in venue.seen)
    assert {report.kind for report in posted} == {ReportKind.NOT_SENT}


GROW = ReplaceOrder("a1", 0, 0, 9, 100, Approval(layers=254, reducing=False), revision=3)
SHRINK = msgspec.structs.replace(GROW, qty_lots=2, approval=Approval(layers=254, reducing=True))


def test_an_amendment_that_adds_risk_waits_like_a_new_order_and_one_that_does_not_leaves_at_once() -> None:
    performer, venue, _ = rig()
    play(performer, [GROW, SHRINK], 7)
    assert venue.seen == [SHRINK] and performer.held == 1

    performer.release(7, NOW_NS)
    assert venue.seen == [SHRINK, GROW] and performer.held == 0


def test_a_cancel_withdraws_the_waiting_amendment_and_goes_out_itself() -> None:
    for stop in (CANCEL, MassCancel(0)):
        performer, venue, posted = rig()
        play(performer, [GROW], 7)
        play(performer, [QueryOrder("a1", 0, 0), stop], 8)
        performer.release(1 << 40, NOW_NS)

        assert venue.seen == [QueryOrder("a1", 0, 0), stop]
        assert [(r.cl_ord_id, r.kind, r.revision) for r in posted] == [("a1", ReportKind.REPLACE_REJECTED, 3)]


def beside_quotes() -> tuple[Listed, Performer, Recorder, list[Report]]:
    """A bracket whose stop stands beside somebody's quote: it waits for the disk like what adds risk."""
    at = Listed()
    performer, venue, posted = rig(lambda request: may_leave(at.bench.state, request))
    at.bench.working(0, Side.SELL, 30, 101.0)
    play(performer, list(at.bench.fill(at.list.entry, 10)), 7)
    assert performer.held == 2 and venue.seen == []
    return at, performer, venue, posted


def test_a_stop_that_a_halt_leaves_alone_does_not_leave_under_it_as_what_adds_risk() -> None:
    at, performer, venue, posted = beside_quotes()
    stop = at.list.stop
    play(performer, list(at.bench.command("kill", {"level": "halt"})), 8)
    assert at.order("stop").cancels == 0, "the engine leaves it alone"
    performer.release(1 << 40, NOW_NS)
    assert not any(isinstance(effect, NewOrder) for effect in venue.seen)
    assert (stop, ReportKind.NOT_SENT) in [(r.cl_ord_id, r.kind) for r in posted]


def test_a_stop_that_a_dead_disk_holds_is_withdrawn_and_placed_as_what_it_is() -> None:
    """Nobody may believe in a stop that has never left: withdrawn, said, and sent at once when the quotes are gone."""
    at, performer, venue, posted = beside_quotes()
    at.bench.command("kill", {"level": "halt"})
    performer.recall(NOW_NS)
    assert performer.held == 0
    for report in posted:
        play(performer, list(at.bench.do(report)), 9)
    at.cancelled()
    play(performer, list(at.bench.wait(1.1)), 10)
    [sent] = [effect for effect in venue.seen if isinstance(effect, NewOrder)]
    assert sent.ord_type is OrdType.STOP and sent.approval.reducing and sent.cl_ord_id == at.list.stop


def test_an_amendment_that_was_given_up_does_not_leave_after_all() -> None:
    bench = Bench()
    order = bench.working()
    performer, venue, posted = rig(lambda request: may_leave(bench.state, request))
    data = {"cl_ord_id": order.cl_ord_id, "qty": "40"}
    play(performer, list(bench.command("amend_order", data, id="a")), 7)
    assert performer.held == 1
    for _ in range(3):  # the disk hangs; the venue shows the order without it
        bench.wait(1.0)
        bench.report(order.cl_ord_id, ReportKind.STATUS, cum_lots=0, order_lots=10)
    assert bench.replies("a")[-1].status == "failed" and order.working_lots == 10
    performer.release(7, NOW_NS)
    assert venue.seen == [] and [r.kind for r in posted] == [ReportKind.REPLACE_REJECTED]
    bench.do(posted[0])
    assert order.status.name == "NEW" and order.working_lots == 10

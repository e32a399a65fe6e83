"""Effects carried out. Risk-reducing ones at once; what adds risk waits until its cause is durable.

A new order that is still waiting when its cancel comes is withdrawn and never leaves: the engine is told NOT_SENT, a
definite answer. So a kill between the decision and the disk catches even the orders in between. An amendment that adds
risk waits and is withdrawn likewise, answered REPLACE_REJECTED; its order has left long ago, so the cancel goes on.

What waits is looked at once more before it leaves, and whenever a kill is held (``recall``): a stop may leave an order
alone, an exit of a list beside others' quotes for one, that the disk has not let go yet. Nothing that adds risk leaves
into a stopped scope, nothing waits for a disk that is dead while everybody believes that it works, and an amendment
that the engine has given up does not leave after all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bus.effects import (
    CancelOrder,
    Effect,
    MassCancel,
    NewOrder,
    Publish,
    QueryOpen,
    QueryOrder,
    QueryPositions,
    ReplaceOrder,
    Reply,
    WhatIf,
    WriteLatch,
)
from bus.enums import ReportKind
from bus.events import Report
from core.adapters.venue import Venue
from core.app.drive import hand_over

WORDS = (Publish, Reply, WriteLatch, WhatIf)  # not for a venue
NOT_JOURNALLED = 1 << 62  # no record is that late: the cause has no place in the journal yet
NOBODY = (0, None)
Adding = NewOrder | ReplaceOrder  # what may add risk
PublishTo = Callable[[Publish], None]
ReplyTo = Callable[[Reply], None]
LatchTo = Callable[[WriteLatch], None]
AskOf = Callable[[WhatIf], None]


class Performer:
    """Routes effects to venues, bus and latch store. Belongs to the loop."""

    def __init__(
        self,
        venues: Sequence[Venue],
        *,
        publish: PublishTo,
        reply: ReplyTo,
        latch: LatchTo,
        post: Callable[[Report], None],
        ask: AskOf | None = None,
        may: Callable[[Adding], bool] = lambda _request: True,
    ) -> None:
        self._venues = venues
        self._publish, self._reply, self._latch, self._post = publish, reply, latch, post
        self._ask, self._may = ask, may
        self._held: dict[str, tuple[int, Adding]] = {}  # cl_ord_id -> (journal seq it waits for, request)
        self.sent = 0
        self.withdrawn = 0

    @property
    def held(self) -> int:
        """Orders and amendments waiting for the disk."""
        return len(self._held)

    def reduce(self, effects: Sequence[Effect], now_ns: int) -> None:
        """Before the journal is even asked: cancels, queries, closing orders, the stop record.

        The record is handed over right after the first of them: its fsync then runs beside the others, not after.
        """
        latches = [effect for effect in effects if isinstance(effect, WriteLatch)]
        for effect in effects:
            if isinstance(effect, CancelOrder):
                self._cancel(effect, now_ns)
            elif isinstance(effect, (NewOrder, ReplaceOrder)):
                if effect.approval.reducing:
                    self._send(effect, now_ns)
                else:  # held from here on, so that a cancel later in this very step finds it
                    self._held[effect.cl_ord_id] = (NOT_JOURNALLED, effect)
            elif not isinstance(effect, WORDS):
                self._request(effect, now_ns)
            while latches:
                self._latch(latches.pop(0))

    def rest(self, effects: Sequence[Effect], seq: int) -> None:
        """After the journal has the cause queued as ``seq``: words go out, new risk waits for it."""
        for effect in effects:
            if isinstance(effect, Publish):
                self._publish(effect)
            elif isinstance(effect, Reply):
                self._reply(effect)
            elif isinstance(effect, WhatIf) and self._ask is not None:
                self._ask(effect)
            elif isinstance(effect, (NewOrder, ReplaceOrder)):
                if self._held.get(effect.cl_ord_id, NOBODY)[1] is effect:
                    self._held[effect.cl_ord_id] = (seq, effect)

    def release(self, durable_seq: int, now_ns: int) -> None:
        """Everything up to ``durable_seq`` is on disk: let those orders go, in order."""
        self.recall(now_ns)
        ready = [key for key, (seq, _) in self._held.items() if seq <= durable_seq]
        for key in ready:
            self._send(self._held.pop(key)[1], now_ns)

    def recall(self, now_ns: int) -> None:
        """Withdraw what waits and may not leave any more."""
        for key in [key for key, (_, request) in self._held.items() if not self._may(request)]:
            self._withdraw(key, now_ns)

    def forget(self) -> None:
        """Nothing that waits will leave."""
        self._held.clear()

    def _send(self, request: Adding, now_ns: int) -> None:
        self.sent += 1
        hand_over(self._venues[request.venue], request, now_ns)

    def _cancel(self, effect: CancelOrder, now_ns: int) -> None:
        if effect.cl_ord_id in self._held and isinstance(self._withdraw(effect.cl_ord_id, now_ns), NewOrder):
            return
        self._venues[effect.venue].cancel(effect, now_ns)

    def _request(self, effect: MassCancel | QueryOrder | QueryOpen | QueryPositions, now_ns: int) -> None:
        if isinstance(effect, QueryOrder) and isinstance(
            self._held.get(effect.cl_ord_id, NOBODY)[1], NewOrder
        ):
            return  # a question about an order that has not left needs no answer
        if isinstance(effect, MassCancel):
            for key in [k for k, (_, o) in self._held.items() if o.venue == effect.venue]:
                self._withdraw(key, now_ns)
        hand_over(self._venues[effect.venue], effect, now_ns)

    def _withdraw(self, cl_ord_id: str, now_ns: int) -> Adding:
        _, request = self._held.pop(cl_ord_id)
        self.withdrawn += 1
        kind, revision = ReportKind.NOT_SENT, 0
        if isinstance(request, ReplaceOrder):
            kind, revision = ReportKind.REPLACE_REJECTED, request.revision
        reason = "withdrawn before it left"
        self._post(Report(now_ns, request.venue, cl_ord_id, kind, reason=reason, revision=revision))
        return request

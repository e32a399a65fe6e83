"""Tiny lives of one parent each, against the real engine and a venue that can do anything; checked after every event.

    Life(seed).run()     raises Broken naming the seed; the same seed breaks the same way for ever

What can happen is in happenings.py, what must hold in judge.py; ``python -m tests.algos SEED [COUNT]`` runs some.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import msgspec

from bus.effects import Effect
from bus.enums import OrdStatus
from bus.instruments import InstrumentSpec
from core.app.drive import effects_digest
from core.engine import snapshot
from core.engine.algos.parent import Parent
from core.engine.config import AlgoLimits
from core.engine.step import step
from tests.engine.kit import OFF, SPECS, WIDE, Bench, config

from .happenings import NAMES, WEIGHTS, Happenings, K
from .judge import Broken, Judge, need

ALGOS = ("twap", "twap", "vwap", "pov", "is", "iceberg", "sor")
OTHER = InstrumentSpec(
    symbol="AAA/USDT@alt", base="AAA", venue="alt", tick_size=0.01, lot_size=5.0, margin_rate=0.1
)
TWO = (msgspec.structs.replace(SPECS[0], base="AAA"), OTHER, *SPECS[1:])


class Watched(Bench):
    """A bench whose every step is looked at."""

    def __init__(self, life: Life, cfg) -> None:
        self.life = life
        super().__init__(cfg)

    def do(self, event) -> list[Effect]:
        effects = super().do(event)
        self.life.look(event, effects)
        return effects


class Life(Happenings, Judge):
    """One parent from its command to its end."""

    def __init__(self, seed: int, *, record: bool = False, rng: random.Random | None = None) -> None:
        self.rng = rng or random.Random(seed)
        self.seed, self.record = seed, record
        self.recorded: list[tuple[Any, bytes]] = []
        self.counts: Counter[str] = Counter()
        self.parent: Parent | None = None
        self.id = ""
        self.excess = 0  # lots the venue has done unasked
        self.sent: dict[int, int] = {}  # slice -> lots
        self.stopped = False
        self.limit_ticks = 0  # as asked for
        self.status = ""  # after the last step
        self.endings: list[str] = []
        self.epoch, self.booted = 1, 0
        rng = self.rng
        self.two = rng.random() < 0.15
        cfg = config(
            instruments=TWO if self.two else SPECS,
            venues=("sim", "alt") if self.two else ("sim",),
            algos=AlgoLimits(
                catch_up_max=rng.choice((0.0, 0.5, 1.0, 3.0)),
                on_restart=rng.choice(("cancel", "resume")),
                denials_max=rng.choice((2, 5)),
                own_in_tape=rng.random() < 0.5,
                daily_volume=rng.choice((10_000.0, 1e6)),
                risk_aversion=rng.choice((0.0, 1e-4, 1e-2)),
            ),
            gate=msgspec.structs.replace(WIDE, order_value_max=rng.choice((1e9, 1e9, 16_000.0))),
            switches=OFF,
        )
        self.config = cfg
        self.bench = Watched(self, cfg)
        self.mid = 100.0

    @property
    def state(self):
        return self.bench.state

    # -- the life -----------------------------------------------------------------------------------------------

    def run(self) -> Life:
        try:
            self._born()
            for _ in range(self.rng.randint(10, 50)):
                self._event()
            self._rest()
            if self.record:
                self._replay()
        except Exception as error:
            raise Broken(f"{type(error).__name__}: {error}  [seed {self.seed}]") from error
        return self

    def _born(self) -> None:
        rng = self.rng
        held = rng.choice((0, -60, 40, 150))
        if held:
            self._hold(held)
        if rng.random() < 0.5:
            self._trade(rng.randint(1, 200))
        algo = rng.choice(ALGOS)
        qty = rng.choice((1, 3, 10, 47, 100, 500))
        reducing = held != 0 and rng.random() < 0.3
        side = ("buy" if held < 0 else "sell") if reducing else rng.choice(("buy", "sell"))
        data = {
            "symbol": "AAA/USDT", "side": side, "qty": str(qty), "algo": algo,
            "algo_params": self._params(algo, qty), "reduce_only": reducing,
        }  # fmt: skip
        if algo == "iceberg" or rng.random() < 0.5:
            away = rng.choice((-0.3, 0.0, 0.02, 1.0)) * (1 if data["side"] == "buy" else -1)
            data |= {"type": "limit", "price": f"{100.0 + away:.2f}"}
            self.limit_ticks = round((100.0 + away) * 100)
        before = dict(self.state.cold.parents)
        self.command = f"algo-{self.seed}"
        self.bench.command("submit_order", data, id=self.command)
        made = [p for key, p in self.state.cold.parents.items() if key not in before]
        self.counts["refused"] += not made

    def _hold(self, lots: int) -> None:
        side, id = "buy" if lots > 0 else "sell", f"hold-{self.seed}"
        self.bench.command("submit_order", {"symbol": "AAA/USDT", "side": side, "qty": str(abs(lots))}, id=id)
        (order,) = self.state.working.values()
        self.bench.report(order.cl_ord_id, K.ACK)
        self.bench.fill(order.cl_ord_id, abs(lots))

    def _params(self, algo: str, qty: int) -> dict[str, Any]:
        rng = self.rng
        if algo == "sor":
            return {}
        if algo == "iceberg":
            return {"display_qty": str(max(1, qty // rng.choice((1, 3, 10))))} | (
                {"over_s": "8"} if rng.random() < 0.5 else {}
            )
        params = {"over_s": str(rng.choice((4, 10, 30))), "slices": rng.choice((1, 4, 10, 20))}
        if rng.random() < 0.3:
            params["start_in_s"] = "1.5"
        if rng.random() < 0.3:
            params["jitter"] = "0.5"
        params["style"] = rng.choice(("ioc", "ioc", "market", "limit"))
        if self.two and params["style"] != "limit" and rng.random() < 0.7:
            params["venues"] = "all"
        if algo == "pov":
            params["participation"] = rng.choice(("0.1", "0.5"))
        if algo == "vwap":
            params["dynamic"] = rng.choice((0, 1))
            params["profile"] = [rng.choice((0, 1, 5)) + 1 for _ in range(168)]
        return params

    def _event(self) -> None:
        name = self.rng.choices(NAMES, WEIGHTS)[0]
        if getattr(self, f"_{name}")() is not False:
            self.counts[name] += 1

    # -- the end ------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """The venue answers everything from now on: what has not ended must end."""
        for _ in range(60):
            if self.parent is None or self.parent.ended_ns:
                break
            for order in [o for o in self.state.working.values() if o.parent]:
                if not order.is_open:
                    continue
                if self.rng.random() < 0.5 and not order.cancels and order.leaves_lots:
                    self.bench.fill(order.cl_ord_id, order.leaves_lots, self._paid(order))
                elif order.status is OrdStatus.PENDING_UNKNOWN or order.cancels or order.tif.name == "IOC":
                    self._say(order, K.CANCELED)
            self._move()
            self.bench.wait(1.0)
            if self.parent and not self.parent.ended_ns and (_ > 30 or not self.parent.end_ns):
                self._end()
        parent = self.parent
        if parent is not None:
            need(
                parent.ended_ns > 0,
                f"A7: {parent.id} {parent.algo} never ended: {parent.status} {parent.note}",
            )
            need(len(self.endings) == 1, f"A7: its command ended {self.endings}")
            self.counts[f"ended {parent.status}"] += 1
            self.counts[f"algo {parent.algo}"] += 1
            self.counts["children"] += len(parent.children)
            self.counts["whole"] += parent.filled_lots == parent.qty_lots

    # -- replay ---------------------------------------------------------------------------------------------------

    def _replay(self) -> None:
        state = snapshot.create(self.config)
        middle = len(self.recorded) // 2
        for n, (event, digest) in enumerate(self.recorded):
            if n == middle:
                state = snapshot.load(snapshot.save(state), self.config)
            need(effects_digest(step(state, event)) == digest, f"A8: step {n} differs in replay")
        same = snapshot.fingerprint(state) == snapshot.fingerprint(self.state)
        need(same, "A8: the state differs after replay")

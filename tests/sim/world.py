"""One small world from one seed: the real engine, simulated venues that misbehave, a market, and people.

    World(seed).run()      raises Broken with the seed; the same seed breaks the same way for ever

A world has ten seconds of weather, in which everything may happen, then a calm in which all must come to rest:

    I2   every kill ends LATCHED and the venue itself agrees: nothing working in its scope, flat where it flattens
    I3   our positions are the venue's
    I6   the recorded events give a fresh engine the same effects, step by step, across a snapshot
    I7   a restart comes up stopped, and its kills go on
"""

from __future__ import annotations

import random
from typing import Any

from bus.enums import KillPhase, Purpose, ReportKind, Role, Side, TradingState
from bus.events import Boot, Command, JournalStatus, OpenOrder, Report
from core.adapters.sim_venue import SimVenue
from core.app.drive import Driver, effects_digest
from core.engine import ladder, snapshot
from core.engine.market import Ticks
from core.engine.scopes import in_scope
from core.engine.state import State
from core.engine.step import step

from . import both_ways, by_hand, parents
from .cable import Cable
from .draw import ACTIVE_S, T0, Act, plan
from .tape import SECOND, make
from .trader import RandomTrader
from .watch import Broken, Watch, need

CALM_MIN_S, CALM_S = 26, 150  # late reports come up to 20 s late
REPLAY_EVERY = 3  # every which seed is replayed
both_ways.install()


class World:
    """Build with a seed, ``run``; ``watch`` holds what was seen."""

    def __init__(self, seed: int, *, replay: bool | None = None) -> None:
        self.seed = seed
        self.plan = plan(seed)
        self.rng = random.Random(f"acts-{seed}")
        self.list_rng = random.Random(f"list-acts-{seed}")
        self.replay = seed % REPLAY_EVERY == 0 if replay is None else replay
        self.config = self.plan.config
        self.venues = [
            Cable(
                SimVenue(
                    n,
                    self.config.instruments,
                    seed=seed + n,
                    latency_ms=self.plan.latency_ms[n],
                    jitter_ms=self.plan.latency_ms[n] / 2,
                    faults=self.plan.faults[n],
                    funding_interval_s=self.plan.funding_s,
                    lists=self._listed(n),
                    depth_of=self._listed(n) if len(self.config.venues) > 1 else (),
                )
            )
            for n in range(len(self.config.venues))
        ]
        self.tape = make(
            seed, self.config.instruments, self.plan.prices, self.plan.climate, T0, ACTIVE_S, CALM_S + 10.0
        )
        self.state = self._dress(snapshot.create(self.config))
        self.watch = Watch(self.state, self.venues)
        self.recorded: list[tuple[Any, bytes]] = []
        self.epoch = 1
        self.commands: list[Command] = []
        self.driver = self._driver()

    def _listed(self, n: int) -> list[int]:
        """Instruments of venue ``n``."""
        name = self.config.venues[n]
        return [i for i, spec in enumerate(self.config.instruments) if spec.venue == name]

    # -- running ------------------------------------------------------------------------------------------------

    def run(self) -> World:
        """The whole life of the world. Raises Broken naming the seed."""
        try:
            self._live()
            self._rest()
            if self.replay:
                self._replay()
        except Exception as error:
            raise Broken(f"{error}  [seed {self.seed}: python -m tests.sim {self.seed}]") from error
        return self

    def _live(self) -> None:
        self.driver.send(Boot(T0, 1, self.plan.clean, autostart=True))
        for act in self.plan.acts:
            self._to(act.at_ns)
            self._do(act)
        self._to(T0 + int(ACTIVE_S * SECOND))

    def _rest(self) -> None:
        for fault_plan in self.plan.faults:
            fault_plan.clear()
        self.driver.send(JournalStatus(self.driver.now_ns, True))
        if self.plan.stop_early:
            self._command("stop", {})
        now_s = int(ACTIVE_S)
        stopped = self.plan.stop_early
        while now_s < ACTIVE_S + CALM_S:
            now_s += 4
            self._to(T0 + now_s * SECOND)
            if now_s >= ACTIVE_S + CALM_MIN_S and not stopped:
                stopped = True
                self._command("stop", {})
            elif now_s >= ACTIVE_S + CALM_MIN_S and self._settled():
                break
        self._final()

    def _settled(self) -> bool:
        cold = self.state.cold
        done = all(kill.phase is KillPhase.LATCHED for kill in cold.kills.values())
        return done and all(v.reconciled for v in cold.venues) and not self._open_unstopped()

    def _open_unstopped(self) -> list[str]:
        """What works although everything was stopped; a stranger's order only counts under a kill."""
        kills = self.state.cold.kills
        held = {kill.scope for kill in kills.values() if kill.level >= TradingState.HALTED}
        return [
            o.cl_ord_id
            for o in self.state.working.values()
            if (o.purpose is not Purpose.ADOPTED or any(in_scope(self.state, o, scope) for scope in held))
            and not self.watch.lists.may_stay(o)
        ]

    def _final(self) -> None:
        state = self.state
        for kill in state.cold.kills.values():
            need(
                kill.phase is KillPhase.LATCHED,
                "I2",
                f"{kill.key} {kill.level.name} is {kill.phase.name} after {CALM_S} s of calm, stage {kill.stage}, "
                f"alarmed {kill.alarmed}, pending {list(kill.pending)[:3]}, targets {kill.targets}",
            )
            self._venue_agrees(kill)
        need(not self._open_unstopped(), "I2", f"still working: {self._open_unstopped()}")
        theirs: dict[int, int] = {}
        for venue in self.venues:
            theirs.update(venue.positions())
            known = self.state.working
            left = [row for row in venue.open_orders() if row.cl_ord_id not in known]
            need(not left, "I2", f"the venue works what we do not: {left[:3]}")
        ours = {i: state.qty(i) for i in range(len(state.specs)) if state.qty(i)}
        need(ours == theirs, "I3", f"we hold {ours}, the venue says {theirs}")
        self._money_agrees()
        self.watch.lists.check_rest()
        self.watch.check_attribution()
        left = [id for id in self.watch.asked if id not in self.watch.endings]
        need(not left, "I8", f"no ending for {[(id, self.watch.asked[id]) for id in left]}")

    def _money_agrees(self) -> None:
        """Two methods of keeping books, one result: average cost here, cash flows at the venue."""
        state = self.state
        guessed = self.watch.meddled or self.watch.alerts["RECONCILIATION"] or state.cold.adjusted
        if guessed or self.plan.funding_s:  # funding falls due at the venue's mark, a moment before ours
            return
        marks = [state.mark(i) for i in range(len(state.specs))]
        ledgers = [venue.inner._exchange.ledger.equity(marks) for venue in self.venues]
        for name, c in state.currencies_ids.items():
            row = state.currencies[c]
            ours = float(row["cash"] + row["unrealized"]) - state.config.cash.get(name, 0.0)
            theirs = sum(ledger.get(name, 0.0) for ledger in ledgers)
            scale = 1e-6 * max(abs(ours), float(row["gross"]), 1e-3)
            need(abs(ours - theirs) <= scale, "I5", f"{name}: we made {ours}, the venue says {theirs}")

    def _venue_agrees(self, kill: ladder.Kill) -> None:
        """What the venues themselves say about a confirmed kill's scope."""
        kind, _, name = kill.scope.partition(":")
        if kind == "strategy":
            if kill.level >= TradingState.FLATTENING:
                held = [h for h in self.state.cold.holdings.values() if h.strategy == name and h.qty_lots]
                need(sum(abs(h.qty_lots) for h in held) <= kill.left_lots, "I2", f"{kill.key}: {held}")
            return
        for venue in self.venues:
            for i, lots in venue.positions().items():
                spec = self.config.instruments[i]
                inside = kind == "all" or name in (spec.venue, spec.symbol)
                flat = kill.level < TradingState.FLATTENING or not inside
                need(
                    flat, "I2", f"{kill.key} {kill.level.name} LATCHED, the venue holds {spec.symbol} {lots}"
                )

    # -- time ---------------------------------------------------------------------------------------------------

    def _to(self, ts_ns: int) -> None:
        rows = self.tape.until(ts_ns)
        if len(rows):
            self.driver.feed(rows)
        self.driver.run_until(ts_ns)

    def _driver(self) -> Driver:
        return Driver(self.state, self.venues, on_step=self._on_step)

    def _on_step(self, event: Any, effects: list[Any]) -> None:
        if self.replay:
            self.recorded.append((event, effects_digest(effects)))
        self.watch(event, effects)

    def _dress(self, state: State) -> State:
        """The random strategies take the places that the configuration keeps for them."""
        for id, value in self.plan.random_strategies.items():
            state.strategies[id] = RandomTrader(id, self.seed, value)
        return state

    # -- people -------------------------------------------------------------------------------------------------

    def _do(self, act: Act) -> None:
        data, now = act.data, self.driver.now_ns
        match act.what:
            case "submit":
                self._submit(data)
            case "algo" | "pause_algo" | "resume_algo" | "cancel_algo":
                parents.ask(self, act)
            case "list" | "oco" | "amend" | "trigger":
                by_hand.do(self, act)
            case "cancel_order":
                ids = list(self.state.cold.orders) or ["nobody"]
                self._command("cancel_order", {"cl_ord_id": self.rng.choice(ids)})
            case "repeat":
                if self.commands:
                    self.driver.send(self.rng.choice(self.commands))
            case "external_order":
                self._external_order(data)
            case "external_position":
                self._external_position(data)
            case "journal":
                self.driver.send(JournalStatus(now, data["ok"], "disk full"))
            case "revive":
                self._command("rearm", {"switch": "all"})
                self._command("start", {})
            case "restart":
                self._restart(data)
            case "garbage":
                self._garbage(now)
            case _:
                self._command(act.what, data)

    def _command(self, type: str, data: dict[str, Any]) -> None:
        command = Command(
            self.driver.now_ns, f"c{len(self.commands)}", "alice", Role.OPERATOR, type, data, "a reason"
        )
        self.commands.append(command)
        self.driver.send(command)

    def _submit(self, data: dict[str, Any]) -> None:
        state, i = self.state, self.state.ids[data["symbol"]]
        spec, mark = state.specs[i], state.mark(i)
        unit = spec.lot_value(mark) * state.fx(i) if mark > 0.0 else 0.0
        lots = max(1, int(data["share"] * 100_000.0 / unit)) if unit > 0.0 else 1
        ticks = round(mark * (1.0 + data["away"]) / spec.tick_size)
        order = {
            "symbol": spec.symbol,
            "side": data["side"],
            "type": data["type"],
            "qty": f"{lots * spec.lot_size:.8f}",
            "reduce_only": data["reduce_only"],
        }
        if data["type"] == "limit":
            order["price"] = f"{ticks * spec.tick_size:.8f}"
        self._command("submit_order", order)

    def _external_order(self, data: dict[str, Any]) -> None:
        i = self.state.ids[data["symbol"]]
        spec, mark = self.state.specs[i], self.state.mark(i)
        if mark > 0.0:
            venue = self.venues[self.state.venue_ids[spec.venue]]
            price = max(1, round(mark * 0.9 / spec.tick_size))
            row = OpenOrder(f"by-hand-{self.driver.now_ns}", i, Side.BUY, 10, 0, price)
            venue.inner.restore({}, [row])

    def _external_position(self, data: dict[str, Any]) -> None:
        i = self.state.ids[data["symbol"]]
        venue = self.venues[self.state.venue_ids[self.state.specs[i].venue]]
        held = venue.positions().get(i, 0)
        venue.inner.restore({i: held + self.rng.choice((-7, 5))})
        self.watch.meddled = True

    def _garbage(self, now: int) -> None:
        """A venue that talks nonsense: none of it may change a book."""
        ids = list(self.state.cold.orders) or ["nobody"]
        id = self.rng.choice(ids)
        kind = self.rng.choice(list(ReportKind))
        nan = float("nan")
        for report in (
            Report(now, 0, "never-heard-of", kind, exec_id="g1", last_lots=3, px_ticks=1.0),
            Report(now, 0, id, ReportKind.TRADE, exec_id="g2", last_lots=0, px_ticks=1.0),
            Report(now, 0, id, ReportKind.TRADE, exec_id="g3", last_lots=-5, px_ticks=1.0),
            Report(now, 0, id, ReportKind.TRADE, exec_id="g4", last_lots=5, px_ticks=nan),
            Report(now, 0, id, ReportKind.TRADE, exec_id="g5", last_lots=5, px_ticks=float("inf")),
            Report(now, 0, id, ReportKind.TRADE, exec_id="g6", last_lots=5, px_ticks=1.0, fee=nan),
            Report(now - 10 * SECOND, 9, id, ReportKind.ACK),
        ):
            before = self.watch.fills.total()
            self.driver.send(report)
            need(self.watch.fills.total() == before, "I3", f"{report} was booked")

    def _restart(self, data: dict[str, Any]) -> None:
        """The process dies; perhaps with its last requests unsent. What the venue says meanwhile is not heard."""
        if data["lost"]:
            for venue in self.venues:
                venue.cut = True
            self._command("kill", {"scope": "all", "level": "flatten"})
            for venue in self.venues:
                venue.cut = False
        raw = snapshot.save(self.state)
        held = {key: kill.level for key, kill in self.state.cold.kills.items()}
        self.state = self._dress(snapshot.load(raw, self.config))
        need(snapshot.save(self.state) == raw, "I7", "a snapshot does not survive its own loading")
        self.watch.state = self.state
        until = self.driver.now_ns + int(data["down_s"] * SECOND)
        rows = self.tape.until(until)
        for venue in self.venues:
            venue.on_ticks(rows)
            venue.due(until)
        self.driver = self._driver()
        self.epoch += 1
        self.driver.send(Boot(until, self.epoch, clean=False, note="killed", autostart=True))
        level = ladder.level_of(self.state.cold.kills, ())
        need(level >= TradingState.HALTED and not self.state.cold.started, "I7", f"came up {level.name}")
        for key, before in held.items():
            need(self.state.cold.kills[key].level >= before, "I7", f"{key} was lost over a restart")

    # -- replay -------------------------------------------------------------------------------------------------

    def _replay(self) -> None:
        """The same events, a fresh engine; half way it is packed up and unpacked."""
        state = self._dress(snapshot.create(self.config))
        middle = len(self.recorded) // 2
        for n, (event, digest) in enumerate(self.recorded):
            if n == middle:
                state = self._dress(snapshot.load(snapshot.save(state), self.config))
            effects = step(state, event)
            if isinstance(event, Ticks):
                need(state.consumed == len(event.rows), "I6", f"step {n} took {state.consumed} rows")
            need(
                effects_digest(effects) == digest, "I6", f"step {n} {type(event).__name__} differs in replay"
            )
        same = snapshot.fingerprint(state) == snapshot.fingerprint(self.state)
        need(same, "I6", "the state differs after replay")

"""The composition root of a running core: the only place that makes adapters and introduces them to the engine.

    lock -> inspect and recover -> warm kernels -> journal, latch store -> venue, feed -> bus -> Boot -> ``ready``

and the same backwards at the end: entries off, working orders cancelled, the clean-shutdown mark, snapshot, close.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import Callable

from bus.address import Address, local_endpoints, remove_core, write_core
from bus.enums import Role
from bus.events import Command, Noise, Shutdown
from bus.roles import Identity
from bus.server import BusServer, CurveServer
from bus.wire import STOPPING_TYPES, Error, Request
from core.adapters.catalogue import listing_of
from core.adapters.clock import SystemClock
from core.adapters.journal import Journal, JournalError
from core.adapters.latch_store import LatchStore, halt_requested
from core.adapters.lock import DataDirError, DataDirLock
from core.adapters.market import EmbeddedMarket
from core.adapters.recovery import JOURNAL
from core.adapters.sim_venue import SimVenue
from core.adapters.tape import TapeError, open_tape
from core.adapters.witness import Witness
from core.adapters.witness_outside import Outside
from core.app.analyst import Analyst
from core.app.feeds import FAR_NS, Feed, MarketFeed, TapeFeed
from core.app.inbox import Inbox
from core.app.loop import Loop
from core.app.options import CoreOptions
from core.app.publisher import Publisher
from core.app.pulse import Pulse
from core.app.setup import engine_config, paper_instruments
from core.app.startup import Start, prepare
from core.app.surveil import Surveillance
from core.engine import protect
from core.engine.config import EngineConfig
from core.kernels.warm import warm

STOP_S = 5.0  # how long an orderly stop waits for its cancels
POLL_S = 0.25  # HALT file, end of tape
ALWAYS = STOPPING_TYPES | {"stop_strategy", "close_position"}  # taken however much is waiting


class Refusal(Exception):
    """The core cannot start: one line with the way out. ``code`` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def run(options: CoreOptions) -> int:
    """Run a core in the foreground until SIGTERM, SIGINT, or ``headless_seconds``; returns the exit code."""
    try:
        lock = DataDirLock(options.data_dir)
    except DataDirError as error:
        print(f"andon core: {error}", file=sys.stderr)
        return 1
    with lock:
        try:
            return asyncio.run(Service(options, lock).main())
        except Refusal as refusal:
            print(f"andon core: {refusal}", file=sys.stderr)
            return refusal.code
        except (JournalError, TapeError, OSError) as error:
            print(f"andon core: {error}", file=sys.stderr)
            return 1
        except ValueError as error:  # settings that do not fit together, said by whoever found out
            print(f"andon core: {error}", file=sys.stderr)
            return 2


class Service:
    """One core and everything around it."""

    def __init__(self, options: CoreOptions, lock: DataDirLock) -> None:
        self.options, self.lock = options, lock
        self.settings = options.loaded.settings
        self.clock = SystemClock()
        self.done = asyncio.Event()
        self._halted_by_file = False
        if self.settings.account.env == "live" or options.profile == "live" or options.venues:
            raise Refusal(
                "real venues are not in this build; run the paper profile: andon core --profile paper", 2
            )

    async def main(self) -> int:
        """Build, announce, run, take down."""
        config, feed_of = self._market()
        start = prepare(self.options.data_dir, config, self.options.loaded, self.clock.now_ns())
        self.lock.set_epoch(start.epoch)
        warm()
        self._build(start, feed_of(start))
        aio = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            aio.add_signal_handler(number, self.done.set)
        aio.add_signal_handler(signal.SIGUSR1, self._kill, "SIGUSR1")
        self.server.start(aio)
        self.loop.start(aio)
        self.loop.handle(start.boot)
        self.pulse.start(aio)
        if self.settings.risk.enabled:
            self.analyst.start(aio)
        self.surveillance.start()
        self.loop.wake()
        self._announce(start.epoch)
        try:
            await self._until_done()
            code = await self._shut_down()
        finally:
            written = self._close(start.epoch)
        return code if written else 1

    # -- building

    def _market(self) -> tuple[EngineConfig, Callable[[Start], Feed]]:
        """Instruments and feed: the embedded market or a tape."""
        now_ns = self.clock.now_ns()
        options = self.options
        if options.replay is None:
            specs = paper_instruments(self.settings)
            return engine_config(self.settings, specs, env="PAPER", now_ns=now_ns), self._paper_feed
        tape = open_tape(options.replay, options.symbol, options.skip_bad, settle=self.settings.account.ccy)
        config = engine_config(self.settings, tape.specs, env="REPLAY", now_ns=now_ns)
        return config, lambda _start: TapeFeed(
            tape.rows, self.clock.now_ns() + int(POLL_S * 1e9), options.speed
        )

    def _paper_feed(self, start: Start) -> Feed:
        market, now_ns = self.settings.market, self.clock.now_ns()
        seed = self.options.seed or market.seed or uuid.uuid4().int % (1 << 53)
        marks = {i: start.state.mark(i) for i in range(len(start.state.specs))} if start.carried else {}
        embedded = EmbeddedMarket(
            start.state.specs,
            seed,
            market.tick_rate_per_s,
            start_ns=now_ns,
            speed=market.speed,
            start_px=marks,
        )
        crash_at = now_ns + int(market.crash_after_s * 1e9) if market.crash_after_s else FAR_NS
        return MarketFeed(
            embedded, crash_at_ns=crash_at, crash_drop=market.crash_drop, crash_s=market.crash_duration_s
        )

    def _venues(self, start: Start) -> list[SimVenue]:
        """One simulated venue for each name; it forgets its orders with the process, positions are the account's."""
        state, market = start.state, self.settings.market
        seed = self.options.seed or market.seed or start.epoch
        twice = [i for i, peers in enumerate(state.alike) if len(peers) > 1]
        told = sorted({peer.instrument for i in twice for peer in state.alike[i]})
        venues = []
        for n, name in enumerate(state.config.venues):
            lists = [i for i, spec in enumerate(state.specs) if spec.venue == name]
            venue = SimVenue(
                n,
                state.specs,
                seed=seed + n,
                latency_ms=market.latency_ms if n == 0 else market.latency2_ms,
                jitter_ms=market.latency_jitter_ms,
                session=str(start.epoch),
                lists=lists,
                depth_of=[i for i in told if i in lists],
                depth_hz=market.depth_hz,
                depth_levels=market.depth_levels,
            )
            venue.restore({i: state.qty(i) for i in lists if state.qty(i)})
            venues.append(venue)
        return venues

    def _build(self, start: Start, feed: Feed) -> None:
        settings, folder = self.settings, self.options.data_dir
        self.state = start.state
        self.latches = LatchStore(folder, start.epoch)
        self.journal = Journal(
            folder / JOURNAL,
            start.epoch,
            on_durable=lambda seq: self.loop.on_durable(seq),  # noqa: PLW0108  (the loop is made below)
            on_failed=lambda reason: self.loop.on_journal(ok=False, reason=reason),
            on_recovered=lambda: self.loop.on_journal(ok=True, reason=""),
            witness=Witness(folder, Outside(place) if (place := settings.audit.witness) else None),
            ticks_keep_mb=settings.journal.ticks_keep_mb,
        )
        self.server = self._make_server(start.epoch)
        self.publisher = Publisher(self.server, start.state)
        self.feed = feed
        self.inbox = Inbox(settings.engine.inbox_control_max, settings.engine.inbox_market_max)
        self.loop = Loop(
            start.state,
            clock=self.clock,
            journal=self.journal,
            latches=self.latches,
            server=self.server,
            publisher=self.publisher,
            venues=self._venues(start),
            feed=feed,
            inbox=self.inbox,
            snapshot_every=(settings.journal.snapshot_every_events, settings.journal.snapshot_every_s),
        )
        self.loop.on_broken = self.done.set
        self.pulse = Pulse(self.loop, settings.bus.heartbeat_hz, settings.bus.table_hz)
        self.analyst = self._make_analyst(start)
        self.surveillance = Surveillance(self.loop, settings.surveillance)

    def _make_analyst(self, start: Start) -> Analyst:
        """Betas are known for the embedded market; the sampled history is kept where the market goes on."""
        paper = self.options.replay is None
        specs = start.state.specs
        betas = {spec.symbol: listing_of(spec).beta for spec in specs} if paper else {}
        keep = self.options.data_dir / "risk" / "bars.npz" if paper else None
        return Analyst(self.loop, self.settings.risk, betas=betas, keep=keep)

    def _make_server(self, epoch: int) -> BusServer:
        bus, folder = self.settings.bus, self.options.data_dir
        local = local_endpoints(folder)
        states, commands = [bus.state or local[0]], [bus.command or local[1]]
        curve = None
        if bus.tcp:
            curve = CurveServer.of(folder / "keys")
            states.append(f"tcp://{bus.host}:{bus.state_port}")
            commands.append(f"tcp://{bus.host}:{bus.command_port}")
        try:
            return BusServer(
                state_endpoints=states,
                command_endpoints=commands,
                epoch=epoch,
                on_request=self._on_request,
                on_noise=self._on_noise,
                curve=curve,
                on_open_door=lambda text: self._kill(f"bus: {text}"),
                clock_ns=self.clock.now_ns,
                requests_per_s_max=bus.requests_per_s_max,
            )
        except ValueError as error:
            raise Refusal(str(error), 2) from None

    def _announce(self, epoch: int) -> None:
        state, command = self.server.state_endpoints[0], self.server.command_endpoints[0]
        key = CurveServer.of(self.options.data_dir / "keys").keys.public if self.settings.bus.tcp else ""
        write_core(
            self.options.data_dir,
            Address(state=state, command=command, epoch=epoch, pid=os.getpid(), server_public_key=key),
        )
        if not self.options.quiet:
            print(f"ready state={state} command={command} epoch={epoch}", flush=True)

    # -- running

    async def _until_done(self) -> None:
        """Wait for the end; meanwhile look at the HALT file and at the end of the tape."""
        aio = asyncio.get_running_loop()
        ends_at = (
            aio.time() + self.options.headless_seconds if self.options.headless_seconds else float("inf")
        )
        tape_ended = False
        while not self.done.is_set() and aio.time() < ends_at:
            if not self._halted_by_file and halt_requested(self.options.data_dir):
                self._halted_by_file = True
                self._kill(f"the file {self.options.data_dir / 'HALT'}")
            if self.feed.ended and not tape_ended:
                tape_ended = True
                self._command("stop", {}, "the tape has ended")
            try:
                await asyncio.wait_for(self.done.wait(), min(POLL_S, max(ends_at - aio.time(), 0.001)))
            except TimeoutError:
                continue

    async def _shut_down(self) -> int:
        """Entries off, working orders cancelled and confirmed, then the mark that makes the next start a clean one."""
        if self.loop.broken:
            text = (
                f"the engine has failed ({self.loop.broken}): cancels are out; the next start comes up halted"
            )
            print(f"andon core: {text}", file=sys.stderr)
            return 1
        self._command("stop", {"keep_algos": True}, "shutdown")
        aio = asyncio.get_running_loop()
        until = aio.time() + STOP_S
        while (protect.unsettled(self.state) or not self._latches_stored()) and aio.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self.loop.stop()
        left = protect.unsettled(self.state)
        if left:
            print(f"andon core: {left} orders unconfirmed; the next start comes up halted", file=sys.stderr)
            return 1
        self.loop.handle(Shutdown(self.clock.now_ns(), self.settings.operator.name or "core", "orderly stop"))
        self.loop.snapshot()
        return 0

    def _latches_stored(self) -> bool:
        """Every stop record asked for has been answered for."""
        return self.loop.latches_pending == 0

    def _close(self, epoch: int) -> bool:
        """False when the disk has not taken everything."""
        self.pulse.stop()
        self.analyst.stop()
        self.surveillance.stop()
        self.loop.stop()
        remove_core(self.options.data_dir, epoch)
        latched, journalled = self.latches.close(), self.journal.close()
        self.server.close()
        if latched and journalled:
            return True
        left = f"{self.journal.pending} journal records" if not journalled else "the stop record"
        do = "the next start comes up halted; make room on the disk first"
        print(f"andon core: {left} could not be written; {do}", file=sys.stderr)
        return False

    # -- the outside

    def _on_request(self, request: Request, identity: Identity) -> None:
        if self.inbox.crowded and request.type not in ALWAYS:
            text = "the core has too much to do; try again, or stop it"
            self.server.reply(request.id, "rejected", error=Error(code="BUSY", message=text))
            return
        self.loop.post(
            Command(
                ts_ns=self.clock.now_ns(),
                id=request.id,
                operator=identity.name,
                role=identity.role,
                type=request.type,
                data=request.data,
                reason=request.reason[:500],
                expires_ns=request.expires_ns,
            )
        )

    def _on_noise(self, kind: str, text: str) -> None:
        self.loop.post(Noise(self.clock.now_ns(), kind, 1, text[:200]))

    def _kill(self, why: str) -> None:
        self._command("kill", {"scope": "all", "level": "halt"}, why)

    def _command(self, type_: str, data: dict[str, str | bool], reason: str) -> None:
        """A command of the core's own, through the same door as everyone's."""
        name = self.settings.operator.name or "core"
        now_ns = self.clock.now_ns()
        self.loop.post(Command(now_ns, str(uuid.uuid4()), name, Role.OPERATOR, type_, data, reason))

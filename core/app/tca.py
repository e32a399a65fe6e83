"""Cost analysis of a journal or of a run: the recorder's trades, each one's cost, and both taken together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from core.adapters.journal_reader import JournalReader
from core.adapters.recovery import JOURNAL
from core.analytics.tca_cost import Cost, cost_of
from core.analytics.tca_groups import GroupCost, VenueCost, by, by_venue
from core.analytics.tca_impact import PARENTS_MIN, refit
from core.analytics.tca_refit import VenueRefit, venues
from core.analytics.tca_trade import Trade
from core.app.rebuild import oldest_start, rebuild
from core.app.tca_record import TAU_S, Recorder
from core.engine.config import EngineConfig


class Analysis(msgspec.Struct, kw_only=True):
    """Trades and their costs, in the same order."""

    source: str
    ccy: str
    tau_s: float
    own_on_tape: bool
    trades: list[Trade]
    costs: list[Cost]
    trouble: str = ""  # why the record is not whole, or not to be trusted

    def by_algo(self) -> list[GroupCost]:
        """One row an algorithm; plain orders by their type."""
        return by(self.costs, lambda cost: cost.algo)

    def by_venue(self) -> list[VenueCost]:
        """One row a venue."""
        return by_venue(self.trades)

    def refit(self, *, parents_min: int = PARENTS_MIN) -> list[VenueRefit]:
        """What the router should expect of each venue, from these orders."""
        return venues(self.trades, self.by_venue(), refit(self.trades, self.costs, parents_min=parents_min))

    def only(self, parent: str) -> Analysis:
        """The one order of that id (a client order id finds its parent); empty when there is none."""
        keep = [
            i
            for i, trade in enumerate(self.trades)
            if trade.id == parent or any(child.cl_ord_id == parent for child in trade.children)
        ]
        return msgspec.structs.replace(
            self, trades=[self.trades[i] for i in keep], costs=[self.costs[i] for i in keep]
        )

    def summary(self) -> dict[str, Any]:
        """What stands for all of it in one JSON object."""
        return {
            "source": self.source,
            "ccy": self.ccy,
            "tau_s": self.tau_s,
            "parents": len(self.costs),
            "by_algo": [msgspec.structs.asdict(row) for row in self.by_algo()],
            "by_venue": [msgspec.structs.asdict(row) for row in self.by_venue()],
            "trouble": self.trouble,
        }


def analyse(
    trades: list[Trade],
    *,
    source: str,
    ccy: str,
    tau_s: float = TAU_S,
    own_on_tape: bool = False,
    trouble: str = "",
) -> Analysis:
    """Costs of ``trades``."""
    costs = [cost_of(trade, tau_s=tau_s, own_on_tape=own_on_tape) for trade in trades]
    return Analysis(
        source=source,
        ccy=ccy,
        tau_s=tau_s,
        own_on_tape=own_on_tape,
        trades=trades,
        costs=costs,
        trouble=trouble,
    )


def analyse_journal(
    path: Path,
    *,
    tau_s: float = TAU_S,
    own_on_tape: bool | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Analysis:
    """Replay a journal (a file, or a data folder's) and cost what was traded. Raises JournalError or ChainBroken.

    ``own_on_tape`` None: as it is for the journal's kind of core (a live venue prints our fills, the simulated one does
    not). Begins at the first record, or, where the ticks before were dropped, at the oldest snapshot after that.
    """
    recorder = Recorder(tau_s=tau_s)
    with JournalReader(path / JOURNAL if path.is_dir() else path) as reader:
        head = reader.last()
        start = oldest_start(reader)
        first = start.seq + 1 if start is not None else 1
        total = head.seq - first + 1

        def told(done: int) -> None:
            if progress is not None:
                progress(done, total)

        result = rebuild(
            reader.records(first, head.seq), start.state if start else None, told, recorder.on_step
        )
    trouble = result.trouble
    if result.differs_at and not trouble:
        trouble = f"effects differ from record {result.differs_at} on: written by another build"
    config = result.state.config if result.state is not None else EngineConfig()
    return analyse(
        recorder.finish(result.state),
        source=path.name,
        ccy=config.ccy if result.state is not None else "",
        tau_s=tau_s,
        own_on_tape=config.env == "LIVE" if own_on_tape is None else own_on_tape,
        trouble=trouble,
    )

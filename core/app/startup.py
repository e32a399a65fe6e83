"""From a data folder to a state one may trust, or one that says why it may not be trusted.

Order matters: the folder is inspected before anything is opened for writing, the state of being stopped is
known before the first venue is connected, and whatever cannot be proven ends in HALTED with the reason on the
screen. Nothing here decides to trade; Boot carries the verdict to the engine.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from bus.enums import Switch, TradingState
from bus.events import Boot
from bus.instruments import InstrumentSpec
from config.load import Loaded
from core.adapters import recovery
from core.adapters.journal_format import JournalError
from core.adapters.journal_reader import JournalReader
from core.adapters.latch_store import LatchRecord
from core.adapters.recovery import Found
from core.adapters.witness_outside import disagreements, last_mark
from core.app.build import build_sha256
from core.app.rebuild import Rebuilt, rebuild
from core.app.setup import SetupError
from core.engine import scopes, snapshot
from core.engine.config import EngineConfig, encode
from core.engine.state import State
from core.engine.trail import changes

VERIFY_ALL_BYTES_MAX = 32 << 20  # about 0.8 s; `andon audit verify` reads the rest


class Start(msgspec.Struct):
    """What a core begins with."""

    state: State
    boot: Boot
    epoch: int
    carried: bool  # the state comes from an earlier run
    replayed: int  # records replayed on top of the snapshot


def prepare(data_dir: Path, config: EngineConfig, loaded: Loaded, now_ns: int) -> Start:
    """Inspect, recover, decide. Raises SetupError in one line when this folder and configuration do not fit."""
    found = recovery.inspect(data_dir, full=_soon_read(data_dir))
    reasons = [*found.why_not, *_outside(found, loaded.settings.audit.witness)]
    rebuilt = _recover(found, reasons)
    state = _under(config, rebuilt, reasons)
    if found.damaged:
        moved = recovery.quarantine(data_dir, now_ns)
        reasons.append(f"the damaged journal was moved to {moved.name if moved else 'nowhere'}")
    lost = _lost(found.latch, state, reasons)
    carried = rebuilt is not None and rebuilt.state is not None
    boot = Boot(
        ts_ns=max(now_ns, state.cold.now_ns),
        epoch=found.next_epoch,
        clean=not reasons,
        note="; ".join(dict.fromkeys(reasons))[:500],
        config_sha256=loaded.sha256,
        build_sha256=build_sha256(),
        autostart=loaded.settings.engine.autostart,
        config=encode(config),
        lost=lost,
        state=snapshot.save(state) if found.damaged and carried else b"",
        changed=changes(rebuilt.state.config, config)
        if rebuilt is not None and rebuilt.state is not None
        else (),
    )
    return Start(
        state=state,
        boot=boot,
        epoch=found.next_epoch,
        carried=carried,
        replayed=rebuilt.records if rebuilt else 0,
    )


def _outside(found: Found, place: str) -> list[str]:
    """What the outside witness last saw, against the journal. A command, or a file that is not there, says nothing."""
    mark = None if not place or place.startswith("|") else last_mark(Path(place).expanduser())
    if mark is None or found.fresh or found.damaged:
        return []
    try:
        with JournalReader(found.path) as reader:
            return disagreements(reader, found.head, mark)
    except JournalError as error:
        return [str(error)]


def _soon_read(data_dir: Path) -> bool:
    """Small enough to verify every record before starting; of a larger one only what is replayed."""
    try:
        return (data_dir / recovery.JOURNAL).stat().st_size <= VERIFY_ALL_BYTES_MAX
    except OSError:
        return False  # inspect says what is wrong with it


def _recover(found: Found, reasons: list[str]) -> Rebuilt | None:
    """Snapshot plus tail through the same step; what does not come out as journalled is a reason to halt."""
    if found.fresh or (found.head.seq == 0 and found.snapshot is None):
        return None
    try:
        rebuilt = rebuild(found.tail(), found.snapshot.state if found.snapshot else None)
    except (JournalError, snapshot.BadSnapshot, msgspec.DecodeError) as error:
        reasons.append(f"the journal cannot be replayed: {error}")
        return None
    if rebuilt.trouble:
        reasons.append(rebuilt.trouble)
    if rebuilt.differs_at:
        reasons.append(f"replay differs from the journal at record {rebuilt.differs_at} (another build?)")
    return rebuilt


def _under(config: EngineConfig, rebuilt: Rebuilt | None, reasons: list[str]) -> State:
    """The recovered state under the present configuration."""
    if rebuilt is None or rebuilt.state is None:
        return snapshot.create(config)
    old = rebuilt.state
    _same_market(old.specs, config.instruments)
    if old.config.account != config.account:
        raise SetupError(
            f"this folder belongs to account {old.config.account!r}, not {config.account!r}: use another"
        )
    try:
        return snapshot.load(snapshot.save(old), config)
    except snapshot.BadSnapshot as error:
        reasons.append(str(error))
        return snapshot.create(config)


def _lost(
    latch: LatchRecord | object, state: State, reasons: list[str]
) -> tuple[tuple[str, str, str, str], ...]:
    """Latches that reached the stop record and not the journal: a stop is never the one that is forgotten."""
    if not isinstance(latch, LatchRecord):
        return ()
    lost = []
    for row in latch.latches:
        key, level = str(row.get("key", "")), str(row.get("level", "HALTED"))
        switch, _, scope = key.partition("@")
        if key in state.cold.kills or switch not in set(Switch) or not scopes.valid(state, scope):
            continue
        known = level if level in TradingState.__members__ else TradingState.HALTED.name
        lost.append((key, known, str(row.get("reason", ""))[:200], str(row.get("operator", ""))[:64]))
        reasons.append(f"the stop record holds {key}, the journal does not")
    return tuple(lost)


def _same_market(old: tuple[InstrumentSpec, ...], new: tuple[InstrumentSpec, ...]) -> None:
    if old != new:
        raise SetupError(
            "the instrument list differs from the one this folder's journal was written with; "
            "use the same market.symbols (or tape), or another --data-dir"
        )

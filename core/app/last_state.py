"""The state a journal ends in, for those who want to look at it while no core runs. Reads only."""

from __future__ import annotations

from pathlib import Path

from core.adapters.journal_reader import JournalReader
from core.adapters.recovery import JOURNAL
from core.app.rebuild import rebuild
from core.engine.state import State


class NoState(ValueError):
    """There is no journal there, or it cannot be read to its end: one line with the way out."""


def last_state(path: Path) -> State:
    """The newest snapshot with everything after it applied; ``path`` is a data folder or its journal."""
    db = path / JOURNAL if path.is_dir() else path
    if not db.is_file():
        raise NoState(f"no journal at {path}: name the data folder or its {JOURNAL}")
    with JournalReader(db) as reader:
        found = reader.snapshot()
        start = found.seq if found is not None else 0
        result = rebuild(reader.records(start + 1, reader.last().seq), found.state if found else None)
    if result.state is None or result.trouble:
        raise NoState(f"{path}: {result.trouble or 'the journal is empty'}; see andon replay --verify")
    return result.state

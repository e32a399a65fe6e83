"""Pulling one cord: ask the core, follow the kill to its end, and leave a mark when nobody answers.

The client waits for the venue's word as the core reports it. Whatever happens to this process, the core goes on.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon.errors import DONE, FAILED, UNCONFIRMED, UNREACHABLE

if TYPE_CHECKING:
    from bus.client import Client
    from bus.wire import Reply

FINAL = ("done", "failed", "rejected")
SILENCE_S = 3.0
_COUNTS = ("cancelled", "cancel_total", "flat", "flat_total", "unconfirmed")


@dataclass(slots=True)
class Pull:
    """How far one kill has come, as the core last said it."""

    status: str = "sent"  # sent | accepted | progress | done | failed | rejected | unconfirmed | unreachable
    level: str = ""
    phase: str = ""
    cancelled: int = 0
    cancel_total: int = 0
    flat: int = 0
    flat_total: int = 0
    unconfirmed: int = 0
    elapsed_ms: float = 0.0
    receipt: str = ""
    error: str = ""
    core: str = ""

    def code(self) -> int:
        """Exit code: 0 only when the venue has confirmed everything."""
        if self.status == "done":
            return UNCONFIRMED if self.unconfirmed else DONE
        return {"unconfirmed": UNCONFIRMED, "unreachable": UNREACHABLE}.get(self.status, FAILED)

    def as_dict(self) -> dict[str, Any]:
        """What ``--json`` prints; empty texts are left out except the contract's own keys."""
        kept = {"status", "level", "receipt"}
        return {key: value for key, value in asdict(self).items() if value != "" or key in kept}

    def phase_line(self) -> str:
        """``CANCELLING 12/50  unconfirmed 1``."""
        parts = [self.phase or self.status.upper()]
        if self.phase == "FLATTENING" or (self.phase != "CANCELLING" and self.flat_total):
            parts[0] += f" {self.flat}/{self.flat_total}"
        elif self.cancel_total:
            parts[0] += f" {self.cancelled}/{self.cancel_total}"
        if self.unconfirmed:
            parts.append(f"unconfirmed {self.unconfirmed}")
        return "  ".join(parts)

    def result_line(self) -> str:
        """The last line of a kill, for a person."""
        counts = f"cancelled {self.cancelled}/{self.cancel_total}, flat {self.flat}/{self.flat_total}"
        left = f", unconfirmed {self.unconfirmed}" if self.unconfirmed else ""
        receipt = f", receipt {self.receipt}" if self.receipt else ""
        return f"{self.status.upper()} {self.level}: {counts}{left} in {self.elapsed_ms:.0f} ms{receipt}"


def pull(
    client: Client,
    data: dict[str, str],
    reason: str,
    timeout_s: float,
    progress: Callable[[Pull], None],
    on_silence: Callable[[], None] = lambda: None,
) -> Pull:
    """Send a kill and follow it until it ends or ``timeout_s`` is over. ``progress`` sees every change.

    No ping goes before it: a core that is merely busy must not be missed. ``on_silence`` is called once when nothing
    was heard for SILENCE_S; the same request (the core acts on an id once) is then tried until the time is over.
    """
    from bus.client import NotReachable, Unconfirmed

    state, begun, same_id = Pull(level=data["level"]), time.monotonic(), str(uuid.uuid4())
    for wait_s in (min(SILENCE_S, timeout_s), timeout_s - SILENCE_S):
        if wait_s <= 0 or state.status in FINAL:
            break
        try:
            for reply in client.request(
                "kill", data, reason=reason, expires_s=0, timeout_s=wait_s, id=same_id
            ):
                state.elapsed_ms = (time.monotonic() - begun) * 1e3
                if _take(state, reply):
                    progress(state)
        except Unconfirmed as error:
            state.error = str(error)
        except NotReachable as error:
            if state.status == "sent":
                state.status, state.error = "unreachable", str(error)
                on_silence()
    state.elapsed_ms = (time.monotonic() - begun) * 1e3
    if state.status in {"accepted", "progress"}:
        state.status = "unconfirmed"
    return state


def _take(state: Pull, reply: Reply) -> bool:
    """Whether the reply says anything new (a repeated request is told again what it knows)."""
    before = replace(state)
    state.status, state.error = reply.status, ""
    for key in _COUNTS:
        if isinstance(reply.data.get(key), int):
            setattr(state, key, reply.data[key])
    for key in ("phase", "receipt", "level"):
        setattr(state, key, str(reply.data.get(key) or getattr(state, key)))
    if error := getattr(reply, "error", None):
        state.error = f"{error.code}: {error.message}"
    return state != before


def leave_halt_mark(folder: Path, data: dict[str, str], reason: str) -> Path | None:
    """Write ``<folder>/HALT``, durably: a core that polls it halts, the next start comes up halted.

    None when there is no such folder or it cannot be written: nothing is created for a mistyped path.
    """
    if not folder.is_dir():
        return None
    record = {**data, "reason": reason, "operator": _operator(), "ts_ns": time.time_ns()}
    partial, mark = folder / f".HALT.{os.getpid()}", folder / "HALT"
    try:
        with partial.open("w") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(mark)
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError:
        partial.unlink(missing_ok=True)
        return None
    return mark


def _operator() -> str:
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or str(os.getuid())

"""The audit trail's vocabulary: one ``Line`` a decision, stored with the event that caused it and hashed with it.

A journal record holds what the engine was *told*; its lines hold what it *decided*, in the words of the moment. Both
stand in one chain link, so that neither can be changed, left out or moved to another record without the other.
Epoch and fingerprints are not repeated in each line: the epoch is a field of the record, and the epoch's ``boot``
record, earlier in the same chain, carries configuration and build; an export puts them side by side again.

Array-like and append-only: a field is added at the end with a default or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

ORDER, REPLACE, CANCEL, MASS_CANCEL, DENIED = "order", "replace", "cancel", "mass_cancel", "denied"
COMMAND, CONFIG, LIMIT, BOOT = "command", "config", "limit", "boot"


class Line(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who did what to which target, and what came of it. Quantities in base units, prices in quote; None = none."""

    what: str  # one of the words above, or what AuditView calls it
    who: str  # strategy, operator, "core", or the kill that asked
    target: str  # order id, switch, scope, configuration key
    result: str
    detail: str = ""
    role: str = ""  # of the operator, "" when it was no person
    order: str = ""  # client order id
    command: str = ""  # id of the command behind it
    symbol: str = ""
    side: str = ""  # buy | sell
    qty: float | None = None
    price: float | None = None  # None = market
    layers: int = 0  # gate layers that passed, bit per GateLayer
    layer: str = ""  # the layer that refused
    value: float | None = None
    limit: float | None = None
    scope: str = ""  # of the limit: all, strategy:…, symbol:…, …


class BadTrail(ValueError):
    """Bytes that are not audit lines."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Line, ...]).decode


def encode(lines: Sequence[Line]) -> bytes:
    """The bytes that a journal record keeps; empty for no lines."""
    return _encode(lines) if lines else b""


def decode(raw: bytes | None) -> tuple[Line, ...]:
    """The inverse; raises BadTrail on anything else."""
    if not raw:
        return ()
    try:
        return _decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadTrail(f"not audit lines: {error}") from None


def digest(raw: bytes) -> str:
    """16 hex digits that stand for a record's lines on the bus: whoever kept them can find the record later."""
    return hashlib.sha256(raw).hexdigest()[:16]

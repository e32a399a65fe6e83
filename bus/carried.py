"""What a reader of the journal needs of the configuration that a Boot carries, without knowing the engine."""

from __future__ import annotations

import msgspec

from bus.events import Boot
from bus.instruments import InstrumentSpec


class Carried(msgspec.Struct, frozen=True):
    """Instruments by id, venues by id, and the coming day boundaries, ns UTC."""

    instruments: tuple[InstrumentSpec, ...] = ()
    venues: tuple[str, ...] = ()
    day_opens_ns: tuple[int, ...] = ()


_decode = msgspec.msgpack.Decoder(Carried).decode


def carried_by(boot: Boot) -> Carried | None:
    """None for a Boot without a configuration, or with one that this build cannot read."""
    if not boot.config:
        return None
    try:
        return _decode(boot.config)
    except (msgspec.MsgspecError, ValueError):
        return None

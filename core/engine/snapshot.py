"""The state as bytes and back; and its fingerprint. Two states with equal bytes behave alike for ever."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import numpy as np

from core.engine import hosting
from core.engine.config import EngineConfig, decode, encode
from core.engine.desk import Desk
from core.engine.state import Cold, State, fresh

TABLES = ("instruments", "markets", "positions", "currencies", "account", "switches")


class Image(msgspec.Struct, array_like=True):
    """The snapshot's layout. Tables are bytes of the dtypes in core.kernels.tables (fingerprint in ``layout``)."""

    layout: str
    tables: dict[str, bytes]
    cold: Cold
    memory: dict[str, dict[str, tuple[tuple[int, ...], bytes]]]
    config: bytes


class BadSnapshot(ValueError):
    """The bytes are not a snapshot of this build and configuration."""


def create(config: EngineConfig) -> State:
    """A fresh state with its strategies."""
    state = fresh(config)
    hosting.build(state)
    return state


def save(state: State) -> bytes:
    """Everything ``step`` depends on."""
    tables = {name: getattr(state, name).tobytes() for name in TABLES}
    memory = {
        s.id: {key: (array.shape, array.astype(np.float64).tobytes()) for key, array in s.memory.items()}
        for s in state.strategies.values()
    }
    return msgspec.msgpack.encode(Image(_layout(state), tables, state.cold, memory, encode(state.config)))


def load(raw: bytes, config: EngineConfig | None = None) -> State:
    """Rebuild a state, under its own configuration or a new one; raises BadSnapshot when the bytes do not fit."""
    try:
        image = msgspec.msgpack.decode(raw, type=Image)
        config = config or decode(image.config)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadSnapshot(str(error)) from None
    state = create(config)
    if image.layout != _layout(state):
        raise BadSnapshot("tables of another build or another instrument list")
    for name in TABLES:
        table: Any = getattr(state, name)
        table[:] = np.frombuffer(image.tables[name], dtype=table.dtype)
    hosts = state.cold.hosts
    state.cold = image.cold
    for key, host in hosts.items():
        state.cold.hosts.setdefault(key, host)
    state.working = {key: order for key, order in state.cold.orders.items() if order.is_open}
    state.desk = Desk(state.working.values())
    for strategy in state.strategies.values():
        for key, (shape, data) in image.memory.get(strategy.id, {}).items():
            strategy.memory[key] = np.frombuffer(data, dtype=np.float64).reshape(shape).copy()
    return state


def fingerprint(state: State) -> str:
    """SHA-256 of the snapshot."""
    return hashlib.sha256(save(state)).hexdigest()


def _layout(state: State) -> str:
    parts = [f"{name}:{getattr(state, name).dtype.descr}:{len(getattr(state, name))}" for name in TABLES]
    parts += [spec.symbol for spec in state.specs]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]

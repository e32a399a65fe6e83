"""The wire, version 1: the typed shapes of the two sockets.

state   (XPUB)    one frame: ``topic 0x00 MessagePack-map`` with Message's fields
command (ROUTER)  one frame each way: MessagePack-map with Request's or Reply's fields

Maps, not arrays, so that any MessagePack library can follow; typed decoding, so that nothing unexpected gets in.
"""

from __future__ import annotations

from typing import Any

import msgspec

VERSION = 1
FRAME_BYTES_MAX = 64 * 1024  # of a request; larger ones are dropped by the socket
REQUEST_TYPES = frozenset(
    "snapshot kill rearm start stop submit_order cancel_order cancel_all close_position set_limit acknowledge_alert"
    " shelve_alert start_strategy stop_strategy promote_model what_if subscribe_history ping".split()
)
STOPPING_TYPES = frozenset({"kill", "stop", "cancel_order", "cancel_all", "ping", "snapshot"})  # never expire


class Message(msgspec.Struct, kw_only=True):
    """One message of the state bus, topic aside."""

    v: int
    epoch: int
    seq: int  # grows by one per message of a stream (the topic's first word) within an epoch
    ts: int  # ns UTC, core's clock
    type: str
    data: dict[str, Any]


class Request(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One command."""

    v: int
    id: str  # UUID; the same id again returns the recorded outcome and does nothing twice
    type: str
    data: dict[str, Any] = {}
    reason: str = ""
    expires_ns: int = 0  # ns UTC, 0 = never; in the past refuses everything but stopping


class Error(msgspec.Struct, kw_only=True):
    """Why a request was rejected or failed."""

    code: str
    message: str


class Reply(msgspec.Struct, kw_only=True, omit_defaults=False):
    """``accepted`` or ``rejected`` first and at once; ``progress`` with counts; one of done/failed/rejected ends it."""

    v: int
    id: str
    status: str
    epoch: int
    seq: int
    data: dict[str, Any] = {}
    error: Error | msgspec.UnsetType = msgspec.UNSET


FINAL = frozenset({"done", "failed", "rejected"})

"""The wire, version 1: the typed shapes of the two sockets.

state   (XPUB)    one frame: ``topic 0x00 MessagePack-map`` with Message's fields
command (ROUTER)  one frame each way: MessagePack-map with Request's or Reply's fields

Maps, not arrays, so that any MessagePack library can follow; typed decoding, so that nothing unexpected gets in.
"""

from __future__ import annotations

from typing import Any

import msgspec

VERSION = 1
FRAME_BYTES_MAX = 64 * 1024  # of a request; a larger one is refused
FRAME_BYTES_DROP = 256 * 1024  # beyond this the socket hangs up instead of reading on
SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024  # what a client accepts as one reply
TOPIC_BYTES_MAX = 200
DATA_DEPTH_MAX = 8  # of a request's data; what is nested deeper is no command of ours
DATA_NODES_MAX = 1024  # values in it, all depths counted
REQUEST_TYPES = frozenset(
    "snapshot kill rearm start stop submit_order submit_list amend_order cancel_order cancel_all close_position"
    " set_limit acknowledge_alert"
    " shelve_alert start_strategy stop_strategy promote_model what_if subscribe_history ping"
    " cancel_algo pause_algo resume_algo request_override grant_override revoke_override".split()
)
STOPPING_TYPES = frozenset(  # never expire
    "kill stop cancel_order cancel_all cancel_algo pause_algo ping snapshot".split()
)

# The codes the bus itself refuses with; the engine adds its own.
MALFORMED = "malformed"  # does not decode
OVERSIZED = "oversized"  # over FRAME_BYTES_MAX
BAD_VERSION = "version"  # another version of the wire
BAD_ID = "bad_id"  # empty, too long or not printable
BAD_DATA = "bad_data"  # not plain maps, lists, strings, finite numbers; or too deep or too many
UNKNOWN_TYPE = "unknown_type"
NOT_PERMITTED = "not_permitted"  # the role does not allow it
EXPIRED = "expired"
ID_TAKEN = "id_taken"  # another identity has used this id
BUSY = "busy"  # too many requests in flight
THROTTLED = "throttled"  # more requests a second than one identity may make


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
    seq: int  # 1, 2, … within one request: a reply that comes twice (a retry) is known by it
    data: dict[str, Any] = {}
    error: Error | msgspec.UnsetType = msgspec.UNSET


FINAL = frozenset({"done", "failed", "rejected"})


def stream_of(topic: str) -> str:
    """The unit of sequence: the topic's first word."""
    return topic.partition(".")[0]

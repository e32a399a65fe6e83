"""`andon watch`: the state bus as it comes. ``--raw`` reads it with nothing but a MessagePack library."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from typing import Any

from andon import output
from andon.errors import DONE, CliError
from andon.parser import natural, seconds, target
from andon.session import attached, data_dir, where

EXAMPLES = {
    "watch": """\
  andon watch                             everything
  andon watch switch state alert          three streams
  andon watch position.BTC/USDT --json    one topic, one JSON object a line
  andon watch --raw --count 10            decoded without Andon's schema"""
}
_SILENCE_S = 5.0  # the heartbeat comes four times a second: this much silence is a core that has gone
_WAIT_S = 0.5
_Line = dict[str, Any]


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon watch`."""
    parser.add_argument(
        "topic", nargs="*", metavar="TOPIC", help="a stream (position) or one topic (position.BTC/USDT)"
    )
    parser.add_argument("--raw", action="store_true", help="live messages only, decoded with msgpack alone")
    parser.add_argument(
        "--count", type=natural, default=0, metavar="N", help="end after N messages (0 = never)"
    )
    parser.add_argument("--seconds", type=seconds, default=0.0, metavar="S", help="end after S seconds")
    target(parser)


def run(args: Namespace) -> int:
    """Print until the reader, the operator or a limit ends it; what it shows first is the snapshot."""
    until = time.monotonic() + args.seconds if args.seconds else float("inf")
    shown = 0
    try:
        for message in _raw(args, until) if args.raw else _typed(args, until):
            if not _wanted(message["topic"], args.topic):
                continue
            output.json_line(message) if args.json else output.line(_text(message))
            shown += 1
            if shown == args.count:
                break
    except BrokenPipeError:
        output.drop_stdout()  # `andon watch | head` has seen enough
    return DONE


def _typed(args: Namespace, until: float) -> Iterator[_Line]:
    """The snapshot's messages, then every change, in sequence; gaps are healed by the link, losses are told."""
    from bus.linking import Delta, LinkChanged, Snapshot

    with attached(args) as client, client.following(args.topic) as link:
        while time.monotonic() < until:
            link.wait(min(_WAIT_S, max(0.0, until - time.monotonic())))
            for event in link.drain():
                if isinstance(event, Snapshot):
                    yield from (_line(topic, message) for topic, message in sorted(event.messages.items()))
                elif isinstance(event, Delta):
                    yield _line(event.topic, event.message)
                elif isinstance(event, LinkChanged) and event.state in {"lost", "resync"}:
                    output.complain(f"andon watch: {event.state}: {event.detail}; trying on")


def _line(topic: str, message: Any) -> _Line:
    return {"topic": topic} | {
        key: getattr(message, key) for key in ("v", "epoch", "seq", "ts", "type", "data")
    }


def _raw(args: Namespace, until: float) -> Iterator[_Line]:
    """What any program can do with pyzmq and msgpack: no snapshot, no schema, no sequence check."""
    import msgpack  # type: ignore[import-untyped]
    import zmq

    from bus.sockets import state_client

    address, keys = where(args.attach, data_dir(args), args.key)
    with zmq.Context() as context, state_client(context, keys) as socket:
        socket.connect(address.state)
        for prefix in args.topic or [""]:
            socket.subscribe(prefix)
        while (left := until - time.monotonic()) > 0:
            if not socket.poll(int(min(left, _SILENCE_S) * 1e3)):
                if left > _SILENCE_S and not args.topic:
                    raise CliError(
                        f"andon watch: the core has been silent for {_SILENCE_S:.0f} s", "see andon status"
                    )
                continue
            topic, _, body = socket.recv().partition(b"\0")
            yield {"topic": topic.decode(errors="replace"), **msgpack.unpackb(body)}


def _wanted(topic: str, wanted: list[str]) -> bool:
    """Whole words: ``order`` is the stream of orders, not every topic that begins so."""
    return not wanted or any(topic == word or topic.startswith(word.rstrip(".") + ".") for word in wanted)


def _text(message: _Line) -> str:
    at = time.strftime("%H:%M:%S", time.gmtime(message["ts"] / 1e9))
    fields = " ".join(
        f"{key}={_short(value)}" for key, value in message["data"].items() if value not in ("", None, {}, [])
    )
    return output.clean(
        f"{at}.{message['ts'] // 10**6 % 1000:03d}Z {message['topic']} #{message['seq']} {fields}"
    )


def _short(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)

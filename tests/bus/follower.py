"""A subscriber in a process of its own, to be stopped and continued: prints the state it ends with."""

from __future__ import annotations

import sys
from pathlib import Path

from bus.address import resolve
from bus.link import SocketLink
from bus.linking import Delta, Snapshot


def main(data_dir: str, last: int) -> None:
    link = SocketLink(resolve(None, Path(data_dir)))
    link.start()
    qty, said = None, False
    while qty != last:
        link.wait(1.0)
        for event in link.drain():
            if isinstance(event, Snapshot):
                found = event.messages.get("position.A")
                qty = found.data["qty"] if found else qty
            elif isinstance(event, Delta) and event.topic == "position.A":
                qty = event.message.data["qty"]
        if not said and link.stats().state == "up":
            said = True
            print("up", flush=True)
    print("end", link.stats().resyncs, flush=True)
    link.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

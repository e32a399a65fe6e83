"""A whole client on pyzmq and msgpack alone: it follows a core's state to equality, and pulls its cord."""

import uuid

import msgpack
import zmq


class Core:
    def __init__(self, where):  # what <data-dir>/bus/core.json says
        context = zmq.Context()
        self.sub, self.dealer = context.socket(zmq.SUB), context.socket(zmq.DEALER)
        self.sub.subscribe(b"")
        self.sub.connect(where["state"])
        self.dealer.connect(where["command"])
        self.epoch, self.seq, self.state = 0, {}, {}

    def ask(self, type, data=None, reason=""):
        request = {"v": 1, "id": str(uuid.uuid4()), "type": type, "data": data or {}, "reason": reason}
        self.dealer.send(msgpack.packb(request))
        while self.dealer.poll(10_000):
            reply = msgpack.unpackb(self.dealer.recv())
            if reply["id"] == request["id"]:
                yield reply
                if reply["status"] in ("done", "failed", "rejected"):
                    return
        raise TimeoutError(f"{type}: no answer")

    def follow(self):
        if not self.sub.poll(1000):
            raise TimeoutError("four heartbeats missed: the state held is stale")
        topic, _, body = self.sub.recv().partition(b"\0")
        message, stream = msgpack.unpackb(body), topic.split(b".")[0].decode()
        heads = message["data"]["heads"].items() if stream == "heartbeat" else ()
        lost = any(head > self.seq.get(other, 0) for other, head in heads if other != stream)
        if lost or message["epoch"] != self.epoch or message["seq"] > self.seq.get(stream, 0) + 1:
            data = [*self.ask("snapshot")][-1]["data"]
            self.epoch, self.seq, self.state = data["epoch"], data["seq"], data["messages"]
        elif message["seq"] > self.seq.get(stream, 0):
            self.seq[stream], self.state[topic.decode()] = message["seq"], message

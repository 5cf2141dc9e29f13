"""A subscriber that only acknowledges: what the broker alone carries.

    python -m benchmarks.drain --url mqtt://ingest:…@host:port

Raw socket, packets split by hand, PUBACKs sent at once ten times a second, as pipelines do that store in batches.
It says `ready` when subscribed, then how many it has taken, five times a second, and ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import time

from benchmarks.mqtt_wire import PING, open_client, split

_PING_EVERY = 20.0
_TELL_EVERY = 0.2
_HOLD = 0.1


def main() -> None:
    """Run by command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--topic", default="wellkept/v1/+/+/telemetry")
    given = parser.parse_args()
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    sock = open_client(given.url, f"drain-{os.getpid()}", topic=given.topic)
    print(json.dumps({"ready": True}), flush=True)
    heard, held, answers = 0, b"", bytearray()
    told = pinged = answered = time.monotonic()
    while not ended:
        readable, _, _ = select.select([sock], [], [], _HOLD)
        if time.monotonic() - told >= _TELL_EVERY:
            told = time.monotonic()
            print(json.dumps({"taken": heard}), flush=True)
        if time.monotonic() - pinged >= _PING_EVERY:
            pinged = time.monotonic()
            sock.sendall(PING)
        if answers and time.monotonic() - answered >= _HOLD:
            sock.sendall(answers)
            answers.clear()
            answered = time.monotonic()
        if not readable:
            continue
        data = sock.recv(1 << 20)
        if not data:
            break
        held += data
        found, used = split(held)
        for first, start, _end in found:
            if first & 0xF6 == 0x32:  # noqa: PLR2004  (PUBLISH with QoS 1)
                at = start + 2 + (held[start] << 8 | held[start + 1])
                answers += b"\x40\x02" + held[at : at + 2]
                heard += 1
        held = held[used:]
    print(json.dumps({"done": {"messages": heard}}), flush=True)


if __name__ == "__main__":
    main()

"""Prints what calls cost, as a table in Markdown: time as somebody waits for it, and processor time of this process. The simulator is a
process of its own, on the same machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from freshworks_handoff import Connector, HandoffError, load, peek, text_message
from support import Receiver, Simulator, request


def measure(name: str, times: int, call: Callable[[int], Any]) -> None:
    for number in range(3):
        call(-1 - number)
    waited = []
    cpu = time.process_time()
    for number in range(times):
        started = time.perf_counter()
        call(number)
        waited.append((time.perf_counter() - started) * 1e3)
    used = (time.process_time() - cpu) / times * 1e3
    print(f"| {name} | {statistics.median(waited):.2f} ms | {used:.2f} ms |", flush=True)


def history(messages: int) -> list[Any]:
    text = "All work and no play makes for a dull boy. " * 3
    return [text_message(str(number), text[:100], sent_at=1_795_000_000_000 + number * 1000) for number in range(messages)]


def main() -> None:
    started = time.perf_counter()
    load()
    loaded = time.perf_counter() - started
    receiver = Receiver()
    simulator = Simulator(receiver.url)
    try:
        connector = Connector(simulator.settings, allow_internal=[simulator.origin])
        connector.connect()
        receipt = connector.handoff(request("figures"))
        simulator.reply(receipt["info"]["conversation_ids"][0], "The first")
        webhook = receiver.holding("The first")
        known = connector.on_webhook(webhook.headers, webhook.body, receipt["session"])["session"]
        simulator.reply(receipt["info"]["conversation_ids"][0], "The second")
        webhook = receiver.holding("The second")
        largest = b'{"data": "' + b"x" * ((256 << 10) - 12) + b'"}'

        def forged(_: int) -> None:
            try:
                connector.on_webhook(webhook.headers, largest)
            except HandoffError:
                pass

        print("| Call | waits (median) | processor time |\n|---|--:|--:|")
        print(f"| `load()`, once for each process | {loaded * 1e3:.0f} ms | |")
        measure("`peek`", 300, lambda _: peek(webhook.body))
        measure("`peek`, body of 256 KiB", 100, lambda _: peek(largest))
        measure("`on_webhook`", 200, lambda _: connector.on_webhook(webhook.headers, webhook.body, known))
        measure("`on_webhook`, forged body of 256 KiB", 100, forged)
        measure("`relay`, 1 request", 100, lambda n: connector.relay(known or "", text_message(f"m{n}", "Are you there?")))
        measure("`handoff`, 3 requests", 50, lambda n: connector.handoff(request(f"plain{n}")))
        long = history(40)
        measure("`handoff` with 40 messages of history", 50, lambda n: connector.handoff(request(f"long{n}", history=long)))
    finally:
        simulator.close()
        receiver.close()


main()

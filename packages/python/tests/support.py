"""A simulated Freshworks account, and a receiver of its webhooks."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple

from freshworks_handoff import HandoffRequest


class Webhook(NamedTuple):
    headers: list[tuple[str, str]]
    body: bytes


class Receiver:
    """Answers 200 and keeps what came."""

    def __init__(self) -> None:
        arrived: queue.Queue[Webhook] = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.end_headers()
                arrived.put(Webhook(self.headers.items(), body))

            def log_message(self, *_: object) -> None:
                pass

        self.arrived = arrived
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def holding(self, text: str) -> Webhook:
        """The next webhook whose body holds this text."""
        while True:
            webhook = self.arrived.get(timeout=20)
            if text.encode() in webhook.body:
                return webhook

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Simulator:
    """One account. `cargo xtask python` says where the program is."""

    def __init__(self, webhook: str | None = None) -> None:
        command = [os.environ["SIMULATOR"], "--port", "0", "--quiet", *(["--webhook", webhook] if webhook else [])]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        said = {}
        for line in self.process.stdout:
            name, _, value = line.strip().partition("  ")
            said[name] = value.strip()
            if name == "Inbox":
                break
        self.origin = said["Inbox"].rstrip("/")
        self.ticket_origin = said["Ticket URL"]
        account = self.get("/simulator/account")
        self.settings: dict[str, Any] = {
            "chat_url": account["chat_url"],
            "api_key": account["api_key"],
            "webhook_public_key": account["public_key"],
            "test_origin": self.origin,
        }
        self.ticket_settings: dict[str, Any] = {
            **self.settings,
            "ticket_domain": account["ticket_domain"],
            "ticket_api_key": account["ticket_api_key"],
            "test_ticket_origin": self.ticket_origin,
        }

    def _send(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def get(self, path: str) -> Any:
        return self._send("GET", path)

    def post(self, path: str, body: object) -> Any:
        return self._send("POST", path, body)

    def fault(self, fault: str, times: int = 1) -> None:
        self.post("/simulator/faults", {"fault": fault, "times": times})

    def clear_faults(self) -> None:
        self._send("DELETE", "/simulator/faults")

    def state(self) -> Any:
        return self.get("/simulator/state")

    def agent(self) -> str:
        return str(self.state()["agents"][0]["id"])

    def reply(self, conversation: str, text: str) -> None:
        self.post(f"/simulator/conversations/{conversation}/reply", {"agent": self.agent(), "text": text})

    def conversations_of(self, name: str) -> int:
        """How many conversations the person of `request(name)` has."""
        return sum(it["user"] == name for it in self.state()["conversations"])

    def texts(self, conversation: str) -> list[str]:
        """What was said in a conversation."""
        found = next(it for it in self.state()["conversations"] if it["id"] == conversation)
        parts = [part for message in found["messages"] for part in message["parts"]]
        return [part["text"]["content"] for part in parts if "text" in part]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def request(name: str, **more: Any) -> HandoffRequest:
    """The request of a handoff of somebody of their own."""
    made: Any = {
        "key": {"application": "app", "channel": "channel", "conversation": name},
        "user": {"id": name, "name": name},
        "mode": "live",
        "reason": "user-asked",
        "summary": "Her parcel is late.",
        **more,
    }
    return made  # type: ignore[no-any-return]

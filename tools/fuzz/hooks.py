"""Gives the fuzzer values that it cannot guess: the connection, its handoffs, secrets and signatures.

`BRIDGE` is the line that the example `bridge` of the Spin emulator prints. What was generated to be wrong stays wrong: only names of the
right form are replaced, and only most of them. Which ones is derived from the request itself, so that a run can be repeated.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import time

import requests
import schemathesis
from requests.auth import AuthBase
from schemathesis.core.parameters import ParameterLocation

BRIDGE = json.loads(os.environ["BRIDGE"])
ACCOUNT = f"{BRIDGE['origin']}/v1/connections/{BRIDGE['connection']}"
SECRET_KEY = base64.b64decode(BRIDGE["platform"]["secret"].removeprefix("whsec_"))
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
HANDOFF = {
    "key": {"application": "fuzz", "channel": "fuzz", "conversation": "fuzz"},
    "user": {"id": "fuzz"},
    "mode": "live",
    "reason": "api",
}
OWN_SESSION = requests.Session()
OWN_SESSION.headers["Authorization"] = f"Bearer {BRIDGE['token']}"
DELIGHT = {"kind": "delight", "app_id": "fuzz", "ai_agent_id": "fuzz", "api_token": "fuzz"}
# Operations that remove, create or move connections; they must not touch the connection that all others need.
MOVES_CONNECTIONS = ("connect", "disconnect", "changeWebhooks")
NEEDS_OPEN_HANDOFF = ("relay", "close")


def dice(case, sides):
    """A number below `sides`, the same for the same request."""
    parts = [case.operation.label, case.path_parameters, case.headers, case.body]
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big") % sides


def connect_delight():
    """The secret of a connection with an unreachable platform: it is kept, and reported."""
    body = {"settings": BRIDGE["settings"], "platform": DELIGHT}
    answer = OWN_SESSION.put(f"{BRIDGE['origin']}/v1/connections/delight", json=body, timeout=20)
    answer.raise_for_status()
    assert answer.json()["connected"] is False, "the Spin emulator lets nobody out to Delight"
    return answer.json()["webhooks"]["chat"].rsplit("/", 1)[1]


SECRETS = {
    "freshchat": BRIDGE["webhooks"]["freshchat"].rsplit("/", 1)[1],
    "platform": BRIDGE["webhooks"]["platform"].rsplit("/", 1)[1],
    "sendbird": connect_delight(),
}


def open_handoff():
    """The id of a handoff with human agents."""
    answer = OWN_SESSION.post(f"{ACCOUNT}/handoffs", json=HANDOFF, timeout=20)
    answer.raise_for_status()
    return answer.json()["id"]


class Signature(AuthBase):
    """Signs the exact bytes of the body."""

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        if self.kind == "freshchat":
            answer = OWN_SESSION.post(BRIDGE["sign"], data=body, timeout=20)
            request.headers["X-Freshchat-Signature"] = answer.text
            return request
        if self.kind == "sendbird":
            mac = hmac.new(DELIGHT["api_token"].encode(), body, hashlib.sha256)
            request.headers["x-sendbird-signature"] = mac.hexdigest()
            return request
        name, seconds = f"msg_{hashlib.sha256(body).hexdigest()[:16]}", str(int(time.time()))
        mac = hmac.new(SECRET_KEY, f"{name}.{seconds}.".encode() + body, hashlib.sha256)
        request.headers["webhook-id"] = name
        request.headers["webhook-timestamp"] = seconds
        request.headers["webhook-signature"] = "v1," + base64.b64encode(mac.digest()).decode()
        return request


def connect_body(case, body):
    """Settings that open the account, some with one invalid value."""
    if not isinstance(body, dict) or not isinstance(body.get("settings"), dict):
        return
    settings = {**body["settings"], **BRIDGE["settings"]}
    others = list(body["settings"].values())
    names = sorted(BRIDGE["settings"]) + ["topics", "group", "agent", "note_author", "max_message_chars", "chat_url"]
    if others and dice(case, 2):
        settings[names[dice(case, len(names))]] = others[0]
    if dice(case, 5) == 0 and "test_origin" in settings:
        # The real Freshworks, which the host does not allow.
        del settings["test_origin"]
    body["settings"] = settings


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation.definition.raw.get("operationId")
    names = case.path_parameters
    if not names:
        return

    def may_replace(name):
        return isinstance(names.get(name), str) and NAME.fullmatch(names[name]) is not None

    roll = dice(case, 8)
    if operation in MOVES_CONNECTIONS:
        is_needed = names.get("connection") in (BRIDGE["connection"], "delight")
        if is_needed or (operation != "connect" and roll and may_replace("connection")):
            names["connection"] = "other"
        if operation == "connect" and roll:
            connect_body(case, case.body)
        return
    if case.headers and "Idempotency-Key" in case.headers and not case.meta.is_negative_at(ParameterLocation.HEADER):
        # A key belongs to one request: reusing it with another body is refused.
        key, body = case.headers["Idempotency-Key"], hashlib.sha256(repr(case.body).encode()).hexdigest()
        case.headers["Idempotency-Key"] = f"{key}{body[:8]}"
    phase = case.meta.phase.name.value if case.meta else ""
    if phase == "stateful" or not roll:
        return
    if may_replace("connection"):
        names["connection"] = BRIDGE["connection"]
    if may_replace("handoff") and names.get("connection") == BRIDGE["connection"]:
        if operation in NEEDS_OPEN_HANDOFF or roll > 4:
            names["handoff"] = open_handoff()
    if may_replace("secret"):
        kind = case.operation.path.split("/")[2]
        names["secret"] = SECRETS[kind]
        if kind == "sendbird":
            names["connection"] = "delight"
        if roll > 2:
            kwargs["auth"] = Signature(kind)

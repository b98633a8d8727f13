"""An ordinary Python service: `peer.py aiohttp <handoff|relay|webhook> <operations> <in flight> <work.json>`.

It sends the requests that the plugin sends, with as much text, over kept connections, and prints its cost as JSON.
"""

import asyncio
import base64
import json
import sys
import time
from datetime import UTC, datetime
from urllib.parse import quote

import aiohttp
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

_, _client, OPERATION, operations_text, in_flight_text, file = sys.argv
OPERATIONS, IN_FLIGHT = int(operations_text), int(in_flight_text)
with open(file, encoding="utf-8") as opened:
    WORK = json.load(opened)
ORIGIN = WORK["settings"]["test_origin"]
TOPIC = next(iter(WORK["settings"]["resolved"]["topics"].values()))
HEADERS = {"authorization": f"Bearer {WORK['settings']['api_key']}"}


def transcript(request):
    def line(message):
        at = datetime.fromtimestamp(message["sent_at"] / 1000, UTC).strftime("%H:%M")
        name = request["user"]["name"]
        who = f"{name} (user)" if message["sender"]["role"] == "end-user" else "(AI agent)"
        return f"{at} {who}: " + " ".join(part["text"] for part in message["parts"])

    return "\n".join(line(message) for message in request["history"])


async def call(session, method, path, body=None):
    async with session.request(method, ORIGIN + path, json=body) as response:
        response.raise_for_status()
        return await response.json()


async def hand_off(session):
    user, summary = WORK["request"]["user"], WORK["request"]["summary"]
    known = await call(session, "GET", "/v2/users?reference_id=" + quote(user["id"]))
    if not known["users"]:
        same = await call(session, "GET", "/v2/users?email=" + quote(user["email"]))
        if same["users"]:
            return same["users"][0]["id"]
    first, _, last = user["name"].partition(" ")
    person = {"email": user["email"], "first_name": first, "last_name": last, "reference_id": user["id"]}
    created = await call(session, "POST", "/v2/users", person)
    sender = {"actor_id": created["id"], "actor_type": "user", "channel_id": TOPIC, "message_type": "normal"}
    texts = [
        f"Handoff from the AI agent\nUser: {user['name']}\nSummary:\n    {summary}",
        transcript(WORK["request"]),
    ]
    messages = [{**sender, "message_parts": [{"text": {"content": text}}]} for text in texts]
    conversation = {"channel_id": TOPIC, "messages": messages, "users": [{"id": created["id"]}]}
    return (await call(session, "POST", "/v2/conversations", conversation))["conversation_id"]


async def relay(session):
    content = WORK["message"]["parts"][0]["text"]
    message = {
        "actor_id": "a534a6a6-b7fd-4b63-90ba-d0da572baaf1",
        "actor_type": "user",
        "message_type": "normal",
        "message_parts": [{"text": {"content": content}}],
    }
    path = "/v2/conversations/ae843796-30af-49ee-a263-183773ef6508/messages"
    return (await call(session, "POST", path, message))["id"]


KEY = serialization.load_pem_public_key(WORK["public_key"].encode())
BODY = WORK["webhook_body"].encode()
SIGNATURE = next(value for name, value in WORK["webhook_headers"] if name.lower() == "x-freshchat-signature")


async def on_webhook(_session):
    KEY.verify(base64.b64decode(SIGNATURE), BODY, padding.PKCS1v15(), hashes.SHA256())
    message = json.loads(BODY)["data"]["message"]
    parts = [part.get("text", {}).get("content", "") for part in message["message_parts"]]
    return {"id": message["id"], "text": "\n".join(parts)}


RUN = {"handoff": hand_off, "relay": relay, "webhook": on_webhook}[OPERATION]


async def run_round(session, count):
    times = []
    numbers = iter(range(count))

    async def worker():
        for _ in numbers:
            started = time.perf_counter()
            await RUN(session)
            times.append((time.perf_counter() - started) * 1e6)

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return sorted(times)


async def main():
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT * 2)
    async with aiohttp.ClientSession(headers=HEADERS, connector=connector) as session:
        await run_round(session, max(OPERATIONS // 10, IN_FLIGHT))
        cpu, started = time.process_time(), time.perf_counter()
        times = await run_round(session, OPERATIONS)
        wall, used = time.perf_counter() - started, time.process_time() - cpu
    cost = {
        "p50_us": times[int(len(times) * 0.5)],
        "p99_us": times[int(len(times) * 0.99)],
        "cpu_us": used * 1e6 / OPERATIONS,
        "rate": OPERATIONS / wall,
    }
    print(json.dumps(cost))


asyncio.run(main())

"""Everything that an embedder writes: connect, hand off, receive webhooks, relay, close.

A simulator stands in for Freshworks; in its inbox page, at http://127.0.0.1:8787, you are the human agent.

    freshworks-simulator --webhook http://127.0.0.1:8080/
    python handoff.py http://127.0.0.1:8787 8080 "$API_KEY" "$PUBLIC_KEY"
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from freshworks_handoff import Connector, InvalidSignature, text_message

origin, port, api_key, public_key = sys.argv[1:]
settings = {"chat_url": "acme", "api_key": api_key, "webhook_public_key": public_key, "test_origin": origin}
connector = Connector(settings, allow_internal=[origin])  # with a real account: Connector(settings), without test_origin
assert connector.connect()["connected"]  # the admin presses Connect; "findings" say what is wrong; keep connector.settings
receipt = connector.handoff({  # the AI agent is stuck; keep the session
    "key": {"application": "app-1", "channel": "channel-7", "conversation": "42"},
    "user": {"id": "user-1", "name": "Ana Silva"}, "mode": "automatic", "reason": "user-asked",
})
sessions = dict.fromkeys(receipt["info"]["conversation_ids"], receipt["session"])


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        conversation = next(iter(connector.peek(body)), "")
        try:
            update = connector.on_webhook(self.headers, body, sessions.get(conversation))
        except InvalidSignature:
            return self.send_error(401)
        for message in [event["message"] for event in update["events"] if event["message"]]:
            print("human agent:", *[part["text"] for part in message["parts"]], flush=True)
            update = connector.relay(sessions[conversation], text_message(message["id"], "Thank you, that is all."))
            update = connector.close(update["session"] or "", "user-left")
        sessions[conversation] = update["session"] or sessions[conversation]
        self.send_response(200)
        self.end_headers()


HTTPServer(("127.0.0.1", int(port)), Webhook).serve_forever()

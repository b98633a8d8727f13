"""PyPI `freshchat` (2020) in an account. Reads the account from standard input and writes what the client made of it.

Its models take a fixed list of fields and fail on any other. What a live account has had since would end it, so fields that a
model does not know are taken away here first, and named in what is written.
"""

import asyncio
import collections
import dataclasses
import json
import sys

from freshchat import models
from freshchat.client.client import FreshChatClient
from freshchat.client.configuration import FreshChatConfiguration
from freshchat.client.exceptions import FreshChatUnauthorised, ResourceNotFound
from freshchat.models import events
from freshchat.webhook.security import SecurityManager

left_out = collections.defaultdict(set)


def forgiving(model, name):
    """Lets a model pass over fields that it does not know."""
    known = {field.name for field in dataclasses.fields(model)}
    make = model.__init__

    def make_of_known(self, **values):
        left_out[name].update(values.keys() - known)
        make(self, **{key: value for key, value in values.items() if key in known})

    model.__init__ = make_of_known


async def fails(call, error):
    """Whether a call ends in this error, with the message that the client reads from the answer."""
    try:
        await call
    except error as caught:
        return caught.message
    return None


async def calls(account, seen):
    def client(key):
        settings = FreshChatConfiguration(app_id="app", token=key, url=account["origin"] + "/v2/")
        return FreshChatClient(settings)

    here = client(account["key"])
    seen["wrong key"] = await fails(models.Channels.get(client("wrong")), FreshChatUnauthorised)
    seen["channels"] = [channel["name"] for channel in await models.Channels.get(here)]
    made = await models.User.create(here, first_name="Ana", last_name="Lima", email="ana@example.org")
    user = await models.User.get(here, made.id)
    seen["user"] = [user.id == made.id, user.first_name, user.last_name, user.email]
    seen["stranger"] = await fails(models.User.get(here, "nobody"), ResourceNotFound)
    conversation = await models.Conversation.create(here, user.id, account["channel"], "My parcel is late")
    sent = await conversation.send(here, "Hello?")
    seen["sent"] = [sent.message_parts, sent.actor_id == user.id, sent.conversation_id == conversation.conversation_id]
    read = await models.Conversation.get(here, conversation.conversation_id, user.id)
    seen["conversation"] = [read.conversation_id == conversation.conversation_id, read.status, read.channel_id]
    listed = await here.get(f"/conversations/{conversation.conversation_id}/messages")
    seen["messages"] = [message["message_parts"][0]["text"]["content"] for message in listed.body["messages"]]
    agents = await here.get("/agents", params={"items_per_page": 1})
    seen["agents"] = [agent["email"] for agent in agents.body["agents"]]
    seen["resolved"] = (await conversation.resolve(here)).status


def webhooks(account, seen):
    """Each webhook as this client verifies and reads it."""
    manager = SecurityManager(account["public_key"])
    seen["webhooks"] = []
    for delivery in account["webhooks"]:
        body = delivery["body"].encode()
        event = events.IncomingEvent(**json.loads(body))
        seen["webhooks"].append(
            [
                event.action,
                type(event.data).__name__,
                getattr(event.data, "conversation", None) and event.data.conversation.conversation_id,
                bool(manager.verify_signature(delivery["signature"], body)),
                bool(manager.verify_signature(delivery["signature"], body + b" ")),
            ]
        )


def main():
    account, seen = json.load(sys.stdin), {}
    for module, names in [
        (models, ["User", "Message", "Conversation", "Channels"]),
        (events, ["Message", "Resolve", "Reopen", "IncomingEvent"]),
    ]:
        for name in names:
            forgiving(getattr(module, name), f"{module.__name__.rsplit('.', 1)[-1]}.{name}")
    asyncio.run(calls(account, seen))
    webhooks(account, seen)
    seen["left out"] = {name: sorted(fields) for name, fields in left_out.items() if fields}
    json.dump(seen, sys.stdout)


main()

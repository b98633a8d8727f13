"""PyPI `freshdesk-mcp` in a ticket desk. Reads the desk from standard input and writes what the client made of it.

The client speaks https alone; its requests are sent to the desk's own address here, as they are.
"""

import asyncio
import json
import os
import sys

import httpx

desk = json.load(sys.stdin)
os.environ["FRESHDESK_API_KEY"] = desk["key"]
os.environ["FRESHDESK_DOMAIN"] = desk["origin"].removeprefix("http://")


class Plainly(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request):
        request.url = request.url.copy_with(scheme="http")
        return await super().handle_async_request(request)


class PlainClient(httpx.AsyncClient):
    def __init__(self, **options):
        super().__init__(transport=Plainly(), **options)


httpx.AsyncClient = PlainClient

from freshdesk_mcp import server  # noqa: E402: it reads the environment
from mcp.server.fastmcp.exceptions import ToolError  # noqa: E402


async def call(tool, **arguments):
    """What a tool answers, checked by the server against the tool's own description."""
    answer = await server.mcp.call_tool(tool, arguments)
    if not isinstance(answer, tuple):
        return json.loads(answer[0].text)
    structured = answer[1]
    return structured["result"] if structured.keys() == {"result"} else structured


async def main():
    seen = {}
    agents = await call("get_agents")
    seen["agents"] = [agent["contact"]["email"] for agent in agents]
    seen["agent"] = (await call("view_agent", agent_id=agents[0]["id"]))["contact"]["name"]
    seen["groups"] = [group["name"] for group in await call("list_groups")]
    field = await call("get_field_properties", field_name="cf_order")
    seen["field"] = [field["name"], field["type"], field["required_for_agents"]]
    try:
        await call("get_ticket_fields")
    except ToolError as error:
        seen["all fields"] = "valid dictionary" in str(error) and "input_type=list" in str(error)
    for number in range(3):
        made = await call(
            "create_ticket",
            subject=f"Parcel {number}",
            description="<p>It is late</p>",
            source=2,
            priority=1,
            status=2,
            email="ana@example.org",
            custom_fields={"cf_order": "4711"},
        )
        seen["made"] = made
    seen["refused"] = await call(
        "create_ticket",
        subject="x",
        description="x",
        source=2,
        priority=1,
        status=2,
        email="ana@example.org",
        additional_fields={"type": "?"},
    )
    page = await call("get_tickets", page=1, per_page=2)
    seen["page"] = [[ticket["subject"] for ticket in page["tickets"]], page["pagination"]["next_page"]]
    page = await call("get_tickets", page=2, per_page=2)
    seen["last page"] = [[ticket["subject"] for ticket in page["tickets"]], page["pagination"]["next_page"]]
    number = page["tickets"][0]["id"]
    seen["updated"] = (await call("update_ticket", ticket_id=number, ticket_fields={"priority": 4}))["success"]
    ticket = await call("get_ticket", ticket_id=number)
    seen["ticket"] = [ticket["priority"], ticket["custom_fields"], ticket["description_text"]]
    reply = await call("create_ticket_reply", ticket_id=number, body="<p>It is found</p>")
    note = await call("create_ticket_note", ticket_id=number, body="<p>Called the depot</p>")
    entries = await call("get_ticket_conversation", ticket_id=number)
    seen["entries"] = [[entry["body_text"], entry["private"], entry["incoming"]] for entry in entries]
    seen["ids"] = [entry["id"] for entry in entries] == [reply["id"], note["id"]]
    seen["contacts"] = [contact["email"] for contact in await call("list_contacts")]
    json.dump(seen, sys.stdout)


asyncio.run(main())

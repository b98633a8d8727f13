"""The official Python client of MCP (PyPI `mcp`), told line by line on the standard input what to do.

Arguments: address, token, mode (`2026-07-28`, `auto` or `legacy`), and what it can do besides: `elicitation`, `tasks`. Each line in is
`{"call": tool, "arguments": {...}}`, or `{"reply": text}` after a line out `{"asked": question}`. Tasks are an extension that the package
leaves to its users: what stands here of it is written after SEP-2663.
"""

import asyncio
import json
import sys
from typing import Any, ClassVar, Literal

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.extension import ClientExtension, ResultClaim
from mcp.client.streamable_http import streamable_http_client

ADDRESS, TOKEN, MODE, *CAN = sys.argv[1:]
EXTENSION = "io.modelcontextprotocol/tasks"


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


async def told() -> dict[str, Any]:
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else {}


async def ask_user(_context: Any, params: Any) -> types.ElicitResult:
    say({"asked": params.message})
    reply = (await told()).get("reply")
    if reply is None:
        return types.ElicitResult(action="decline")
    name = next(iter(params.requested_schema["properties"]))
    return types.ElicitResult(action="accept", content={name: reply})


class Task(types.Result):
    result_type: Literal["task"]
    task_id: str
    status: str


class AnyResult(types.Result):
    model_config = {"extra": "allow"}


class TaskRequest(types.Request[dict[str, Any], str]):
    name_param: ClassVar[str | None] = "taskId"
    method: str
    params: dict[str, Any]


async def follow(task: Task, context: Any) -> types.CallToolResult:
    say({"task": task.task_id})
    asked: set[str] = set()
    while True:
        params: dict[str, Any] = {"taskId": task.task_id}
        state = await context.session.send_request(TaskRequest(method="tasks/get", params=params), AnyResult)
        state = state.model_dump(by_alias=True)
        if state["status"] == "completed":
            return types.CallToolResult.model_validate(state["result"])
        if state["status"] in ("cancelled", "failed"):
            return types.CallToolResult(content=[], structured_content={"status": state["status"]})
        new = {key: it for key, it in (state.get("inputRequests") or {}).items() if key not in asked}
        answers = {}
        for key, request in new.items():
            asked.add(key)
            form = types.ElicitRequestFormParams.model_validate(request["params"])
            answers[key] = (await ask_user(None, form)).model_dump(by_alias=True, exclude_none=True)
        if answers:
            params = {"taskId": task.task_id, "inputResponses": answers}
            # Twice: what arrives again is not carried out again.
            for _ in range(2):
                await context.session.send_request(TaskRequest(method="tasks/update", params=params), AnyResult)
        await asyncio.sleep(0.2)


class Tasks(ClientExtension):
    identifier = EXTENSION

    def claims(self) -> list[ResultClaim[Task]]:
        return [ResultClaim(result_type="task", model=Task, resolve=follow)]


async def main() -> None:
    http = httpx2.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}, timeout=60)
    options: dict[str, Any] = {"mode": MODE}
    if "elicitation" in CAN:
        options["elicitation_callback"] = ask_user
    if "tasks" in CAN:
        options["extensions"] = [Tasks()]
    async with Client(streamable_http_client(ADDRESS, http_client=http), **options) as client:
        tools = await client.list_tools()
        say({"version": client.protocol_version, "tools": [tool.name for tool in tools.tools]})
        while line := await told():
            result = await client.call_tool(line["call"], line["arguments"])
            say({"result": result.structured_content, "error": bool(result.is_error)})


asyncio.run(main())

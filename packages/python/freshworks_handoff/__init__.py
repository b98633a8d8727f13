"""Hands an AI agent's conversation to human agents in Freshworks, relays messages both ways, and gives it back.

    connector = Connector(settings)
    connection = connector.connect()             # the admin presses Connect; keep connection["settings"]
    receipt = connector.handoff(request)         # the AI agent is stuck; store receipt["session"]
    update = connector.on_webhook(headers, body, session)
    update = connector.relay(session, message)
    update = connector.close(session, "user-left")

Each call returns the newest session: store it, and pass it to the next call for the same conversation. Calls for one conversation must
not overlap. `AsyncConnector` has the same methods for `asyncio`, and never blocks the event loop.
"""

from . import errors as errors
from . import types as types
from ._base import HandoffError, HostFailed, Trap
from ._connector import (
    AsyncConnector,
    CallReport,
    Connector,
    HttpCall,
    Limits,
    Settings,
    describe,
    load,
    now_ms,
    peek,
    text_message,
)
from .errors import *  # noqa: F403
from .types import *  # noqa: F403

__all__ = [
    "AsyncConnector",
    "CallReport",
    "Connector",
    "HandoffError",
    "HostFailed",
    "HttpCall",
    "Limits",
    "Settings",
    "Trap",
    "describe",
    "load",
    "now_ms",
    "peek",
    "text_message",
]
__all__ += errors.__all__
__all__ += types.__all__

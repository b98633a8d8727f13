"""Mistakes that a type checker must see: each line is wrong, and `mypy --strict` complains where one is not."""

from freshworks_handoff import AsyncConnector, Connector, HandoffRequest, Mode, text_message

connector = Connector({"chat_url": "acme"})
asynchronous = AsyncConnector({"chat_url": "acme"})

mode: Mode = "alive"  # type: ignore[assignment]
without_user: HandoffRequest = {  # type: ignore[typeddict-item]
    "key": {"application": "a", "channel": "c", "conversation": "1"},
    "mode": "live",
    "reason": "user-asked",
}
connector.close("session", "user-lefft")  # type: ignore[arg-type]
connector.handoff(without_user, b"session")  # type: ignore[arg-type]
connector.relay("session", text_message("1", "text"), now=1.5)  # type: ignore[arg-type]
connector.on_webhook({}, "text")  # type: ignore[arg-type]
connector.tick(None)  # type: ignore[arg-type]
connector.describe()["vender"]  # type: ignore[typeddict-item]
connector.rate("session", {"id": "1", "stars": 5})  # type: ignore[typeddict-item, typeddict-unknown-key]


async def forgets_to_wait() -> str:
    return asynchronous.tick("session")["session"]  # type: ignore

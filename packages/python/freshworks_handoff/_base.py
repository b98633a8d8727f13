"""The base class of all exceptions, which the generated modules import."""

from __future__ import annotations

from typing import Any, ClassVar


class HandoffError(Exception):
    """Why a call failed. Catch a subclass, or branch on `kind`.

    `str(error)` is one line for a log: kind, field, message and remedy. No attribute contains a secret or message text.
    """

    kind: ClassVar[str] = "host"
    """What the caller should do: an error kind of the contract, `trap` or `host`."""

    message: str
    """What went wrong, as a sentence for the platform's admins."""

    field: str | None
    """The setting or argument at fault, as a dotted path, for example `settings.chat_url` or `request.history[3].sent_at`."""

    remedy: str | None
    """What to do about it."""

    retry_after_ms: int | None
    """Minimum wait before the next try, in milliseconds."""

    session: str | None
    """The session so far: store it and pass it to the next try. None if the call changed nothing."""

    log: str | None
    """Details for the operator: endpoint, status, the vendor's code and trace id."""

    line: str
    """Kind, field, message and remedy in one line, ready to print."""

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        remedy: str | None = None,
        retry_after_ms: int | None = None,
        session: str | None = None,
        log: str | None = None,
        line: str | None = None,
    ) -> None:
        self.message = message
        self.field = field
        self.remedy = remedy
        self.retry_after_ms = retry_after_ms
        self.session = session
        self.log = log
        sentence = message if message.endswith((".", "!", "?")) else f"{message}."
        self.line = line or " ".join(filter(None, [f"{self.kind}:", f"{field}:" if field else None, sentence, remedy]))
        super().__init__(self.line)

    def __str__(self) -> str:
        return self.line

    # Task queues and process pools pickle exceptions.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message,), dict(self.__dict__)


class Trap(HandoffError):
    """The sandbox stopped the call: a limit of time or memory, or a bug in the plugin.

    The call may have done part of its work. Wait some seconds, then repeat it with the last stored session and `retry=True` (for a
    handoff: `"retry": True` in the request). Retries lose and duplicate nothing.
    """

    kind = "trap"

    cause: str
    """`timeout`, `cpu`, `memory`, `panic`, `stack-overflow` or `other`."""

    def __init__(self, message: str, *, cause: str = "other", **more: Any) -> None:
        super().__init__(message, **more)
        self.cause = cause


class HostFailed(HandoffError):
    """The host failed: the plugin cannot be loaded, or a bug. The call may have done part of its work: proceed as after a `Trap`."""

    kind = "host"

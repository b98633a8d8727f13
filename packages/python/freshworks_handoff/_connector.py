"""The two connectors, and the engine and plugin that a process shares."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from . import _native
from ._api import AsyncApi, Headers, SyncApi
from ._base import HandoffError, HostFailed, Trap
from .errors import BY_KIND, InvalidRequest, InvalidSettings
from .types import SECRETS, Descriptor, Message, SenderRole

_log = logging.getLogger("freshworks_handoff")


class HttpCall(TypedDict):
    """One HTTP request of a call. Contains no header, body or query value."""

    method: str
    url: str
    status: int | None
    bytes_out: int
    bytes_in: int
    duration: float
    """Milliseconds."""
    error: str | None


class CallReport(TypedDict):
    """What one call did and what it cost. Times are in milliseconds."""

    wall: float
    """From the call to its result."""
    instantiate: float
    """To create the instance; part of `wall`."""
    cpu: float
    """Time in which a thread worked on the call."""
    memory_bytes: int
    """Peak linear memory."""
    fuel: int | None
    http: list[HttpCall]
    """The requests, in the order in which the plugin sent them."""


Observer = Callable[[str, CallReport], None]
"""Receives the function's name and the report of every call, failed ones included. Runs in the caller's thread. What it raises is logged."""


@dataclass(frozen=True)
class Limits:
    """The limits of one call; None means the default. Exceeding memory or time raises `Trap`; further requests and bytes are refused."""

    memory_bytes: int | None = None
    """The plugin's memory. Default: 64 MiB."""
    cpu_seconds: float | None = None
    """Computing time of the plugin, without waiting for responses. Default: 5."""
    wall_seconds: float | None = None
    """Time from the call to its result. Default: 60."""
    max_response_bytes: int | None = None
    """The body of one HTTP response. Default: 16 MiB."""
    max_requests: int | None = None
    """HTTP requests. Default: 1,000."""
    max_total_bytes: int | None = None
    """The bodies of all requests and responses together. Default: 512 MiB."""


class Settings(dict[str, Any]):
    """Settings whose `repr` hides secrets. JSON and pickle contain them: store them encrypted."""

    def __repr__(self) -> str:
        return repr({name: "[redacted]" if name in SECRETS else value for name, value in self.items()})

    # `dict` would return a plain dictionary, which prints them.
    def copy(self) -> Settings:
        return Settings(self)

    def __or__(self, other: Any) -> Any:
        return Settings(super().__or__(other)) if isinstance(other, dict) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return Settings(super().__ror__(other)) if isinstance(other, dict) else NotImplemented


@dataclass
class _Process:
    """Engine and plugin of this process. Threads do not survive `fork`, so a child creates its own."""

    host: _native.Host | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the host is created."""
    tenants: threading.Lock = field(default_factory=threading.Lock)
    """Held while a tenant's sandbox is created, so that all its calls share one."""
    concurrent_calls: int = 64
    cache: Path | None = None


_process = _Process()


def _forget() -> None:
    # Another thread may have held a lock, and that thread does not exist in the child.
    _process.host, _process.lock, _process.tenants = None, threading.Lock(), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _host() -> _native.Host:
    host = _process.host
    if host is None:
        with _process.lock:
            host = _process.host
            if host is None:
                wasm = Path(__file__).with_name("freshworks.wasm").read_bytes()
                try:
                    host = _native.Host(wasm, concurrent_calls=_process.concurrent_calls, cache=_process.cache)
                except RuntimeError as error:
                    raise HostFailed(str(error)) from None
                _process.host = host
    return host


def load(*, concurrent_calls: int = 64, cache: str | os.PathLike[str] | None = None) -> None:
    """Compiles the plugin now instead of at the first call. After `fork`, a child compiles it again at its first call.

    `concurrent_calls` limits the calls of all tenants that run at once; further calls wait. `cache` is a directory for the compiled
    plugin, private to this user (mode 0700) and created if missing, so that the next process starts in milliseconds. Write access to it
    means code execution in this process.
    """
    if _process.host is not None:
        raise RuntimeError("the plugin is loaded already: call load() before the first connector is made")
    _process.concurrent_calls = concurrent_calls
    _process.cache = Path(cache) if cache is not None else None
    _host()


def now_ms() -> int:
    """The current time as the contract expects it: milliseconds since 1970-01-01T00:00:00Z."""
    return time.time_ns() // 1_000_000


def text_message(id: str, text: str, *, role: SenderRole = "end-user", sent_at: int | None = None) -> Message:
    """A message with one text part. `sent_at` defaults to the current time."""
    part = {"kind": "text", "text": text}
    message: Any = {"id": id, "sender": {"role": role}, "sent_at": now_ms() if sent_at is None else sent_at, "parts": [part]}
    return message  # type: ignore[no-any-return]


def _unfit(value: object, path: str, above: tuple[int, ...] = ()) -> str | None:
    """A sentence with the path and type of the first value that JSON cannot hold."""
    if value is None or isinstance(value, (str, bool, int)):
        return None
    if isinstance(value, float):
        return None if value == value and abs(value) != float("inf") else f"`{path}` is {value}, which JSON cannot hold"
    if id(value) in above:
        return f"`{path}` contains itself"
    above = (*above, id(value))
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                return f"`{path}` has a name that is {type(name).__name__}, not text"
            if found := _unfit(item, f"{path}.{name}", above):
                return found
        return None
    if isinstance(value, (list, tuple)):
        items = (_unfit(item, f"{path}[{index}]", above) for index, item in enumerate(value))
        return next(filter(None, items), None)
    return f"`{path}` is {type(value).__name__}, which JSON cannot hold"


def _dump(value: object, name: str, error: type[HandoffError]) -> str:
    if isinstance(value, Mapping) and not isinstance(value, dict):
        value = dict(value)
    try:
        return _whole(json.dumps(value, allow_nan=False, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        found = _unfit(value, name) or f"`{name}` cannot be written as JSON"
        remedy = "Pass dictionaries, lists, text, whole numbers, booleans and None; times as milliseconds since 1970."
        raise error(found, field=found.split("`")[1], remedy=remedy) from None


def _whole(text: str) -> str:
    """Replaces lone surrogates, as left by truncating an emoji: UTF-8 has none."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"`{name}` is {type(value).__name__}, not text", field=name, remedy="Pass a str.")
    return _whole(value)


def _time(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 64:
        remedy = "Pass milliseconds since 1970 as an int, for example time.time_ns() // 1_000_000."
        raise InvalidRequest(f"`{name}` is not a time", field=name, remedy=remedy)
    return value


def _pairs(headers: Headers) -> list[tuple[str, str]]:
    def text(value: str | bytes) -> str:
        # ASGI passes headers as bytes.
        return value.decode("latin-1") if isinstance(value, bytes) else _text(value, "delivery.headers")

    items = headers.items() if hasattr(headers, "items") else headers
    return [(text(name), text(value)) for name, value in items]


def _error(kind: str, details: dict[str, Any]) -> HandoffError:
    made = BY_KIND.get(kind, HandoffError)
    names = ("field", "remedy", "retry_after_ms", "session", "log", "line")
    return made(details["message"], **{name: details.get(name) for name in names})


def _failure(answer: dict[str, Any]) -> HandoffError:
    if error := answer.get("error"):
        return _error(error["kind"], error)
    if trap := answer.get("trap"):
        remedy = "Wait some seconds, then repeat with the last stored session and retry=True."
        return Trap(trap["message"], cause=trap["kind"], remedy=remedy, log=trap.get("backtrace"))
    return HostFailed(str(answer.get("host")))


class _Core:
    """The shared part of both connectors: a tenant's settings, its sandbox, and the conversion of arguments and results."""

    def __init__(
        self,
        settings: Mapping[str, object] | None,
        *,
        allow: Iterable[str] = (),
        allow_internal: Iterable[str] = (),
        host_credentials: bool = True,
        limits: Limits | None = None,
        calls_at_once: int = 16,
        clock: Callable[[], int] = now_ms,
        on_report: Observer | None = None,
    ) -> None:
        self.settings = Settings(settings or {})
        self._given = None if settings is None else _dump(self.settings, "settings", InvalidSettings)
        options = {
            "allow": list(allow),
            "allow_internal": list(allow_internal),
            "host_credentials": host_credentials,
            "calls_at_once": calls_at_once,
            "limits": asdict(limits or Limits()),
        }
        self._options = _dump(options, "options", InvalidRequest)
        self._clock = clock
        self._on_report = on_report
        self._passed: str | None = None
        self._tenant: _native.Tenant | None = None
        self._process = 0

    def ready(self) -> _native.Tenant | None:
        """The sandbox, if this process has created it."""
        return self._tenant if self._process == os.getpid() else None

    def tenant(self) -> _native.Tenant:
        """The sandbox. Compiles the plugin if this process has not."""
        with _process.tenants:
            tenant = self.ready()
            if tenant is None:
                try:
                    tenant = _native.Tenant(_host(), self._given, self._options)
                except ValueError as error:
                    raise _failure(json.loads(str(error))) from None
                if self._process == 0:
                    self._passed = tenant.settings
                self._tenant, self._process = tenant, os.getpid()
        return tenant

    def arguments(
        self,
        *,
        document: tuple[str, object] | None = None,
        word: tuple[str, object] | None = None,
        session: str | None = None,
        retry: bool = False,
        now: tuple[str, int | None] | None = None,
        headers: Headers = (),
        body: bytes | bytearray | memoryview = b"",
    ) -> _native.Arguments:
        # `bytes` of a number would be as many zeros.
        if not isinstance(body, (bytes, bytearray, memoryview)):
            remedy = "Pass the bytes of the request unchanged: the signature is over them."
            raise InvalidRequest(f"`body` is {type(body).__name__}, not bytes", field="body", remedy=remedy)
        if now is None:
            time = 0
        else:
            time = _time(self._clock() if now[1] is None else now[1], now[0])
        return {
            "settings": self._passed,
            "document": None if document is None else _dump(document[1], document[0], InvalidRequest),
            "word": None if word is None else _text(word[1], word[0]),
            "session": None if session is None else _text(session, "session"),
            "retry": bool(retry),
            "now": time,
            "headers": _pairs(headers),
            "body": bytes(body),
            "report": self._on_report is not None or _log.isEnabledFor(logging.DEBUG),
        }

    def read(self, function: str, text: str) -> Any:
        answer: dict[str, Any] = json.loads(text)
        if report := answer.get("report"):
            what = "ok" if "ok" in answer else answer.get("error", {}).get("kind") or next(iter(answer))
            _log.debug("%s: %s, %.1f ms, %d requests", function, what, report["wall"], len(report["http"]))
            if self._on_report is not None:
                try:
                    self._on_report(function, report)
                except Exception:
                    # The answer holds the session of what was done: it must not get lost.
                    _log.exception("%s: on_report has failed", function)
        if "ok" not in answer:
            raise _failure(answer)
        value = answer["ok"]
        if function == "connect":
            self._keep(value)
        elif function == "preview":
            value["fields"] = [(name, text) for name, text in value["fields"]]
        return value

    def _keep(self, connection: dict[str, Any]) -> None:
        """Later calls pass the settings that `connect` completed; the caller also gets back the secrets that the plugin never had."""
        completed = json.loads(connection["settings"])
        given = json.loads(self._given or "{}")
        passed = json.loads(self._passed or "{}")
        kept = {name: value for name, value in given.items() if name not in passed}
        self.settings = Settings(completed | kept)
        self._passed, self._given = connection["settings"], json.dumps(self.settings)
        connection["settings"] = Settings(self.settings)


class Connector(SyncApi):
    """One tenant's account. Threads may share it; calls release the GIL while they wait.

    `settings` is what the admin entered, or what `connect()` returned: see `describe()["settings_schema"]`. The constructor sends no
    request; invalid settings raise `InvalidSettings`.

    The sandbox reaches only the origins that the settings need, and only on the internet. `allow` adds origins, including wildcards such
    as `https://*.files.example`; `allow_internal` adds origins on this machine or in a private network, such as a simulator's. Never pass
    a tenant's input to either.

    The API keys do not enter the sandbox: the host removes them from the settings and adds them to requests to their own origin.
    `host_credentials=False` leaves them in.

    `calls_at_once` limits the calls of this connector that run at once; further calls wait. `clock` gives the time for calls without
    `now`. `on_report` receives the cost of each call.
    """

    def __init__(
        self,
        settings: Mapping[str, object],
        *,
        allow: Iterable[str] = (),
        allow_internal: Iterable[str] = (),
        host_credentials: bool = True,
        limits: Limits | None = None,
        calls_at_once: int = 16,
        clock: Callable[[], int] = now_ms,
        on_report: Observer | None = None,
    ) -> None:
        self._core = _Core(
            settings,
            allow=allow,
            allow_internal=allow_internal,
            host_credentials=host_credentials,
            limits=limits,
            calls_at_once=calls_at_once,
            clock=clock,
            on_report=on_report,
        )
        self._core.tenant()

    @property
    def settings(self) -> Settings:
        """The settings, completed by the last `connect()`. They contain the secrets; printing them shows none."""
        return self._core.settings

    def __repr__(self) -> str:
        return f"Connector({self.settings!r})"

    def _call(self, function: str, **given: Any) -> Any:
        tenant = self._core.ready() or self._core.tenant()
        return self._core.read(function, tenant.call(function, self._core.arguments(**given)))


class AsyncConnector(AsyncApi):
    """`Connector` for `asyncio`: the same methods, awaited. No call blocks the event loop.

    A worker thread compiles the plugin at the first call, unless `load()` was called before; invalid settings raise `InvalidSettings`
    there. Cancelling a task ends its call at once. The call may have done part of its work: repeat it with the last stored session and
    `retry=True`.
    """

    def __init__(
        self,
        settings: Mapping[str, object],
        *,
        allow: Iterable[str] = (),
        allow_internal: Iterable[str] = (),
        host_credentials: bool = True,
        limits: Limits | None = None,
        calls_at_once: int = 16,
        clock: Callable[[], int] = now_ms,
        on_report: Observer | None = None,
    ) -> None:
        self._core = _Core(
            settings,
            allow=allow,
            allow_internal=allow_internal,
            host_credentials=host_credentials,
            limits=limits,
            calls_at_once=calls_at_once,
            clock=clock,
            on_report=on_report,
        )

    @property
    def settings(self) -> Settings:
        """The settings, completed by the last `connect()`. They contain the secrets; printing them shows none."""
        return self._core.settings

    def __repr__(self) -> str:
        return f"AsyncConnector({self.settings!r})"

    async def _call(self, function: str, **given: Any) -> Any:
        tenant = self._core.ready()
        if tenant is None:
            tenant = await asyncio.get_running_loop().run_in_executor(None, self._core.tenant)
        answer: concurrent.futures.Future[str] = concurrent.futures.Future()
        running = tenant.start(function, self._core.arguments(**given), answer)
        try:
            text = await asyncio.wrap_future(answer)
        except asyncio.CancelledError:
            running.cancel()
            raise
        return self._core.read(function, text)


class _Nobody(SyncApi):
    """For functions that need no account."""

    def __init__(self) -> None:
        self._core = _Core(None)

    def _call(self, function: str, **given: Any) -> Any:
        return self._core.read(function, (self._core.ready() or self._core.tenant()).call(function, self._core.arguments(**given)))


_nobody = _Nobody()


def describe() -> Descriptor:
    """The plugin's identity, and the JSON Schema of its settings for a form. Needs no account; sends no request."""
    return _nobody.describe()


def peek(body: bytes) -> list[str]:
    """The ids of the conversation in a webhook body, to look up its session before the account is known.

    The body is not verified. Act only on the events of `on_webhook`.
    """
    return _nobody.peek(body)

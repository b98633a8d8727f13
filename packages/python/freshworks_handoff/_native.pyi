from concurrent.futures import Future
from os import PathLike
from typing import TypedDict

class Arguments(TypedDict):
    settings: str | None
    document: str | None
    word: str | None
    session: str | None
    retry: bool
    now: int
    headers: list[tuple[str, str]]
    body: bytes
    report: bool

class Host:
    def __init__(self, wasm: bytes, *, concurrent_calls: int, cache: PathLike[str] | None) -> None: ...

class Tenant:
    def __init__(self, host: Host, settings: str | None, options: str) -> None: ...
    @property
    def settings(self) -> str | None: ...
    def call(self, function: str, arguments: Arguments) -> str: ...
    def start(self, function: str, arguments: Arguments, future: Future[str]) -> Running: ...

class Running:
    def cancel(self) -> None: ...

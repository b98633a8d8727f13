# Written by `cargo xtask tables` from wit/ and src/settings/schema.json. Do not edit.
"""The functions of the contract as methods."""

from collections.abc import Iterable
from typing import Any, Protocol

from .types import (
    CloseReason,
    Connection,
    Descriptor,
    Erasure,
    HandoffRequest,
    Message,
    Plan,
    Rating,
    Receipt,
    Update,
)


class HeaderItems(Protocol):
    """The headers of a web framework's request."""

    def items(self) -> Iterable[tuple[str, str]]: ...


Headers = HeaderItems | Iterable[tuple[str | bytes, str | bytes]]
"""The headers of a request: a framework's own, or pairs, as text or (ASGI) as bytes."""


class SyncApi:
    """The functions of the contract, each of which waits for its answer."""

    def _call(self, function: str, **given: Any) -> Any:
        raise NotImplementedError

    def describe(self) -> Descriptor:
        """Returns the connector's identity and what it needs. Makes no request.

        Call it when the plugin is installed (without settings) and before an account is connected (with settings,
        to learn the exact hosts). May be repeated at will.

        Limits: settings 256 KiB. Errors: `InvalidSettings`.
        """
        result: Descriptor = self._call("describe")
        return result

    def connect(self) -> Connection:
        """Checks the settings against the account and finds the vendor's ids of the names in them. Creates nothing.

        Call it when the admin presses Connect, after settings change, and as a health check. May be repeated at
        will. Problems of the account are findings, not errors.

        Limits: settings 256 KiB. Errors: `InvalidSettings` when the settings are not a JSON object of the right
        shape.
        """
        result: Connection = self._call("connect")
        return result

    def preview(self, request: HandoffRequest, *, now: int | None = None) -> Plan:
        """Shows what `handoff` would do with the same arguments. Creates nothing; may read. May be repeated at will.

        The plan is that of a first try: it does not look for what an earlier try left behind. A ticket's missing
        e-mail address is a finding here.

        Limits: settings 256 KiB; request 10,000 messages and 2 MiB of text.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `RateLimited`, `Unavailable`,
        `Malformed`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Plan = self._call("preview", document=("request", request), now=("now", now))
        return result

    def handoff(self, request: HandoffRequest, session: str | None = None, *, now: int | None = None) -> Receipt:
        """Hands the conversation over: finds or creates the user, opens the conversation, passes summary and history
        on.

        Call it once when the AI agent is stuck. May be repeated after an error, with the session of the error, or
        with `retry=True` when that session is lost: the connector then adopts what exists instead of creating it
        again. With the session of a conversation that is already handed over it returns the receipt and does
        nothing. Tell the end user only after it succeeded.

        With the mode `ticket`, or when `automatic` chooses it, the connector files a ticket (capability
        `tickets`); answers to it come as `ticket-replied` from `tick`. A live conversation that an earlier try
        opened, or may have opened, is adopted and not doubled by a ticket: the receipt says which it is. An end
        user with a ticket may ask for a person again: hand off with the mode `live`.

        Limits: settings 256 KiB; request 10,000 messages and 2 MiB of text; session 88 KiB.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `Rejected`, `RateLimited`,
        `Unavailable`, `OutcomeUnknown`, `NeedsEmail`, `Malformed`, `Internal`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Receipt = self._call("handoff", document=("request", request), session=session, now=("now", now))
        return result

    def relay(self, session: str, message: Message, *, retry: bool = False, now: int | None = None) -> Update:
        """Passes a message of the end user to the human agents.

        Files whose hosts the settings name are fetched without any credential and uploaded, each as a message of
        its own; all others go as links. A failed upload becomes a link, with a finding. A file without an address
        is a finding, too. For a session with a ticket the message becomes a note under it; when the ticket is
        gone, nothing is written, and the update holds `returned-to-ai`.

        A conversation that was deleted, or superseded by a newer one, continues in a new one. Where that is
        impossible because the user's record or the queue is gone too, the error is `NotFound`: call `tick`, which
        hands back, then hand off again.

        Call it once for each message while the owner is `human-agent`, in order. May be repeated with the session
        of the error. A message whose id was relayed is not sent again; one that failed may be repeated after
        others went ahead of it, in any order. Set `retry` when an earlier try of this message ended without a
        stored session (a trap, a time limit or a crash of the host), however many other calls have succeeded
        since: the connector then looks for the message before it sends. A retry whose message arrived before the
        conversation ended succeeds; the update may hold `reopened` when the message opened a conversation that
        goes on.

        Limits: settings 256 KiB; session 88 KiB; message 2 MiB of text.

        Raises: those of `handoff`; `InvalidRequest` when the conversation is not with human agents.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = self._call("relay", session=session, document=("message", message), retry=retry, now=("now", now))
        return result

    def close(self, session: str, reason: CloseReason, *, retry: bool = False, now: int | None = None) -> Update:
        """Ends the human part from the platform's side: tells the human agents why, and resolves the conversation.

        Call it once. May be repeated: closing a closed conversation does nothing. `retry` is as in `relay`, and
        true when any earlier close of this conversation ended without a stored session. The update holds
        `returned-to-ai`. What the vendor refuses (conversation gone, key revoked, account suspended) is skipped
        with a finding. What may work later is an error, for at most an hour: after that `close` and `tick` end the
        conversation without it.

        Limits: settings 256 KiB; session 88 KiB.

        Raises: those of `handoff`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = self._call("close", session=session, word=("reason", reason), retry=retry, now=("now", now))
        return result

    def undelivered(self, session: str, message_id: str, *, retry: bool = False, now: int | None = None) -> Update:
        """Tells the human agents that a message of theirs could not be shown to the end user: by a private note if
        the settings name an author of notes, otherwise by a message in the end user's name. It quotes the first
        words of the message.

        Call it when the platform has given a message up. May be repeated: each message gets one note. A note that
        could only be written in the end user's name and would reopen a conversation that the platform has ended is
        skipped, with a finding. So is one about a deleted conversation, which the next `tick`, due at once, hands
        back. `retry` is as in `relay`. `message_id` is the `id` of the message in the event; 1 to 255 bytes.

        Limits: settings 256 KiB; session 88 KiB.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `Rejected`, `RateLimited`,
        `Unavailable`, `OutcomeUnknown`, `Malformed`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = self._call("undelivered", session=session, word=("message_id", message_id), retry=retry, now=("now", now))
        return result

    def rate(self, session: str, rating: Rating, *, retry: bool = False) -> Update:
        """Passes on how the end user rates the human part (capability `ratings`). The comment is masked as messages
        are.

        Call it after the end, when the state is `returned`. May be repeated: a rating whose id was sent is not
        sent again. The vendor's ratings cannot be read, so one with an unknown outcome is never sent a second
        time: the repeat, with the session of the error or with `retry`, succeeds with a finding that says so.
        `retry` is as in `relay`.

        Before the end, and for a ticket, the error is `InvalidRequest`; for a conversation that is gone,
        `NotFound`; where the vendor takes no rating (one was given already, ratings are switched off), `Rejected`.

        Limits: settings 256 KiB; session 88 KiB; comment 5,000 characters.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `Rejected`, `RateLimited`,
        `Unavailable`, `OutcomeUnknown`.
        """
        result: Update = self._call("rate", session=session, document=("rating", rating), retry=retry)
        return result

    def peek(self, body: bytes) -> list[str]:
        """Returns the conversation ids in a webhook body, to find its session by. Empty when there are none.

        Proves nothing: it verifies nothing. Act only on the events of `on_webhook`. Makes no request; may be
        repeated at will. `body` is as in `delivery`.

        Limits: body 256 KiB; a larger one has no ids.
        """
        result: list[str] = self._call("peek", body=body)
        return result

    def on_webhook(self, headers: Headers, body: bytes, session: str | None = None, *, received_at: int | None = None) -> Update:
        """Verifies a webhook request and turns it into events.

        Call it for each request to the webhook URL. The connector checks the signature on the raw bytes before it
        reads anything; no setting skips that. Without a session the events are complete, but duplicates and
        foreign conversations of the same queue are not recognised, and the end comes as `resolved` without
        `returned-to-ai`. May be repeated: the same delivery gives the same event ids. May read from the vendor:
        the human agent's name and photo, and whether a message is a private note when the webhook does not say. If
        that cannot be learned the error is `Unavailable`: let the vendor send the webhook again.

        Limits: settings 256 KiB; body 256 KiB; session 88 KiB.

        Raises: `InvalidSettings` (no public key), `InvalidRequest` (session, body, time), `InvalidSignature`,
        `Malformed`, `Unavailable`, `Internal`.

        `received_at` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = self._call("on_webhook", headers=headers, body=body, now=("delivery.received_at", received_at), session=session)
        return result

    def tick(self, session: str, *, now: int | None = None) -> Update:
        """Does what time makes necessary: repair after lost webhooks, time-outs, and the rest of an interrupted
        `close`.

        Call it when `SessionInfo.next_tick_at` has passed, and at will: after an outage of the webhook endpoint,
        for example, or before handing over again a conversation that has come back, because only the newest
        conversation is read.

        While human agents have the conversation, and afterwards for as long as the settings let it be reopened, it
        reads the conversation and its 50 newest messages (two requests) and reports what no webhook reported,
        under the ids that the webhooks would have given. Then it ends, as `close` does, what has waited longer
        than the settings allow. It compares times with the `now` and `received_at` of earlier calls: use one
        clock. May be repeated: what was reported and stored is not reported again. Of a ticket it reads the ticket
        and the entries under it (two requests or more): no webhook reports them. A ticket has ended when it is
        deleted or marked as spam, when the desk has refused us for a day, or when it could not be reached for a
        week: `returned-to-ai` with the outcome `failed`, and a finding.

        The same holds for a live conversation that is gone, or that could not be read for a day or a week. A
        time-out that is due comes even if the conversation cannot be read; what could not be written is a finding.

        A rule of the ticket desk that sends a webhook to the host when a ticket changes makes answers arrive at
        once. Such a webhook is not signed: find the ticket's session by `SessionInfo.ticket_id`, call `tick`, and
        believe nothing else in it.

        Limits: settings 256 KiB; session 88 KiB.

        Raises: those of `handoff`; `Unsupported` without the capability `tick`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = self._call("tick", session=session, now=("now", now))
        return result

    def erase(self, user_id: str) -> Erasure:
        """Deletes the vendor's record of one person, with that person's conversations there. It cannot be undone.

        Call it when the person, or the controller of their data, asks for it. `user_id` is `EndUser.id` as it was
        handed over; 1 to 255 characters. End the person's handoffs first, and drop their sessions: the records
        behind them disappear.

        Only a record with exactly this id is deleted: the connector compares every record that the vendor's search
        returns, and leaves others alone, with a finding. A record without the id (its handoff had a finding) is
        therefore not found. Tickets and contacts of the ticket desk stay; a finding says so when the settings name
        one. The vendor may delete with a delay.

        May be repeated at will: what is gone counts as deleted. Repeat it after an error; earlier deletions stand.

        Limits: settings 256 KiB.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `Rejected`, `RateLimited`,
        `Unavailable`, `OutcomeUnknown`, `Malformed`; `Unsupported` without the capability `erase`.
        """
        result: Erasure = self._call("erase", word=("user_id", user_id))
        return result


class AsyncApi:
    """The functions of the contract, awaited."""

    async def _call(self, function: str, **given: Any) -> Any:
        raise NotImplementedError

    async def describe(self) -> Descriptor:
        """Returns the connector's identity and what it needs. Makes no request.

        Call it when the plugin is installed (without settings) and before an account is connected (with settings,
        to learn the exact hosts). May be repeated at will.

        Limits: settings 256 KiB. Errors: `InvalidSettings`.
        """
        result: Descriptor = await self._call("describe")
        return result

    async def connect(self) -> Connection:
        """Checks the settings against the account and finds the vendor's ids of the names in them. Creates nothing.

        Call it when the admin presses Connect, after settings change, and as a health check. May be repeated at
        will. Problems of the account are findings, not errors.

        Limits: settings 256 KiB. Errors: `InvalidSettings` when the settings are not a JSON object of the right
        shape.
        """
        result: Connection = await self._call("connect")
        return result

    async def preview(self, request: HandoffRequest, *, now: int | None = None) -> Plan:
        """Shows what `handoff` would do with the same arguments. Creates nothing; may read. May be repeated at will.

        The plan is that of a first try: it does not look for what an earlier try left behind. A ticket's missing
        e-mail address is a finding here.

        Limits: settings 256 KiB; request 10,000 messages and 2 MiB of text.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `RateLimited`, `Unavailable`,
        `Malformed`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Plan = await self._call("preview", document=("request", request), now=("now", now))
        return result

    async def handoff(self, request: HandoffRequest, session: str | None = None, *, now: int | None = None) -> Receipt:
        """Hands the conversation over: finds or creates the user, opens the conversation, passes summary and history
        on.

        Call it once when the AI agent is stuck. May be repeated after an error, with the session of the error, or
        with `retry=True` when that session is lost: the connector then adopts what exists instead of creating it
        again. With the session of a conversation that is already handed over it returns the receipt and does
        nothing. Tell the end user only after it succeeded.

        With the mode `ticket`, or when `automatic` chooses it, the connector files a ticket (capability
        `tickets`); answers to it come as `ticket-replied` from `tick`. A live conversation that an earlier try
        opened, or may have opened, is adopted and not doubled by a ticket: the receipt says which it is. An end
        user with a ticket may ask for a person again: hand off with the mode `live`.

        Limits: settings 256 KiB; request 10,000 messages and 2 MiB of text; session 88 KiB.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `Rejected`, `RateLimited`,
        `Unavailable`, `OutcomeUnknown`, `NeedsEmail`, `Malformed`, `Internal`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Receipt = await self._call("handoff", document=("request", request), session=session, now=("now", now))
        return result

    async def relay(self, session: str, message: Message, *, retry: bool = False, now: int | None = None) -> Update:
        """Passes a message of the end user to the human agents.

        Files whose hosts the settings name are fetched without any credential and uploaded, each as a message of
        its own; all others go as links. A failed upload becomes a link, with a finding. A file without an address
        is a finding, too. For a session with a ticket the message becomes a note under it; when the ticket is
        gone, nothing is written, and the update holds `returned-to-ai`.

        A conversation that was deleted, or superseded by a newer one, continues in a new one. Where that is
        impossible because the user's record or the queue is gone too, the error is `NotFound`: call `tick`, which
        hands back, then hand off again.

        Call it once for each message while the owner is `human-agent`, in order. May be repeated with the session
        of the error. A message whose id was relayed is not sent again; one that failed may be repeated after
        others went ahead of it, in any order. Set `retry` when an earlier try of this message ended without a
        stored session (a trap, a time limit or a crash of the host), however many other calls have succeeded
        since: the connector then looks for the message before it sends. A retry whose message arrived before the
        conversation ended succeeds; the update may hold `reopened` when the message opened a conversation that
        goes on.

        Limits: settings 256 KiB; session 88 KiB; message 2 MiB of text.

        Raises: those of `handoff`; `InvalidRequest` when the conversation is not with human agents.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = await self._call("relay", session=session, document=("message", message), retry=retry, now=("now", now))
        return result

    async def close(self, session: str, reason: CloseReason, *, retry: bool = False, now: int | None = None) -> Update:
        """Ends the human part from the platform's side: tells the human agents why, and resolves the conversation.

        Call it once. May be repeated: closing a closed conversation does nothing. `retry` is as in `relay`, and
        true when any earlier close of this conversation ended without a stored session. The update holds
        `returned-to-ai`. What the vendor refuses (conversation gone, key revoked, account suspended) is skipped
        with a finding. What may work later is an error, for at most an hour: after that `close` and `tick` end the
        conversation without it.

        Limits: settings 256 KiB; session 88 KiB.

        Raises: those of `handoff`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = await self._call("close", session=session, word=("reason", reason), retry=retry, now=("now", now))
        return result

    async def undelivered(self, session: str, message_id: str, *, retry: bool = False, now: int | None = None) -> Update:
        """Tells the human agents that a message of theirs could not be shown to the end user: by a private note if
        the settings name an author of notes, otherwise by a message in the end user's name. It quotes the first
        words of the message.

        Call it when the platform has given a message up. May be repeated: each message gets one note. A note that
        could only be written in the end user's name and would reopen a conversation that the platform has ended is
        skipped, with a finding. So is one about a deleted conversation, which the next `tick`, due at once, hands
        back. `retry` is as in `relay`. `message_id` is the `id` of the message in the event; 1 to 255 bytes.

        Limits: settings 256 KiB; session 88 KiB.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `Rejected`, `RateLimited`,
        `Unavailable`, `OutcomeUnknown`, `Malformed`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = await self._call("undelivered", session=session, word=("message_id", message_id), retry=retry, now=("now", now))
        return result

    async def rate(self, session: str, rating: Rating, *, retry: bool = False) -> Update:
        """Passes on how the end user rates the human part (capability `ratings`). The comment is masked as messages
        are.

        Call it after the end, when the state is `returned`. May be repeated: a rating whose id was sent is not
        sent again. The vendor's ratings cannot be read, so one with an unknown outcome is never sent a second
        time: the repeat, with the session of the error or with `retry`, succeeds with a finding that says so.
        `retry` is as in `relay`.

        Before the end, and for a ticket, the error is `InvalidRequest`; for a conversation that is gone,
        `NotFound`; where the vendor takes no rating (one was given already, ratings are switched off), `Rejected`.

        Limits: settings 256 KiB; session 88 KiB; comment 5,000 characters.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `Rejected`, `RateLimited`,
        `Unavailable`, `OutcomeUnknown`.
        """
        result: Update = await self._call("rate", session=session, document=("rating", rating), retry=retry)
        return result

    async def peek(self, body: bytes) -> list[str]:
        """Returns the conversation ids in a webhook body, to find its session by. Empty when there are none.

        Proves nothing: it verifies nothing. Act only on the events of `on_webhook`. Makes no request; may be
        repeated at will. `body` is as in `delivery`.

        Limits: body 256 KiB; a larger one has no ids.
        """
        result: list[str] = await self._call("peek", body=body)
        return result

    async def on_webhook(self, headers: Headers, body: bytes, session: str | None = None, *, received_at: int | None = None) -> Update:
        """Verifies a webhook request and turns it into events.

        Call it for each request to the webhook URL. The connector checks the signature on the raw bytes before it
        reads anything; no setting skips that. Without a session the events are complete, but duplicates and
        foreign conversations of the same queue are not recognised, and the end comes as `resolved` without
        `returned-to-ai`. May be repeated: the same delivery gives the same event ids. May read from the vendor:
        the human agent's name and photo, and whether a message is a private note when the webhook does not say. If
        that cannot be learned the error is `Unavailable`: let the vendor send the webhook again.

        Limits: settings 256 KiB; body 256 KiB; session 88 KiB.

        Raises: `InvalidSettings` (no public key), `InvalidRequest` (session, body, time), `InvalidSignature`,
        `Malformed`, `Unavailable`, `Internal`.

        `received_at` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = await self._call("on_webhook", headers=headers, body=body, now=("delivery.received_at", received_at), session=session)
        return result

    async def tick(self, session: str, *, now: int | None = None) -> Update:
        """Does what time makes necessary: repair after lost webhooks, time-outs, and the rest of an interrupted
        `close`.

        Call it when `SessionInfo.next_tick_at` has passed, and at will: after an outage of the webhook endpoint,
        for example, or before handing over again a conversation that has come back, because only the newest
        conversation is read.

        While human agents have the conversation, and afterwards for as long as the settings let it be reopened, it
        reads the conversation and its 50 newest messages (two requests) and reports what no webhook reported,
        under the ids that the webhooks would have given. Then it ends, as `close` does, what has waited longer
        than the settings allow. It compares times with the `now` and `received_at` of earlier calls: use one
        clock. May be repeated: what was reported and stored is not reported again. Of a ticket it reads the ticket
        and the entries under it (two requests or more): no webhook reports them. A ticket has ended when it is
        deleted or marked as spam, when the desk has refused us for a day, or when it could not be reached for a
        week: `returned-to-ai` with the outcome `failed`, and a finding.

        The same holds for a live conversation that is gone, or that could not be read for a day or a week. A
        time-out that is due comes even if the conversation cannot be read; what could not be written is a finding.

        A rule of the ticket desk that sends a webhook to the host when a ticket changes makes answers arrive at
        once. Such a webhook is not signed: find the ticket's session by `SessionInfo.ticket_id`, call `tick`, and
        believe nothing else in it.

        Limits: settings 256 KiB; session 88 KiB.

        Raises: those of `handoff`; `Unsupported` without the capability `tick`.

        `now` is in milliseconds since 1970; the clock's when it is left out.
        """
        result: Update = await self._call("tick", session=session, now=("now", now))
        return result

    async def erase(self, user_id: str) -> Erasure:
        """Deletes the vendor's record of one person, with that person's conversations there. It cannot be undone.

        Call it when the person, or the controller of their data, asks for it. `user_id` is `EndUser.id` as it was
        handed over; 1 to 255 characters. End the person's handoffs first, and drop their sessions: the records
        behind them disappear.

        Only a record with exactly this id is deleted: the connector compares every record that the vendor's search
        returns, and leaves others alone, with a finding. A record without the id (its handoff had a finding) is
        therefore not found. Tickets and contacts of the ticket desk stay; a finding says so when the settings name
        one. The vendor may delete with a delay.

        May be repeated at will: what is gone counts as deleted. Repeat it after an error; earlier deletions stand.

        Limits: settings 256 KiB.

        Raises: `InvalidSettings`, `InvalidRequest`, `Unauthorized`, `NotFound`, `Rejected`, `RateLimited`,
        `Unavailable`, `OutcomeUnknown`, `Malformed`; `Unsupported` without the capability `erase`.
        """
        result: Erasure = await self._call("erase", word=("user_id", user_id))
        return result

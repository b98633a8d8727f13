# Written by `cargo xtask tables` from wit/ and src/settings/schema.json. Do not edit.
"""The contract's values: dictionaries, with names in snake case. What goes in may leave out what the type lets it.

What comes out has every name; what is not there is None.
"""

from typing import Any, Literal, TypedDict

SECRETS = frozenset({"api_key", "ticket_api_key"})
"""Settings that are never printed."""


class OutboundHost(TypedDict):
    """An origin that the connector calls, for the host's allow-list."""

    origin: str
    """Scheme, host and port as in a URL, for example `https://acme.example.com`. A host that starts with `*.` stands
    for any subdomain; it appears only while the settings do not name the account yet.
    """

    purpose: str
    """What the connector does there, in a few words, for the person who allows it."""

    credential: str | None
    """The header that authenticates us, as `<header>: <scheme> {<setting>}`. A host that keeps the secret from the
    connector leaves that setting out and adds this header itself, to requests to this origin only. None when the
    origin needs no credential.
    """

class Descriptor(TypedDict):
    """The connector's identity, and what a host must provide for it."""

    name: str
    """Short name for lists and logs: lower-case letters, digits and hyphens."""

    version: str
    """Version of the connector, in semantic versioning; not the version of this contract."""

    vendor: str
    """The help desk's name as its customers know it."""

    settings_schema: str
    """A JSON Schema (draft 2020-12) of the settings, with titles, help texts, order and marked secrets: enough to
    generate the form.
    """

    capabilities: list[str]
    """What this version can do, as words from the connector's manual, for example `live` or `tickets`. A function
    whose word is missing fails with `unsupported`.
    """

    outbound: list[OutboundHost]
    """Every origin that calls with these settings reach. Exact when settings were given."""

    webhook_headers: list[str]
    """The request headers that `on_webhook` needs, lower case. Others may be dropped."""

FindingLevel = Literal[
    "ok",
    "warning",
    "failure",
]
"""How serious a finding is.

- `ok`: Checked and correct.
- `warning`: Works, but not as well as it could, or not as people may expect.
- `failure`: Does not work until somebody follows the remedy.
"""

class Finding(TypedDict):
    """The result of one check, or something that was left out and why."""

    check: str
    """What was checked, for example `api-key`. Stable; listed in the connector's manual."""

    level: FindingLevel
    """How serious it is."""

    code: str
    """The result as a word for programs to match. Stable; listed in the connector's manual."""

    detail: str
    """The result as a sentence for the admin. Not for programs to match."""

    remedy: str | None
    """What the admin should do. None when there is nothing to do."""

class Connection(TypedDict):
    """The result of `connect`."""

    connected: bool
    """True when live handoffs will work. Failures of parts that they can do without (the ticket desk; a group, agent,
    property or note author that does not exist and is left out) leave it true. Answers of human agents need
    webhooks, which no check can prove: a warning says when the settings contain nothing to verify them with.
    """

    account: str | None
    """The account that the credentials open, as the vendor names it. None when they open none."""

    findings: list[Finding]
    """The result of every check, in the order of the settings form. A failure does not stop the checks after it."""

    settings: dict[str, Any]
    """The settings to keep and to pass to all later calls: those given, tidied, with the vendor's ids of the names in
    them, so that a handoff need not look them up. They contain the secrets that were given.
    """

class ConversationKey(TypedDict):
    """The platform's own name for a conversation. The three fields together must be unique and never reused:
    everything that makes a handoff happen only once derives from them. Each is 1 to 255 characters, not all
    spaces.
    """

    application: str
    """The platform's tenant, for example an application id."""

    channel: str
    """The place of the conversation, for example a channel URL. May hold several conversations, one after the other."""

    conversation: str
    """The conversation itself."""

class _EndUser(TypedDict):
    id: str
    """The platform's id for this person; 1 to 255 characters. Always pass the same id for the same person."""


class EndUser(_EndUser, total=False):
    """The person who needs help."""

    name: str | None
    """Full name."""

    email: str | None
    """Leave it out when it is not known: a made-up address would merge two people."""

    email_verified: bool
    """True only when the platform itself has checked that the mailbox belongs to this person: they log in with the
    address, confirmed it by a link or a code, or the platform's server took it from its own records. False when
    the person, their device or the AI agent supplied it.

    A verified address finds the person's record in the help desk and joins their conversation to it. An unverified
    address is shown to the human agent, marked as unverified, and does nothing else in a live conversation: it
    neither finds nor changes a record. It may still be the requester of a ticket, whose answers the help desk
    mails there.
    """

    phone: str | None
    """With country code, for example `+15550100`."""

    phone_verified: bool
    """As `email_verified`: true only when the platform has checked that the number belongs to this person, for
    example by a code sent there.
    """

    locale: str | None
    """BCP 47, for example `pt-BR`."""

    avatar_url: str | None
    """An https URL that anyone can read."""

SenderRole = Literal[
    "end-user",
    "ai-agent",
    "human-agent",
    "system",
]
"""Who speaks.

- `end-user`: The person who needs help.
- `ai-agent`: The platform's AI agent.
- `human-agent`: A person who answers in the help desk.
- `system`: Nobody: the platform or the help desk wrote the line.
"""

class _Sender(TypedDict):
    role: SenderRole
    """Who speaks."""


class Sender(_Sender, total=False):
    """The author of a message."""

    id: str | None
    """The id in the sender's own system: the platform's for end users and AI agents, the vendor's for human agents."""

    name: str | None
    """As people should see it."""

    avatar_url: str | None
    """An https URL that anyone can read."""

PartKind = Literal[
    "text",
    "image",
    "file",
    "video",
    "audio",
    "button",
    "choices",
    "unsupported",
]
"""What a part of a message is, and which of its fields count.

- `text`: Plain text: `text`.
- `image`: A picture: `url`, `name`, `media_type`, `bytes`; `text` is the caption.
- `file`: Any other file; fields as for `image`.
- `video`: A video; fields as for `image`.
- `audio`: A recording; fields as for `image`.
- `button`: A link to press: `text` is its label, `url` its target.
- `choices`: A question with set answers: `text` and `choices`.
- `unsupported`: Something that this contract has no word for. `text` describes it, ready to show, with the address
it leads to; `url` is that address, if any.
"""

class _Part(TypedDict):
    kind: PartKind
    """What it is."""


class Part(_Part, total=False):
    """One piece of a message."""

    text: str | None
    """Text, caption or label."""

    url: str | None
    """The file's http or https address. It may expire within minutes: fetch it at once. A file without an address
    cannot be passed on; the reader learns that there was one.
    """

    name: str | None
    """The file's name."""

    media_type: str | None
    """The file's type, for example `image/png`."""

    bytes: int | None
    """The file's size in bytes."""

    choices: list[str] | None
    """The answers to choose from; leave it out unless the kind is `choices`."""

class Message(TypedDict):
    """One utterance. At most 2 MiB of text."""

    id: str
    """Unique within the conversation, and the same when you pass the message again; 1 to 255 characters."""

    sender: Sender
    """The author."""

    sent_at: int
    """When it was written."""

    parts: list[Part]
    """At least one, in reading order."""

Mode = Literal[
    "automatic",
    "live",
    "ticket",
]
"""Where a handoff should go.

- `automatic`: The connector chooses: a live conversation where possible; a ticket when the settings name a ticket
desk and no human agent is available, or the live conversation is refused for good. The receipt's decisions say
why.
- `live`: A live conversation or nothing.
- `ticket`: A ticket, even where a live conversation is possible. Also after a live conversation: when
`returned-to-ai` says `timed-out`, hand off with this mode and the session of that update.
"""

Reason = Literal[
    "user-button",
    "user-asked",
    "flow-step",
    "model-decision",
    "safety",
    "api",
]
"""Why the AI agent hands over. Shown to the human agent.

- `user-button`: The end user pressed a button.
- `user-asked`: The end user asked for a person in words.
- `flow-step`: A scripted flow reached its handoff step.
- `model-decision`: The AI agent decided by itself.
- `safety`: A safety rule demands a person.
- `api`: A program asked for it.
"""

Priority = Literal[
    "low",
    "medium",
    "high",
    "urgent",
]
"""How urgent it is.

- `low`: Can wait.
- `medium`: As usual.
- `high`: Sooner than others.
- `urgent`: At once.
"""

class Routing(TypedDict, total=False):
    """Who should get the conversation. The settings fill in what is left out."""

    topic: str | None
    """The name of the queue, channel or topic in the help desk, as its admin wrote it. Case-sensitive."""

    group: str | None
    """The name or id of a group of human agents."""

    agent: str | None
    """The id or e-mail address of one human agent."""

    priority: Priority | None
    """How urgent it is."""

    skill: str | None
    """The skill needed, in the words of the help desk's own skill rules; 1 to 255 bytes. It goes into the property
    that the settings name, before any rule looks at the conversation. Where that is impossible, the handoff goes
    on without it, with a finding.
    """

class _HandoffRequest(TypedDict):
    key: ConversationKey
    """The conversation."""

    user: EndUser
    """The person who needs help."""

    mode: Mode
    """Live conversation or ticket."""

    reason: Reason
    """Why."""


class HandoffRequest(_HandoffRequest, total=False):
    """Everything that a handoff needs. At most 10,000 messages and 2 MiB of text."""

    reason_text: str | None
    """More about the reason, for the human agent; plain text."""

    category: str | None
    """The platform's own name for what the conversation is about."""

    summary: str | None
    """What happened so far, in a few sentences; plain text. Without it the human agent reads an extract of the
    history, marked as an extract.
    """

    history: list[Message] | None
    """The conversation so far, oldest first."""

    context: list[tuple[str, str]] | None
    """Facts about the conversation, as name and value. The settings say what becomes of them."""

    routing: Routing | None
    """Who should get it."""

    retry: bool
    """True when an earlier try may have got through and its session was lost. The connector then looks for what that
    try left behind before it creates anything, which costs two to four more requests.
    """

class ExternalCase(TypedDict):
    """The help desk's side of the conversation, in the two fields that a platform stores."""

    case_id: str
    """The vendor's id, behind a prefix and a colon that say what it is. The connector's manual lists the prefixes."""

    kind: str
    """The connector, as `descriptor.name`."""

class Step(TypedDict):
    """Something that was done (in a receipt) or would be done (in a plan)."""

    action: str
    """For example `create-user` or `create-conversation`. Stable; listed in the connector's manual."""

    target: str
    """The system and object, with the object's id where there is one."""

    detail: str
    """Counts and reasons. Not for programs to match."""

class Decision(TypedDict):
    """A choice and the rule behind it, for logs and audits. Contains no text of people."""

    subject: str
    """What was chosen, for example `mode`. Stable; listed in the connector's manual."""

    rule: str
    """The rule that chose it, for example `request`, `locale` or `fallback`. Stable; listed in the manual."""

    choice: str
    """The choice: an id, a word of the contract, or a count."""

Owner = Literal[
    "ai-agent",
    "human-agent",
]
"""Who answers the end user now.

- `ai-agent`: The platform's AI agent.
- `human-agent`: The human agents.
"""

SessionState = Literal[
    "requesting",
    "queued",
    "active",
    "closing",
    "returned",
    "failed",
    "ticketed",
]
"""Where a conversation stands.

- `requesting`: A handoff has begun and is not complete. The AI agent still answers.
- `queued`: Handed over; no human agent has taken it yet.
- `active`: A human agent has it.
- `closing`: The end was requested and is not confirmed yet.
- `returned`: Back with the AI agent.
- `failed`: The handoff failed for good. The AI agent still answers.
- `ticketed`: A ticket stands in for the conversation. The AI agent answers.
"""

class SessionInfo(TypedDict):
    """The part of a session that a host may read, for its indexes and timers."""

    state: SessionState
    """Where the conversation stands."""

    owner: Owner
    """Who answers the end user."""

    conversation_ids: list[str]
    """Every id under which webhooks may name this conversation, newest first. Grows, never shrinks."""

    ticket_id: str | None
    """The vendor's id of the ticket that stands in, if any."""

    next_tick_at: int | None
    """When to call `tick` next. None when there is nothing to wait for."""

class WaitEstimate(TypedDict):
    """How long others wait, by the vendor's figures. They describe the past: promise nothing from them."""

    average_wait_seconds: int | None
    """How long conversations of the same group waited for a human agent in the last hour, on average, in seconds."""

    waiting: int | None
    """How many conversations of the group are waiting now. May include the one just handed over."""

class Receipt(TypedDict):
    """The result of a successful handoff."""

    external_case: ExternalCase
    """The help desk's side of the conversation."""

    agent_url: str | None
    """Where a human agent opens the conversation in a browser, when the vendor says so."""

    steps: list[Step]
    """What was done, in order. Empty when the session was already handed over."""

    findings: list[Finding]
    """What was left out or done differently, and why."""

    decisions: list[Decision]
    """What was chosen, and why. Empty when the session was already handed over."""

    estimate: WaitEstimate | None
    """Has at least one figure. Present when the settings ask for it, the conversation waits, and the vendor has
    figures. A missing estimate never fails a handoff, and delays it by about two seconds at most. None when the
    session was already handed over.
    """

    session: str
    """The session to store."""

    info: SessionInfo
    """The readable part of the session."""

class Plan(TypedDict):
    """The result of `preview`: what a handoff would do."""

    mode: Mode
    """`live` or `ticket`."""

    steps: list[Step]
    """The calls that would be made, in order."""

    findings: list[Finding]
    """What stands in the way, and what would be left out."""

    decisions: list[Decision]
    """What would be chosen, and why."""

    texts: list[str]
    """What human agents would read, masked: one text for each message, or for the ticket. Contains text of people:
    show it, do not log it.
    """

    fields: list[tuple[str, str]]
    """Fields that would be set, by name, with their values. Contains text of people, too."""

EventKind = Literal[
    "agent-assigned",
    "transferred",
    "agent-message",
    "resolved",
    "reopened",
    "ticket-replied",
    "returned-to-ai",
    "ignored",
]
"""What happened.

- `agent-assigned`: A human agent took it: `agent`.
- `transferred`: It went to a group, or from one human agent to another: `agent` where there is one.
- `agent-message`: A human agent wrote to the end user: `agent`, `message`.
- `resolved`: A human agent ended it: `agent` where known. `detail` is `ticket` for the ticket.
- `reopened`: It came back to the human agents after its end. `detail` is `ticket` for the ticket.
- `ticket-replied`: A human agent answered the ticket: `agent`, `message`.
- `returned-to-ai`: The AI agent answers from now on: `outcome`, `summary`.
- `ignored`: Nothing to do: `detail` says why. Acknowledge the webhook all the same.
"""

Outcome = Literal[
    "resolved",
    "abandoned",
    "nobody-available",
    "timed-out",
    "failed",
    "ticketed",
]
"""How the human part ended.

- `resolved`: A human agent resolved it.
- `abandoned`: The end user left or cancelled.
- `nobody-available`: No human agent was available.
- `timed-out`: Nobody took it in time, or nobody wrote for too long.
- `failed`: The handoff could not be made, or its conversation is gone.
- `ticketed`: A ticket stands in for it.
"""

class Event(TypedDict):
    """One thing to act on. Deliver events in the order given."""

    id: str
    """The same whenever the same thing is reported again, by a repeated webhook or by `tick`: drop ids you have seen."""

    kind: EventKind
    """What happened."""

    at: int
    """When it happened by the vendor's clock, or when it was received if the vendor does not say."""

    conversation_id: str | None
    """The vendor's conversation. None for webhooks about no conversation."""

    agent: Sender | None
    """The human agent."""

    message: Message | None
    """The human agent's message."""

    outcome: Outcome | None
    """For `returned-to-ai`: how the human part ended."""

    summary: str | None
    """For `returned-to-ai`: what the human agents did, for the AI agent to read."""

    detail: str | None
    """For `ignored`, `transferred`, `resolved`, `reopened`: a word from the connector's manual; never text of people."""

class Update(TypedDict):
    """The result of the functions that advance a session."""

    events: list[Event]
    """What happened, in order."""

    session: str | None
    """The session to store. None only when `on_webhook` was called without one."""

    info: SessionInfo | None
    """The readable part of the session. None when `session` is none."""

    findings: list[Finding]
    """What was left out or done differently, and why."""

    decisions: list[Decision]
    """What was chosen, and why."""

CloseReason = Literal[
    "user-left",
    "user-cancelled",
    "platform-closed",
    "returned-to-ai",
    "timed-out",
]
"""Why the platform ends the human part. Shown to the human agent.

- `user-left`: The end user left the conversation.
- `user-cancelled`: The end user no longer wants a person.
- `platform-closed`: The platform closed the conversation.
- `returned-to-ai`: The end user went back to the AI agent.
- `timed-out`: The platform waited too long.
"""

class Erasure(TypedDict):
    """The result of `erase`."""

    steps: list[Step]
    """What was deleted, in order, one step per record. Empty when the vendor has no record of this person."""

    findings: list[Finding]
    """What was not deleted, and who can delete it."""

class _Rating(TypedDict):
    id: str
    """The platform's id of this rating, the same when you pass it again; 1 to 255 bytes."""

    score: int
    """1 (worst) to 5 (best)."""


class Rating(_Rating, total=False):
    """What the end user thinks of the human part."""

    comment: str | None
    """What the end user wrote about it. At most 5,000 characters."""

ErrorKind = Literal[
    "invalid-settings",
    "invalid-request",
    "unauthorized",
    "not-found",
    "rejected",
    "rate-limited",
    "unavailable",
    "outcome-unknown",
    "needs-email",
    "invalid-signature",
    "malformed",
    "unsupported",
    "internal",
]
"""What went wrong, by what the caller should do about it.

- `invalid-settings`: A setting is missing or wrong: `field` names it. Ask the admin, and do not repeat the call
before.
- `invalid-request`: An argument is missing or wrong: `field` names it. A bug in the caller, or an old session. Do
not repeat.
- `unauthorized`: The vendor refused the credentials. Mark the connection as broken and ask the admin. Do not
repeat.
- `not-found`: A queue, group, human agent or conversation does not exist: `field` names it. Ask the admin. Do not
repeat.
- `rejected`: The vendor understood the request and refused it. Report it. Do not repeat.
- `rate-limited`: Too many requests: repeat after `retry_after_ms`, with the session of this error.
- `unavailable`: The vendor cannot be reached or is broken, and the last request changed nothing. Repeat later,
with the session of this error.
- `outcome-unknown`: A request that changes something was sent, and its result is unknown. Repeat with the session
of this error, or with `retry=True`: the connector then looks before it acts.
- `needs-email`: A ticket needs an e-mail address or a phone number, and none is known. Ask the end user, then
repeat with it.
- `invalid-signature`: The webhook is not from the vendor. Drop it, answer 401, and raise an alarm when it happens
often.
- `malformed`: The vendor sent something unreadable: `log` says where. Report it. Do not repeat. For a webhook
answer 503, so that the vendor sends it again.
- `unsupported`: This version cannot do that; see `descriptor.capabilities`. Do not repeat.
- `internal`: A bug in the connector. Report it. Do not repeat.
"""

class FreshworksSettings(TypedDict, total=False):
    """What a tenant's admin enters. Any dictionary with these names will do."""

    chat_url: str
    """"Your chat URL", which Freshworks shows beside the API key; it ends in .freshchat.com, in suites too. Any form
    works: acme, acme.freshchat.com, https://acme.freshchat.com/v2.
    """

    api_key: str
    """Admin Settings > Marketplace and Integrations > API > API Settings > API details for chat > Generate token. An
    account has one token: a new one ends the old one. Leave it out when the host adds the Authorization header
    itself.
    """

    topics: list[str]
    """The Freshchat topic that handoffs go to, case-sensitive. The first of the list that exists is used."""

    topic_by_locale: dict[str, str]
    """Topic names by language tag, for example {"pt-BR": "Atendimento", "de": "Hilfe"}. Goes before the list of
    topics.
    """

    webhook_public_key: str
    """The public key that the webhook page of Freshworks shows. Paste it whole; line breaks and labels do not matter."""

    group: str
    """Name or id of the group that gets handoffs, unless the handoff names one."""

    agent: str
    """Id or e-mail address of the human agent who gets handoffs, unless the handoff names one."""

    priority: Literal["low", "medium", "high", "urgent"]
    """Priority of handoffs, unless the handoff names one."""

    availability: Literal["off", "hours", "agents"]
    """hours: business hours. agents: human agents who are available. Costs a request or more at each handoff. When
    nobody is there, mode automatic files a ticket if a ticket desk is set up.
    """

    note_author: str
    """Id or e-mail address of a human agent, best one made for this purpose. The history then arrives as private
    notes in that name; without it, as ordinary messages of the user.
    """

    language: str
    """Language tag of the labels in what human agents read: en, de, fr, es, pt, ja, ar, he, hi, it, ko, nl, pl, tr or
    zh. What people wrote is not translated.
    """

    time_zone: str
    """Name of the time zone of the times in the history, for example Europe/Madrid."""

    context: dict[str, str]
    """Where values of the context go, by name: shown, conversation.<property>, user.<property>, ticket.<field>
    (cf_order, type, ...); several with commas. * stands for all other names. What is not named stays behind.
    """

    masking: list[str]
    """What is masked in texts: card-numbers, tokens, email-addresses, phone-numbers, iban, or templates with # for a
    digit and ? for a letter.
    """

    file_hosts: list[str]
    """Files of the end user on these hosts are uploaded to Freshworks; others go as links. For example
    files.example.com or *.example.com. The bridge adds the hosts of Delight by itself.
    """

    return_summary: bool
    """The AI agent gets what the human agents wrote, when it gets the conversation back. Costs one request at the
    end.
    """

    ticket_domain: str
    """Address of Freshdesk or Freshservice, for example acme.freshdesk.com. Without it no tickets are filed."""

    ticket_api_key: str
    """Profile settings of an agent of the ticket desk > API key. It is not the key of Freshchat. Leave it out when
    the host adds the Authorization header itself.
    """

    ticket_group: str
    """Name or number of the group that gets tickets."""

    ticket_tags: list[str]
    """Tags of every ticket, at most 32 characters each."""

    ticket_fields: dict[str, str]
    """Values of ticket fields by the names that tickets use, for example {"type": "Question", "product_id": "42",
    "cf_source": "AI agent"}. For fields that the ticket desk makes mandatory. A value of the context goes before.
    """

    max_message_chars: int
    """Characters in one message; longer history is split."""

    connect_timeout_ms: int
    """Milliseconds to wait for a connection to Freshworks."""

    response_timeout_ms: int
    """Milliseconds to wait for an answer of Freshworks."""

    retry_budget_ms: int
    """Milliseconds that the repeats of failed requests may take in one call, at worst. Only requests that surely
    changed nothing are repeated. 0: none.
    """

    queue_timeout_minutes: int
    """Minutes until a conversation that nobody takes goes back to the AI agent. 0: never."""

    inactivity_timeout_minutes: int
    """Minutes without a message until a conversation goes back to the AI agent. 0: never."""

    reopen_window_minutes: int
    """Minutes after the end in which human agents can bring a conversation back. 0: never."""

    wait_estimate: bool
    """The receipt of a handoff says how long conversations of the group have waited in the last hour, and how many
    wait. Costs two requests at each handoff, which go out together after it. Works best with a group.
    """

    skill_property: str
    """The property of conversations into which the skill of a handoff is written, for example cf_skill. Create it in
    Freshworks, and let a skill rule there look at it.
    """

    test_origin: str
    """For tests only: http://127.0.0.1:<port> of a simulator that takes the place of the account. Other hosts are
    refused.
    """

    test_ticket_origin: str
    """For tests only, as the test origin."""

    resolved: dict[str, Any]
    """Ids of the names above, written by connect. Keep it with the settings; it saves requests."""

__all__ = [
    "CloseReason",
    "Connection",
    "ConversationKey",
    "Decision",
    "Descriptor",
    "EndUser",
    "Erasure",
    "ErrorKind",
    "Event",
    "EventKind",
    "ExternalCase",
    "Finding",
    "FindingLevel",
    "FreshworksSettings",
    "HandoffRequest",
    "Message",
    "Mode",
    "OutboundHost",
    "Outcome",
    "Owner",
    "Part",
    "PartKind",
    "Plan",
    "Priority",
    "Rating",
    "Reason",
    "Receipt",
    "Routing",
    "Sender",
    "SenderRole",
    "SessionInfo",
    "SessionState",
    "Step",
    "Update",
    "WaitEstimate",
]

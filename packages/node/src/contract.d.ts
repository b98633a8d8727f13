// Made from wit/connector.wit by `cargo xtask tables`: do not edit.

/** Names and values, as pairs, as an object, or as anything that gives pairs: a `Map`, the `Headers` of a request. */
export type Pairs =
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * One JSON object, described by the JSON Schema in `Descriptor.settingsSchema`. At most 256 KiB.
 *
 * New settings do not change this contract. A host that adds credentials itself leaves them out.
 */
export type Settings = string;

/**
 * What a connector remembers about one conversation. Opaque and versioned; only the connector writes it.
 *
 * Printable ASCII without quotes or backslashes: it survives JSON, URLs and log files as it is. Store it unchanged, under
 * the platform's own conversation key, and pass the newest one to the next call. It grows with the number of relayed
 * messages, to at most 88 KiB. It holds ids and names of human agents, no message text and no secret. A session of
 * an unknown version fails with `invalid-request`.
 */
export type Session = string;

/**
 * Milliseconds since 1970-01-01T00:00:00Z, as JavaScript's `Date.now()` returns them.
 *
 * Values below 10^11 (seconds) and above 10^14 (microseconds) fail with `invalid-request`; `field` is the path, for
 * example `now`, `Delivery.receivedAt`, `Message.sentAt` or `request.history[3].sent-at`.
 */
export type Timestamp = number;

/** An origin that the connector calls, for the host's allow-list. */
export interface OutboundHost {
  /**
   * Scheme, host and port as in a URL, for example `https://acme.example.com`. A host that starts with `*.` stands for
   * any subdomain; it appears only while the settings do not name the account yet.
   */
  origin: string;
  /** What the connector does there, in a few words, for the person who allows it. */
  purpose: string;
  /**
   * The header that authenticates us, as `<header>: <scheme> {<setting>}`. A host that keeps the secret from the
   * connector leaves that setting out and adds this header itself, to requests to this origin only. None when the
   * origin needs no credential.
   */
  credential?: string;
}

/** The connector's identity, and what a host must provide for it. */
export interface Descriptor {
  /** Short name for lists and logs: lower-case letters, digits and hyphens. */
  name: string;
  /** Version of the connector, in semantic versioning; not the version of this contract. */
  version: string;
  /** The help desk's name as its customers know it. */
  vendor: string;
  /**
   * A JSON Schema (draft 2020-12) of the settings, with titles, help texts, order and marked secrets: enough to generate
   * the form.
   */
  settingsSchema: string;
  /**
   * What this version can do, as words from the connector's manual, for example `live` or `tickets`. A function whose word
   * is missing fails with `unsupported`.
   */
  capabilities: string[];
  /** Every origin that calls with these settings reach. Exact when settings were given. */
  outbound: OutboundHost[];
  /** The request headers that `onWebhook` needs, lower case. Others may be dropped. */
  webhookHeaders: string[];
}

/** How serious a finding is. */
export type FindingLevel =
  /** Checked and correct. */
  | 'ok'
  /** Works, but not as well as it could, or not as people may expect. */
  | 'warning'
  /** Does not work until somebody follows the remedy. */
  | 'failure';

/** The result of one check, or something that was left out and why. */
export interface Finding {
  /** What was checked, for example `api-key`. Stable; listed in the connector's manual. */
  check: string;
  /** How serious it is. */
  level: FindingLevel;
  /** The result as a word for programs to match. Stable; listed in the connector's manual. */
  code: string;
  /** The result as a sentence for the admin. Not for programs to match. */
  detail: string;
  /** What the admin should do. None when there is nothing to do. */
  remedy?: string;
}

/** The result of `connect`. */
export interface Connection {
  /**
   * True when live handoffs will work. Failures of parts that they can do without (the ticket desk; a group, agent, property
   * or note author that does not exist and is left out) leave it true. Answers of human agents need webhooks, which no
   * check can prove: a warning says when the settings contain nothing to verify them with.
   */
  connected: boolean;
  /** The account that the credentials open, as the vendor names it. None when they open none. */
  account?: string;
  /** The result of every check, in the order of the settings form. A failure does not stop the checks after it. */
  findings: Finding[];
  /**
   * The settings to keep and to pass to all later calls: those given, tidied, with the vendor's ids of the names in them,
   * so that a handoff need not look them up. They contain the secrets that were given.
   */
  settings: Settings;
}

/**
 * The platform's own name for a conversation. The three fields together must be unique and never reused: everything
 * that makes a handoff happen only once derives from them. Each is 1 to 255 characters, not all spaces.
 */
export interface ConversationKey {
  /** The platform's tenant, for example an application id. */
  application: string;
  /** The place of the conversation, for example a channel URL. May hold several conversations, one after the other. */
  channel: string;
  /** The conversation itself. */
  conversation: string;
}

/** The person who needs help. */
export interface EndUser {
  /** The platform's id for this person; 1 to 255 characters. Always pass the same id for the same person. */
  id: string;
  /** Full name. */
  name?: string;
  /** Leave it out when it is not known: a made-up address would merge two people. */
  email?: string;
  /**
   * True only when the platform itself has checked that the mailbox belongs to this person: they log in with the address,
   * confirmed it by a link or a code, or the platform's server took it from its own records. False when the person, their
   * device or the AI agent supplied it.
   *
   * A verified address finds the person's record in the help desk and joins their conversation to it. An unverified address
   * is shown to the human agent, marked as unverified, and does nothing else in a live conversation: it neither finds nor
   * changes a record. It may still be the requester of a ticket, whose answers the help desk mails there.
   */
  emailVerified?: boolean;
  /** With country code, for example `+15550100`. */
  phone?: string;
  /**
   * As `emailVerified`: true only when the platform has checked that the number belongs to this person, for example by a
   * code sent there.
   */
  phoneVerified?: boolean;
  /** BCP 47, for example `pt-BR`. */
  locale?: string;
  /** An https URL that anyone can read. */
  avatarUrl?: string;
}

/** Who speaks. */
export type SenderRole =
  /** The person who needs help. */
  | 'end-user'
  /** The platform's AI agent. */
  | 'ai-agent'
  /** A person who answers in the help desk. */
  | 'human-agent'
  /** Nobody: the platform or the help desk wrote the line. */
  | 'system';

/** The author of a message. */
export interface Sender {
  /** Who speaks. */
  role: SenderRole;
  /** The id in the sender's own system: the platform's for end users and AI agents, the vendor's for human agents. */
  id?: string;
  /** As people should see it. */
  name?: string;
  /** An https URL that anyone can read. */
  avatarUrl?: string;
}

/** What a part of a message is, and which of its fields count. */
export type PartKind =
  /** Plain text: `text`. */
  | 'text'
  /** A picture: `url`, `name`, `mediaType`, `bytes`; `text` is the caption. */
  | 'image'
  /** Any other file; fields as for `image`. */
  | 'file'
  /** A video; fields as for `image`. */
  | 'video'
  /** A recording; fields as for `image`. */
  | 'audio'
  /** A link to press: `text` is its label, `url` its target. */
  | 'button'
  /** A question with set answers: `text` and `choices`. */
  | 'choices'
  /**
   * Something that this contract has no word for. `text` describes it, ready to show, with the address it leads to; `url` is
   * that address, if any.
   */
  | 'unsupported';

/** One piece of a message. */
export interface Part {
  /** What it is. */
  kind: PartKind;
  /** Text, caption or label. */
  text?: string;
  /**
   * The file's http or https address. It may expire within minutes: fetch it at once. A file without an address cannot be
   * passed on; the reader learns that there was one.
   */
  url?: string;
  /** The file's name. */
  name?: string;
  /** The file's type, for example `image/png`. */
  mediaType?: string;
  /** The file's size in bytes. */
  bytes?: number;
  /** The answers to choose from; leave it out unless the kind is `choices`. */
  choices?: string[];
}

/** One utterance. At most 2 MiB of text. */
export interface Message {
  /** Unique within the conversation, and the same when you pass the message again; 1 to 255 characters. */
  id: string;
  /** The author. */
  sender: Sender;
  /** When it was written. */
  sentAt: Timestamp;
  /** At least one, in reading order. */
  parts: Part[];
}

/** Where a handoff should go. */
export type Mode =
  /**
   * The connector chooses: a live conversation where possible; a ticket when the settings name a ticket desk and no human
   * agent is available, or the live conversation is refused for good. The receipt's decisions say why.
   */
  | 'automatic'
  /** A live conversation or nothing. */
  | 'live'
  /**
   * A ticket, even where a live conversation is possible. Also after a live conversation: when `returned-to-ai` says
   * `timed-out`, hand off with this mode and the session of that update.
   */
  | 'ticket';

/** Why the AI agent hands over. Shown to the human agent. */
export type Reason =
  /** The end user pressed a button. */
  | 'user-button'
  /** The end user asked for a person in words. */
  | 'user-asked'
  /** A scripted flow reached its handoff step. */
  | 'flow-step'
  /** The AI agent decided by itself. */
  | 'model-decision'
  /** A safety rule demands a person. */
  | 'safety'
  /** A program asked for it. */
  | 'api';

/** How urgent it is. */
export type Priority =
  /** Can wait. */
  | 'low'
  /** As usual. */
  | 'medium'
  /** Sooner than others. */
  | 'high'
  /** At once. */
  | 'urgent';

/** Who should get the conversation. The settings fill in what is left out. */
export interface Routing {
  /** The name of the queue, channel or topic in the help desk, as its admin wrote it. Case-sensitive. */
  topic?: string;
  /** The name or id of a group of human agents. */
  group?: string;
  /** The id or e-mail address of one human agent. */
  agent?: string;
  /** How urgent it is. */
  priority?: Priority;
  /**
   * The skill needed, in the words of the help desk's own skill rules; 1 to 255 bytes. It goes into the property that the
   * settings name, before any rule looks at the conversation. Where that is impossible, the handoff goes on without it,
   * with a finding.
   */
  skill?: string;
}

/** Everything that a handoff needs. At most 10,000 messages and 2 MiB of text. */
export interface HandoffRequest {
  /** The conversation. */
  key: ConversationKey;
  /** The person who needs help. */
  user: EndUser;
  /** Live conversation or ticket. */
  mode: Mode;
  /** Why. */
  reason: Reason;
  /** More about the reason, for the human agent; plain text. */
  reasonText?: string;
  /** The platform's own name for what the conversation is about. */
  category?: string;
  /**
   * What happened so far, in a few sentences; plain text. Without it the human agent reads an extract of the history, marked
   * as an extract.
   */
  summary?: string;
  /** The conversation so far, oldest first. */
  history?: readonly Message[];
  /** Facts about the conversation, as name and value. The settings say what becomes of them. */
  context?: Pairs;
  /** Who should get it. */
  routing?: Routing;
  /**
   * True when an earlier try may have got through and its session was lost. The connector then looks for what that try left
   * behind before it creates anything, which costs two to four more requests.
   */
  retry?: boolean;
}

/** The help desk's side of the conversation, in the two fields that a platform stores. */
export interface ExternalCase {
  /** The vendor's id, behind a prefix and a colon that say what it is. The connector's manual lists the prefixes. */
  caseId: string;
  /** The connector, as `Descriptor.name`. */
  kind: string;
}

/** Something that was done (in a receipt) or would be done (in a plan). */
export interface Step {
  /** For example `create-user` or `create-conversation`. Stable; listed in the connector's manual. */
  action: string;
  /** The system and object, with the object's id where there is one. */
  target: string;
  /** Counts and reasons. Not for programs to match. */
  detail: string;
}

/** A choice and the rule behind it, for logs and audits. Contains no text of people. */
export interface Decision {
  /** What was chosen, for example `mode`. Stable; listed in the connector's manual. */
  subject: string;
  /** The rule that chose it, for example `request`, `locale` or `fallback`. Stable; listed in the manual. */
  rule: string;
  /** The choice: an id, a word of the contract, or a count. */
  choice: string;
}

/** Who answers the end user now. */
export type Owner =
  /** The platform's AI agent. */
  | 'ai-agent'
  /** The human agents. */
  | 'human-agent';

/** Where a conversation stands. */
export type SessionState =
  /** A handoff has begun and is not complete. The AI agent still answers. */
  | 'requesting'
  /** Handed over; no human agent has taken it yet. */
  | 'queued'
  /** A human agent has it. */
  | 'active'
  /** The end was requested and is not confirmed yet. */
  | 'closing'
  /** Back with the AI agent. */
  | 'returned'
  /** The handoff failed for good. The AI agent still answers. */
  | 'failed'
  /** A ticket stands in for the conversation. The AI agent answers. */
  | 'ticketed';

/** The part of a session that a host may read, for its indexes and timers. */
export interface SessionInfo {
  /** Where the conversation stands. */
  state: SessionState;
  /** Who answers the end user. */
  owner: Owner;
  /** Every id under which webhooks may name this conversation, newest first. Grows, never shrinks. */
  conversationIds: string[];
  /** The vendor's id of the ticket that stands in, if any. */
  ticketId?: string;
  /** When to call `tick` next. None when there is nothing to wait for. */
  nextTickAt?: Timestamp;
}

/** How long others wait, by the vendor's figures. They describe the past: promise nothing from them. */
export interface WaitEstimate {
  /** How long conversations of the same group waited for a human agent in the last hour, on average, in seconds. */
  averageWaitSeconds?: number;
  /** How many conversations of the group are waiting now. May include the one just handed over. */
  waiting?: number;
}

/** The result of a successful handoff. */
export interface Receipt {
  /** The help desk's side of the conversation. */
  externalCase: ExternalCase;
  /** Where a human agent opens the conversation in a browser, when the vendor says so. */
  agentUrl?: string;
  /** What was done, in order. Empty when the session was already handed over. */
  steps: Step[];
  /** What was left out or done differently, and why. */
  findings: Finding[];
  /** What was chosen, and why. Empty when the session was already handed over. */
  decisions: Decision[];
  /**
   * Has at least one figure. Present when the settings ask for it, the conversation waits, and the vendor has figures. A
   * missing estimate never fails a handoff, and delays it by about two seconds at most. None when the session was
   * already handed over.
   */
  estimate?: WaitEstimate;
  /** The session to store. */
  session: Session;
  /** The readable part of the session. */
  info: SessionInfo;
}

/** The result of `preview`: what a handoff would do. */
export interface Plan {
  /** `live` or `ticket`. */
  mode: Mode;
  /** The calls that would be made, in order. */
  steps: Step[];
  /** What stands in the way, and what would be left out. */
  findings: Finding[];
  /** What would be chosen, and why. */
  decisions: Decision[];
  /**
   * What human agents would read, masked: one text for each message, or for the ticket. Contains text of people: show it,
   * do not log it.
   */
  texts: string[];
  /** Fields that would be set, by name, with their values. Contains text of people, too. */
  fields: [string, string][];
}

/** One webhook request, as it arrived. */
export interface Delivery {
  /** All headers, or at least those in `Descriptor.webhookHeaders`. Names in any case. */
  headers: Pairs;
  /**
   * The body, decoded strictly as UTF-8 with nothing stripped (keep a byte order mark) and never parsed and rewritten: the
   * signature covers the exact bytes. A body that is not UTF-8 is not the vendor's: answer 400. At most 256 KiB.
   */
  body: string | Uint8Array;
  /**
   * When the host received it.
   * The time of the call when it is left out.
   */
  receivedAt?: Timestamp;
}

/** What happened. */
export type EventKind =
  /** A human agent took it: `agent`. */
  | 'agent-assigned'
  /** It went to a group, or from one human agent to another: `agent` where there is one. */
  | 'transferred'
  /** A human agent wrote to the end user: `agent`, `message`. */
  | 'agent-message'
  /** A human agent ended it: `agent` where known. `detail` is `ticket` for the ticket. */
  | 'resolved'
  /** It came back to the human agents after its end. `detail` is `ticket` for the ticket. */
  | 'reopened'
  /** A human agent answered the ticket: `agent`, `message`. */
  | 'ticket-replied'
  /** The AI agent answers from now on: `outcome`, `summary`. */
  | 'returned-to-ai'
  /** Nothing to do: `detail` says why. Acknowledge the webhook all the same. */
  | 'ignored';

/** How the human part ended. */
export type Outcome =
  /** A human agent resolved it. */
  | 'resolved'
  /** The end user left or cancelled. */
  | 'abandoned'
  /** No human agent was available. */
  | 'nobody-available'
  /** Nobody took it in time, or nobody wrote for too long. */
  | 'timed-out'
  /** The handoff could not be made, or its conversation is gone. */
  | 'failed'
  /** A ticket stands in for it. */
  | 'ticketed';

/** One thing to act on. Deliver events in the order given. */
export interface Event {
  /** The same whenever the same thing is reported again, by a repeated webhook or by `tick`: drop ids you have seen. */
  id: string;
  /** What happened. */
  kind: EventKind;
  /** When it happened by the vendor's clock, or when it was received if the vendor does not say. */
  at: Timestamp;
  /** The vendor's conversation. None for webhooks about no conversation. */
  conversationId?: string;
  /** The human agent. */
  agent?: Sender;
  /** The human agent's message. */
  message?: Message;
  /** For `returned-to-ai`: how the human part ended. */
  outcome?: Outcome;
  /** For `returned-to-ai`: what the human agents did, for the AI agent to read. */
  summary?: string;
  /** For `ignored`, `transferred`, `resolved`, `reopened`: a word from the connector's manual; never text of people. */
  detail?: string;
}

/** The result of the functions that advance a session. */
export interface Update {
  /** What happened, in order. */
  events: Event[];
  /** The session to store. None only when `onWebhook` was called without one. */
  session?: Session;
  /** The readable part of the session. None when `session` is none. */
  info?: SessionInfo;
  /** What was left out or done differently, and why. */
  findings: Finding[];
  /** What was chosen, and why. */
  decisions: Decision[];
}

/** Why the platform ends the human part. Shown to the human agent. */
export type CloseReason =
  /** The end user left the conversation. */
  | 'user-left'
  /** The end user no longer wants a person. */
  | 'user-cancelled'
  /** The platform closed the conversation. */
  | 'platform-closed'
  /** The end user went back to the AI agent. */
  | 'returned-to-ai'
  /** The platform waited too long. */
  | 'timed-out';

/** The result of `erase`. */
export interface Erasure {
  /** What was deleted, in order, one step per record. Empty when the vendor has no record of this person. */
  steps: Step[];
  /** What was not deleted, and who can delete it. */
  findings: Finding[];
}

/** What the end user thinks of the human part. */
export interface Rating {
  /** The platform's id of this rating, the same when you pass it again; 1 to 255 bytes. */
  id: string;
  /** 1 (worst) to 5 (best). */
  score: number;
  /** What the end user wrote about it. At most 5,000 characters. */
  comment?: string;
}

/** What went wrong, by what the caller should do about it. */
export type ErrorKind =
  /** A setting is missing or wrong: `field` names it. Ask the admin, and do not repeat the call before. */
  | 'invalid-settings'
  /** An argument is missing or wrong: `field` names it. A bug in the caller, or an old session. Do not repeat. */
  | 'invalid-request'
  /** The vendor refused the credentials. Mark the connection as broken and ask the admin. Do not repeat. */
  | 'unauthorized'
  /** A queue, group, human agent or conversation does not exist: `field` names it. Ask the admin. Do not repeat. */
  | 'not-found'
  /** The vendor understood the request and refused it. Report it. Do not repeat. */
  | 'rejected'
  /** Too many requests: repeat after `retryAfterMs`, with the session of this error. */
  | 'rate-limited'
  /**
   * The vendor cannot be reached or is broken, and the last request changed nothing. Repeat later, with the session of this
   * error.
   */
  | 'unavailable'
  /**
   * A request that changes something was sent, and its result is unknown. Repeat with the session of this error, or with
   * `retry: true`: the connector then looks before it acts.
   */
  | 'outcome-unknown'
  /** A ticket needs an e-mail address or a phone number, and none is known. Ask the end user, then repeat with it. */
  | 'needs-email'
  /** The webhook is not from the vendor. Drop it, answer 401, and raise an alarm when it happens often. */
  | 'invalid-signature'
  /**
   * The vendor sent something unreadable: `log` says where. Report it. Do not repeat. For a webhook answer 503, so that the
   * vendor sends it again.
   */
  | 'malformed'
  /** This version cannot do that; see `Descriptor.capabilities`. Do not repeat. */
  | 'unsupported'
  /** A bug in the connector. Report it. Do not repeat. */
  | 'internal';

/** Why a call failed. Branch on `kind` alone. */
export interface CallError {
  /** What the caller should do. */
  kind: ErrorKind;
  /**
   * The setting or argument at fault, as a dotted path in snake case, for example `settings.api_key` or
   * `request.history[3].sent_at`.
   */
  field?: string;
  /** What went wrong, for the platform's admins. */
  message: string;
  /** What to do about it, as a sentence. */
  remedy?: string;
  /** Kind, field, message and remedy in one line, ready to print or to log. */
  line: string;
  /**
   * How long to wait at least before the next try, in milliseconds. Always set for `rate-limited` and `outcome-unknown`; for
   * `unavailable` when the vendor says it.
   */
  retryAfterMs?: number;
  /** More for the operator's log: endpoint, status, the vendor's symbolic code and trace id. No text of people, no secret. */
  log?: string;
  /** The work done so far: store it and pass it to the next try. None when nothing was done. */
  session?: Session;
}

/** An update with its session, which every function answers that was given one. */
export type Moved = Update & Required<Pick<Update, 'session' | 'info'>>;

/**
 * The contract between an AI-agent platform and a connector: a WebAssembly component that hands a conversation over to
 * human agents in a help desk, and brings it back.
 *
 * The contract names no vendor. A platform that loads one connector loads the next with the same bindings. Vendors differ
 * in their settings (see `describe`) and in the words of the connector's manual: checks, codes, steps, decisions, details.
 *
 * # How a host uses a connector
 *
 * 1. Once per tenant: `describe` for the settings form and the hosts to allow, then `connect`. Keep the settings that
 *    `connect` returns.
 * 2. When the AI agent is stuck: `handoff`. Store the returned session under the platform's own conversation key, and
 *    index it by `SessionInfo.conversationIds`.
 * 3. For each message of the end user while `SessionInfo.owner` is `human-agent`: `relay`. While the state is `ticketed`
 *    you may relay too: the message goes under the ticket, and the AI agent still answers.
 * 4. For each webhook request: `peek` to find the session, then `onWebhook`. Act on the events, store the session, and
 *    only then acknowledge the request: the vendor's retry is the queue.
 * 5. When the end user leaves or the platform ends the conversation: `close`.
 * 6. When `SessionInfo.nextTickAt` has passed: `tick`.
 * 7. When a message of a human agent could not be shown to the end user: `undelivered`.
 * 8. When the end user has rated the human part: `rate`.
 *
 * # Rules for every function
 *
 * - A connector keeps nothing between calls: use a fresh instance for each. What must survive is in the session, which
 *   the host stores.
 * - Calls for one conversation must not overlap: the second would work on an old session. Calls for different
 *   conversations may run at the same time.
 * - A failed call may have done part of its work. When the error carries a session, store it and pass it to the next try,
 *   which resumes there. Wait `retryAfterMs` first: what was sent may still arrive.
 * - No function traps on bad input. A trap is a limit of the host (time, memory) or a bug. The call may have done part of
 *   its work: wait some seconds (what was sent may still arrive), then pass `retry: true` and the last stored session.
 * - The connector repeats a request at once only when it certainly changed nothing, within the time that the settings
 *   allow. When a repeat needs a wait, it returns an error that says how long. The host may end a call at any moment:
 *   nothing is lost.
 * - Errors, findings, steps, decisions and logs contain no text that people wrote and no secret.
 * - The connector reads no clock. Functions that need the time take it; see `timestamp` for the range.
 * - Limits are stated with each type and function. Above a limit the call fails with `invalid-request` or
 *   `invalid-settings`, and `field` names the value.
 * - The only import is `wasi:http/outgoing-handler` with the types that it needs.
 *
 * # Versions
 *
 * The version is part of the exported interface's name. A host picks its bindings by that name and can keep several
 * versions side by side; it refuses other versions when it loads the component. Records and enums never change within a
 * version: a new field or case is a new version. Settings, capabilities and the words of the manual may grow at any time.
 */
export interface Contract {
  /**
   * Returns the connector's identity and what it needs. Makes no request.
   *
   * Call it when the plugin is installed (without settings) and before an account is connected (with settings, to learn
   * the exact hosts). May be repeated at will.
   *
   * Limits: settings 256 KiB. Errors: `invalid-settings`.
   */
  describe(settings?: Settings | Readonly<Record<string, unknown>>): Promise<Descriptor>;

  /**
   * Checks the settings against the account and finds the vendor's ids of the names in them. Creates nothing.
   *
   * Call it when the admin presses Connect, after settings change, and as a health check. May be repeated at will.
   * Problems of the account are findings, not errors.
   *
   * Limits: settings 256 KiB. Errors: `invalid-settings` when the settings are not a JSON object of the right shape.
   */
  connect(settings: Settings | Readonly<Record<string, unknown>>): Promise<Connection>;

  /**
   * Shows what `handoff` would do with the same arguments. Creates nothing; may read. May be repeated at will.
   *
   * The plan is that of a first try: it does not look for what an earlier try left behind. A ticket's missing e-mail address
   * is a finding here.
   *
   * Limits: settings 256 KiB; request 10,000 messages and 2 MiB of text.
   *
   * Errors: `invalid-settings`, `invalid-request`, `unauthorized`, `not-found`, `rate-limited`, `unavailable`, `malformed`.
   */
  preview(settings: Settings | Readonly<Record<string, unknown>>, request: HandoffRequest, now?: Timestamp): Promise<Plan>;

  /**
   * Hands the conversation over: finds or creates the user, opens the conversation, passes summary and history on.
   *
   * Call it once when the AI agent is stuck. May be repeated after an error, with the session of the error, or with
   * `retry: true` when that session is lost: the connector then adopts what exists instead of creating it again. With the
   * session of a conversation that is already handed over it returns the receipt and does nothing. Tell the end user only
   * after it succeeded.
   *
   * With the mode `ticket`, or when `automatic` chooses it, the connector files a ticket (capability `tickets`); answers to
   * it come as `ticket-replied` from `tick`. A live conversation that an earlier try opened, or may have opened, is adopted
   * and not doubled by a ticket: the receipt says which it is. An end user with a ticket may ask for a person again: hand off
   * with the mode `live`.
   *
   * Limits: settings 256 KiB; request 10,000 messages and 2 MiB of text; session 88 KiB.
   *
   * Errors: `invalid-settings`, `invalid-request`, `unauthorized`, `not-found`, `rejected`, `rate-limited`, `unavailable`,
   * `outcome-unknown`, `needs-email`, `malformed`, `internal`.
   */
  handoff(settings: Settings | Readonly<Record<string, unknown>>, request: HandoffRequest, session?: Session, now?: Timestamp): Promise<Receipt>;

  /**
   * Passes a message of the end user to the human agents.
   *
   * Files whose hosts the settings name are fetched without any credential and uploaded, each as a message of its own; all
   * others go as links. A failed upload becomes a link, with a finding. A file without an address is a finding, too.
   * For a session with a ticket the message becomes a note under it; when the ticket is gone, nothing is written, and the
   * update holds `returned-to-ai`.
   *
   * A conversation that was deleted, or superseded by a newer one, continues in a new one. Where that is impossible because
   * the user's record or the queue is gone too, the error is `not-found`: call `tick`, which hands back, then hand off again.
   *
   * Call it once for each message while the owner is `human-agent`, in order. May be repeated with the session of the
   * error. A message whose id was relayed is not sent again; one that failed may be repeated after others went ahead of it,
   * in any order. Set `retry` when an earlier try of this message ended without a stored session (a trap, a time limit or a
   * crash of the host), however many other calls have succeeded since: the connector then looks for the message before it
   * sends. A retry whose message arrived before the conversation ended succeeds; the update may hold `reopened` when the
   * message opened a conversation that goes on.
   *
   * Limits: settings 256 KiB; session 88 KiB; message 2 MiB of text.
   *
   * Errors: those of `handoff`; `invalid-request` when the conversation is not with human agents.
   */
  relay(settings: Settings | Readonly<Record<string, unknown>>, session: Session, message: Message, retry?: boolean, now?: Timestamp): Promise<Moved>;

  /**
   * Ends the human part from the platform's side: tells the human agents why, and resolves the conversation.
   *
   * Call it once. May be repeated: closing a closed conversation does nothing. `retry` is as in `relay`, and true when any
   * earlier close of this conversation ended without a stored session. The update holds `returned-to-ai`. What the vendor
   * refuses (conversation gone, key revoked, account suspended) is skipped with a finding. What may work later is an error,
   * for at most an hour: after that `close` and `tick` end the conversation without it.
   *
   * Limits: settings 256 KiB; session 88 KiB.
   *
   * Errors: those of `handoff`.
   */
  close(settings: Settings | Readonly<Record<string, unknown>>, session: Session, reason: CloseReason, retry?: boolean, now?: Timestamp): Promise<Moved>;

  /**
   * Tells the human agents that a message of theirs could not be shown to the end user: by a private note if the settings name
   * an author of notes, otherwise by a message in the end user's name. It quotes the first words of the message.
   *
   * Call it when the platform has given a message up. May be repeated: each message gets one note. A note that could only be
   * written in the end user's name and would reopen a conversation that the platform has ended is skipped, with a finding.
   * So is one about a deleted conversation, which the next `tick`, due at once, hands back. `retry` is as in `relay`.
   * `messageId` is the `id` of the message in the event; 1 to 255 bytes.
   *
   * Limits: settings 256 KiB; session 88 KiB.
   *
   * Errors: `invalid-settings`, `invalid-request`, `unauthorized`, `not-found`, `rejected`, `rate-limited`, `unavailable`,
   * `outcome-unknown`, `malformed`.
   */
  undelivered(settings: Settings | Readonly<Record<string, unknown>>, session: Session, messageId: string, retry?: boolean, now?: Timestamp): Promise<Moved>;

  /**
   * Passes on how the end user rates the human part (capability `ratings`). The comment is masked as messages are.
   *
   * Call it after the end, when the state is `returned`. May be repeated: a rating whose id was sent is not sent again. The
   * vendor's ratings cannot be read, so one with an unknown outcome is never sent a second time: the repeat, with the session
   * of the error or with `retry`, succeeds with a finding that says so. `retry` is as in `relay`.
   *
   * Before the end, and for a ticket, the error is `invalid-request`; for a conversation that is gone, `not-found`; where the
   * vendor takes no rating (one was given already, ratings are switched off), `rejected`.
   *
   * Limits: settings 256 KiB; session 88 KiB; comment 5,000 characters.
   *
   * Errors: `invalid-settings`, `invalid-request`, `unauthorized`, `not-found`, `rejected`, `rate-limited`, `unavailable`,
   * `outcome-unknown`.
   */
  rate(settings: Settings | Readonly<Record<string, unknown>>, session: Session, rating: Rating, retry?: boolean): Promise<Moved>;

  /**
   * Returns the conversation ids in a webhook body, to find its session by. Empty when there are none.
   *
   * Proves nothing: it verifies nothing. Act only on the events of `onWebhook`. Makes no request; may be repeated at will.
   * `body` is as in `delivery`.
   *
   * Limits: body 256 KiB; a larger one has no ids.
   */
  peek(body: string | Uint8Array): Promise<string[]>;

  /**
   * Verifies a webhook request and turns it into events.
   *
   * Call it for each request to the webhook URL. The connector checks the signature on the raw bytes before it reads anything;
   * no setting skips that. Without a session the events are complete, but duplicates and foreign conversations of the same
   * queue are not recognised, and the end comes as `resolved` without `returned-to-ai`. May be repeated: the same delivery
   * gives the same event ids. May read from the vendor: the human agent's name and photo, and whether a message is a private
   * note when the webhook does not say. If that cannot be learned the error is `unavailable`: let the vendor send the webhook
   * again.
   *
   * Limits: settings 256 KiB; body 256 KiB; session 88 KiB.
   *
   * Errors: `invalid-settings` (no public key), `invalid-request` (session, body, time), `invalid-signature`, `malformed`,
   * `unavailable`, `internal`.
   */
  onWebhook(settings: Settings | Readonly<Record<string, unknown>>, delivery: Delivery, session?: Session): Promise<Update>;

  /**
   * Does what time makes necessary: repair after lost webhooks, time-outs, and the rest of an interrupted `close`.
   *
   * Call it when `SessionInfo.nextTickAt` has passed, and at will: after an outage of the webhook endpoint, for example, or
   * before handing over again a conversation that has come back, because only the newest conversation is read.
   *
   * While human agents have the conversation, and afterwards for as long as the settings let it be reopened, it reads the
   * conversation and its 50 newest messages (two requests) and reports what no webhook reported, under the ids that the
   * webhooks would have given. Then it ends, as `close` does, what has waited longer than the settings allow. It compares
   * times with the `now` and `receivedAt` of earlier calls: use one clock. May be repeated: what was reported and stored is
   * not reported again. Of a ticket it reads the ticket and the entries under it (two requests or more): no webhook reports
   * them. A ticket has ended when it is deleted or marked as spam, when the desk has refused us for a day, or when it could
   * not be reached for a week: `returned-to-ai` with the outcome `failed`, and a finding.
   *
   * The same holds for a live conversation that is gone, or that could not be read for a day or a week. A time-out that is due
   * comes even if the conversation cannot be read; what could not be written is a finding.
   *
   * A rule of the ticket desk that sends a webhook to the host when a ticket changes makes answers arrive at once. Such a webhook
   * is not signed: find the ticket's session by `SessionInfo.ticketId`, call `tick`, and believe nothing else in it.
   *
   * Limits: settings 256 KiB; session 88 KiB.
   *
   * Errors: those of `handoff`; `unsupported` without the capability `tick`.
   */
  tick(settings: Settings | Readonly<Record<string, unknown>>, session: Session, now?: Timestamp): Promise<Moved>;

  /**
   * Deletes the vendor's record of one person, with that person's conversations there. It cannot be undone.
   *
   * Call it when the person, or the controller of their data, asks for it. `userId` is `EndUser.id` as it was handed over; 1
   * to 255 characters. End the person's handoffs first, and drop their sessions: the records behind them disappear.
   *
   * Only a record with exactly this id is deleted: the connector compares every record that the vendor's search returns, and
   * leaves others alone, with a finding. A record without the id (its handoff had a finding) is therefore not found. Tickets and
   * contacts of the ticket desk stay; a finding says so when the settings name one. The vendor may delete with a delay.
   *
   * May be repeated at will: what is gone counts as deleted. Repeat it after an error; earlier deletions stand.
   *
   * Limits: settings 256 KiB.
   *
   * Errors: `invalid-settings`, `invalid-request`, `unauthorized`, `not-found`, `rejected`, `rate-limited`, `unavailable`,
   * `outcome-unknown`, `malformed`; `unsupported` without the capability `erase`.
   */
  erase(settings: Settings | Readonly<Record<string, unknown>>, userId: string): Promise<Erasure>;
}

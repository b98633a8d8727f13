// Every text of the console, in one place for translation. What Freshworks, the checks and people say comes from the API.

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

export const t = {
  product: "Freshworks handoff",
  again: "Try again",
  close: "Close",
  cancel: "Cancel",
  copy: "Copy",
  copied: "Copied",
  nav: {
    label: "Steps",
    connection: "Connection",
    create: "New connection …",
    logOut: "Log out",
    pages: { settings: "1 Settings", connect: "2 Connect", try: "3 Try it", watch: "Watch" },
  },
  titles: { settings: "Settings", connect: "Connect", try: "Try it", watch: "Watch" },
  leads: {
    settings: "What the connection needs to know about your Freshworks account. Secrets are stored and never shown again.",
    connect: "What was checked in your account, what was found, and what to do about it.",
    try: "Be the end user: talk to a scripted AI agent, then hand the conversation over. What you write arrives in your real Freshworks account.",
    watch: "Open handoffs, what failed and why, and how long things take.",
  },
  login: {
    title: "Log in",
    token: "API token",
    help: "The app's variable `api_token`. You stay logged in for eight hours on this browser.",
    button: "Log in",
    wrong: "That is not the API token of this app. Ask whoever started it for the variable `api_token`.",
  },
  create: {
    title: "New connection",
    about: "A connection joins one Freshworks account to one AI agent. You can have several.",
    name: "Name",
    help: "Letters, digits, hyphens and underscores. It becomes part of addresses and cannot be changed later.",
    button: "Create",
    exists: "There is a connection of that name already.",
  },
  settings: {
    account: "Your Freshworks account",
    webhook: "Webhook",
    webhookUrl: "Webhook URL",
    webhookHelp: "In Freshworks: Admin settings > Webhooks. Paste this address there, choose all chat events, save, and copy the public key that is shown after saving.",
    noPublicUrl: "The app does not know under which address it is reached, so this is only a path. Set its variable `public_url`.",
    more: "More settings",
    tests: "For tests",
    platform: "Your AI agent's platform",
    kind: "Platform",
    kinds: {
      polling: "It fetches events itself (or none yet)",
      generic: "Any platform with a callback",
      delight: "Delight AI agent (formerly Sendbird)",
    },
    fields: {
      callback_url: "Callback URL", secret: "Signing secret", app_id: "Application ID", ai_agent_id: "AI agent ID",
      api_token: "API token", signature_secret: "Webhook signing key", test_origin: "Test origin", forward_url: "Forward URL",
    },
    platformWebhook: "Webhook URL for the platform",
    chatWebhook: "Chat webhook URL for the platform",
    kept: "A value is stored. Leave this blank to keep it.",
    forget: (name) => `Delete the stored value of “${name}”`,
    unset: "not set",
    lines: "One per line.",
    pairs: "One per line, as name = value.",
    needed: "needed",
    save: "Save and Connect",
    checking: "Checking your account …",
    reading: "Looking at the key …",
    recognised: (key) => `Recognised: ${key.detail}, fingerprint ${key.fingerprint}.`,
    faults: (count) => `${plural(count, "field needs", "fields need")} your attention.`,
    number: "Write a whole number.",
    pair: "Write each line as name = value.",
  },
  connect: {
    connected: "Connected",
    notConnected: "Not connected",
    facts: (account, topic, time) =>
      [account && `Account ${account}`, topic && `topic “${topic}”`, `checked ${time}`].filter(Boolean).join(", "),
    checks: "Checks",
    levels: { ok: "OK", warning: "Warning", failure: "Failure" },
    names: {
      "chat-url": "Chat URL", account: "Account and API key", topic: "Topic", "webhook-key": "Webhook public key", group: "Group",
      agent: "Human agent", "note-author": "Author of private notes", context: "Context values", "ticket-desk": "Ticket desk",
      "ticket-group": "Group of the ticket desk", settings: "Settings", "platform-webhook": "Webhook of the platform",
    },
    recheck: "Check again",
    rechecking: "Checking …",
    checked: (failures, warnings) =>
      failures ? `${plural(failures, "check has", "checks have")} failed.` : warnings ? `Connected, with ${plural(warnings, "warning", "warnings")}.` : "Connected.",
    disconnect: "Disconnect",
    disconnectTitle: (name) => `Disconnect “${name}”?`,
    disconnectAbout: "Settings and everything about handoffs of this connection are deleted here. Conversations that are open in Freshworks stay open there, and end users in them get no more answers.",
    webhook: "Webhook check",
    webhookStates: {
      waiting: "Waiting for the first webhook",
      verified: "Webhooks arrive and are genuine",
      refused: "A webhook was refused",
    },
    waiting: "Write a message in any conversation of your account, or do step 3. This changes by itself as soon as Freshworks has called.",
    verified: (time) => `The last one came ${time}.`,
    refused: (time) => `The last one came ${time}.`,
    next: "Go on to step 3: Try it",
    fix: "Back to the settings",
  },
  trial: {
    chat: "Chat",
    timeline: "Timeline",
    empty: "Nothing has happened yet. The timeline shows states, events, choices and requests; no message is stored in it.",
    message: "Your message",
    send: "Send",
    handOff: "Hand off …",
    end: "End the human part",
    anew: "Start over",
    you: "You",
    assistant: "AI agent (scripted)",
    human: "Human agent",
    notConnected: "The connection is not connected: finish step 2 first.",
    previewTitle: "What would be handed over",
    previewAbout: "Nothing has been sent yet. Handing over opens a real conversation in your Freshworks account.",
    previewMode: (mode) => (mode === "ticket" ? "A ticket would be filed." : "A live conversation would be opened."),
    steps: "Steps",
    decisions: "Choices",
    findings: "Left out or done differently",
    reads: "What human agents would read",
    confirm: "Hand over now",
    handingOver: "Handing over …",
    handedOver: "The conversation is with human agents now.",
    ticketed: "A ticket was filed: a live conversation was not possible.",
    open: "Open it in Freshworks",
    joined: (name) => `${name || "A human agent"} has taken the conversation.`,
    transferred: (name) => (name ? `The conversation went to ${name}.` : "The conversation went to another team."),
    resolved: "The human agent has resolved the conversation.",
    reopened: "A human agent has reopened the conversation.",
    ticketReplied: "The ticket was answered.",
    returned: {
      resolved: "The AI agent is back: the human agents have solved it.",
      abandoned: "The AI agent is back: you have left the human agents.",
      "nobody-available": "The AI agent is back: no human agent was available.",
      "timed-out": "The AI agent is back: it took too long.",
      failed: "The AI agent is back: the handoff failed.",
      ticketed: "The AI agent is back: a ticket was filed.",
    },
    back: "I am back. Is there anything else?",
    knows: "I was told what you have agreed on.",
    unsent: "Not sent.",
    resend: "Send again",
    states: {
      ai: "The AI agent answers", waiting: "Waiting for a human agent", human: (name) => `${name || "A human agent"} answers`,
      gone: "This conversation is not known any more. Start over.",
    },
    seconds: (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`),
    summary: (calls, ms) => `${plural(calls, "request", "requests")}, ${ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`} in all`,
    call: (entry) => `${entry.method} ${entry.path}`,
    noAnswer: "no answer",
    state: (entry) => `State ${entry.state}, owner ${entry.owner === "human-agent" ? "human agents" : "AI agent"}`,
    event: (entry) => `Told: ${entry.event}${entry.outcome ? ` (${entry.outcome})` : ""}`,
    decision: ({ subject, rule, choice }) => {
      // Ids say nothing to people.
      const says = choice && choice !== rule && !/^[0-9a-f-]{16,}$/.test(choice);
      return says ? `Chose ${subject}: ${choice} (${rule})` : `Chose ${subject}: ${rule}`;
    },
    relayed: "A message went to the human agents",
    failure: (entry) => `Failed: ${entry.problem}. ${entry.detail}`,
  },
  script: {
    hello: "Hello! I am a scripted AI agent, here to be handed over. Ask me about a parcel, or press “Hand off …” whenever you want a person.",
    parcel: "Your parcel 4711 was last seen in Lisbon four days ago. I do not know more. Shall I get a person?",
    person: "Of course. Press “Hand off …”, and see first what would be sent.",
    thanks: "You are welcome.",
    unknown: "I do not know that. A person may: press “Hand off …”.",
    words: { parcel: ["parcel", "package", "order", "delivery", "where"], person: ["human", "person", "agent", "help", "yes"], thanks: ["thank"] },
    summary: "A test from the console: the end user talks to a scripted AI agent and asks for a person.",
    user: "Test person (console)",
  },
  watch: {
    open: "Open handoffs",
    noneOpen: "No handoff is open.",
    columns: { handoff: "Handoff", state: "State", owner: "Owner", age: "Age", changed: "Last change", actions: "Actions" },
    owners: { "human-agent": "human agents", "ai-agent": "AI agent" },
    timeline: "Timeline",
    look: "Look now",
    looked: "Looked after it.",
    lastFailure: (text) => `Last failure: ${text}`,
    troubles: "What failed",
    noTroubles: "Nothing has failed.",
    trouble: { what: "What", why: "Why and what to do", count: "How often", last: "Last time" },
    kinds: {
      "freshworks refused": "Webhook of Freshworks refused", "freshworks failed": "Webhook of Freshworks failed",
      "freshworks unreadable": "Webhook of Freshworks unreadable", "platform refused": "Webhook of the platform refused",
      "platform failed": "Webhook of the platform failed", "handoff failed": "Handoff failed",
      "platform foreign": "Webhook of the platform about somebody else",
    },
    whys: {
      "": "It could not be read. Freshworks was asked to send it again; if that does not help, report it.",
      "no-key": "The settings hold no public key. Paste it in step 1.",
      "no-signature": "It had no signature. See whether it was Freshworks that called, and whether something on the way drops headers.",
      "wrong-signature": "Its signature does not fit the public key. Copy the key again after saving the webhook in Freshworks.",
      "another-application": "It was about another application. If that is wrong, correct the application id in step 1.",
      "another-ai-agent": "It was about another AI agent of the application. If that is wrong, correct the AI agent's id in step 1.",
      busy: "Another request worked on the same conversation. It comes again by itself.",
      unavailable: "Freshworks, the platform or the store could not be reached. It comes again by itself.",
      "rate-limited": "Freshworks asked to send fewer requests. It comes again by itself.",
      "outcome-unknown": "Whether it worked is not known. The next try looks first.",
      unauthorized: "Freshworks refused the API key. Replace it in step 1.",
      "not-found": "Something of the settings no longer exists in Freshworks. Check again in step 2.",
      rejected: "Freshworks refused the request. Report it with the app's log.",
      unknown: "It was about a handoff that is not known any more.",
      unsupported: "This version cannot do it.",
      internal: "A fault of the app. Report it with the app's log.",
      malformed: "Freshworks answered something unreadable. Report it.",
      "needs-email": "A ticket needs an e-mail address, and none was known.",
      "invalid-request": "The request held what cannot be carried.",
      "invalid-settings": "The settings have a fault. Check again in step 2.",
    },
    // Whoever asked for a handoff by the API has to ask again; those that webhooks asked for come again by themselves.
    handoffWhys: {
      unavailable: "Freshworks or the platform could not be reached. Asked for by a webhook, it is tried again; by the API, ask again.",
      "rate-limited": "Freshworks asked to send fewer requests. Asked for by a webhook, it is tried again; by the API, ask again.",
      "outcome-unknown": "Whether it came about is not known. The next try looks first.",
    },
    numbers: "Numbers",
    numberNames: {
      live: "Handoffs, live", ticket: "Handoffs, ticket", "to-human": "Messages to human agents", "to-user": "Messages to end users",
      resolved: "Ended: resolved", abandoned: "Ended: abandoned", "nobody-available": "Ended: nobody available",
      "timed-out": "Ended: timed out", failed: "Ended: failed", ticketed: "Ended: ticketed", freshworks: "Webhooks of Freshworks taken",
      platform: "Webhooks of the platform taken", "2xx": "Requests answered 2xx", "3xx": "Requests answered 3xx",
      "4xx": "Requests answered 4xx", 429: "Requests answered 429", "5xx": "Requests answered 5xx", none: "Requests without an answer",
    },
    number: "Number",
    count: "Count",
    noNumbers: "Nothing has been counted yet.",
    times: "Times",
    time: { what: "What", count: "Count", p50: "50 % within", p95: "95 % within", p99: "99 % within" },
    timeNames: { handoff_ms: "Handoff", delivery_ms: "Webhook of Freshworks" },
    beyond: "over 10 s",
    metrics: "Metrics for a monitoring system (OpenMetrics)",
  },
};

/** A time of day. */
export function clock(ms) {
  return new Date(ms).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** A time of day today, otherwise with its date. */
export function moment(ms) {
  const at = new Date(ms);
  return at.toDateString() === new Date().toDateString() ? `at ${clock(ms)}` : `on ${at.toLocaleDateString()} at ${clock(ms)}`;
}

/** How long ago. */
export function ago(ms) {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return plural(Math.floor(seconds / 86400), "day", "days");
}

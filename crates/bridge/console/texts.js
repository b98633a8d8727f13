// Every text of the console, in one place for translation. Texts of Freshworks, checks and people come from the API.

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

export const t = {
  product: "Freshworks handoff",
  again: "Try again",
  close: "Close",
  cancel: "Cancel",
  copy: "Copy",
  copied: "Copied",
  storage: {
    plaintext: "Secrets are stored as plaintext: anyone who can read the store can read them. To encrypt them, set the app's variable encryption_key.",
    none: "The app has no key to encrypt secrets, so nothing can be saved. Set its variable encryption_key to the output of: openssl rand -base64 32",
  },
  access: {
    title: "Access", lead: "Who may call the app, and who has changed what.",
    tokens: "Tokens", none: "None yet, except the app's own (its variable api_token).",
    columns: ["Name", "May do", "Ends", "Revoke"], revoke: "Revoke", revoked: (name) => `${name} is revoked.`,
    new: "New token", name: "Name", nameHelp: "Letters, digits, hyphens and underscores. It appears in the log below.",
    mayDo: "May do", ends: "Ends", never: "Never", days: (days) => `In ${days} days`, create: "Create",
    once: "Copy it now: it is not shown again.",
    scope: (scope) => ({ admin: "Everything", metrics: "Read the metrics", tick: "Call the timer" })[scope] || `Use and change the connection ${scope.slice("connection:".length)}`,
    log: "Changes", noLog: "None yet.", logColumns: ["When", "Who", "What", "Details"],
    whats: {
      "connection-saved": "Connection saved", "connection-restored": "Earlier settings restored", "connection-removed": "Connection removed", "webhook-secret-changed": "Webhook addresses changed",
      "token-created": "Token created", "token-revoked": "Token revoked", "secrets-rotated": "Secrets re-encrypted", "logged-in": "Logged in",
      "logged-out": "Logged out", "address-refused": "Address refused after wrong tokens",
    },
  },
  nav: {
    access: "Access",
    label: "Steps",
    overview: "Connections",
    connection: "Connection",
    create: "New connection …",
    setUp: "Set up",
    logOut: "Log out",
    pages: { settings: "1 Set up", connect: "2 Connect", try: "3 Try it", watch: "Watch" },
  },
  titles: { settings: "Set up Freshworks", connect: "Connect", try: "Try it", watch: "Watch", overview: "Connections" },
  leads: {
    settings: "Four steps, then Connect. Secrets are stored and never shown again.",
    connect: "What was checked in your account, the results, and what to do about them.",
    try: "Be the end user: talk to a scripted AI agent, then press Handoff. What you write arrives in your real Freshworks account.",
    watch: "Open handoffs, what failed and why, and how long things take.",
    overview: "Each joins one Freshworks account to one AI agent.",
  },
  overview: {
    account: "Account", lastWebhook: "Last webhook", noWebhook: "None yet", open: "Open handoffs", trouble: "Trouble in 24 h", none: "None",
  },
  leave: {
    title: "Leave without saving?", about: "What you have entered on this page is not saved yet.", stay: "Stay on this page", leave: "Leave without saving",
  },
  login: {
    title: "Log in",
    token: "API token",
    help: "The app's variable api_token. You stay logged in for eight hours on this browser.",
    button: "Log in",
    wrong: "That is not the API token of this app. Ask its operator for the variable api_token.",
  },
  create: {
    title: "New connection",
    about: "A connection joins one Freshworks account to one AI agent. You can have several.",
    name: "Name",
    help: "Letters, digits, hyphens and underscores. It becomes part of addresses and cannot be changed later.",
    button: "Create",
    shape: "Use letters, digits, hyphens and underscores only, 64 at most: no blanks.",
    missing: "Enter a name.",
    exists: "A connection with this name already exists.",
  },
  settings: {
    steps: {
      api: {
        title: "API details",
        about: "In Freshworks, press Generate token, and copy the token together with the Chat URL beside it.",
        path: ["Admin Settings", "Marketplace and Integrations", "API", "API Settings", "API details for chat"],
        older: "Older accounts: Admin Settings › APIs for chat. An account has one token: a new one replaces the old one.",
      },
      topic: {
        title: "Topic",
        about: "Handoffs arrive in one topic. Create it, switch it on, and choose it here.",
        path: ["Admin Settings", "Configuration and Workflows", "Web Chat Topics", "New topic"],
        older: "Older accounts: Admin Settings › Topics.",
      },
      webhooks: {
        title: "Webhooks",
        about: "Copy the Webhook URL, paste it in Freshworks, choose all events and save. Then copy the public key that the page shows under Authentication.",
        path: ["Admin Settings", "Marketplace and Integrations", "API", "Conversation Webhooks"],
        older: "Older accounts: Admin Settings › Webhooks. Where the page has Failure Notifications, enter your e-mail address.",
      },
      platform: { title: "AI agent", about: "The platform that hands over, and how human agents' answers get back." },
    },
    sketch: "Sketch of the page; yours may look different",
    drawings: {
      api: {
        title: "API Settings", alt: "Copy your chat URL, and the API Key below it.",
        rows: [["Your chat URL", "acme.freshchat.com", "copy"], ["API Key", "eyJraWQiOiJjdXN0b20…", "copy"]],
      },
      topic: {
        title: "Web Chat Topics", alt: "A topic has a name and a switch.",
        rows: [["Topic name", "Sendbird Integration", "write"], ["Visible in the messenger", "On", "on"]],
      },
      webhooks: {
        title: "Conversation Webhooks", alt: "Paste the Webhook URL; after saving, copy the public key below, under Authentication.",
        rows: [["Webhook URL", "https://…/webhooks/…", "1 paste"], ["Authentication", "-----BEGIN PUBLIC KEY…", "2 copy"]],
      },
      delight: {
        title: "Transfer to human agent", alt: "Choose Freshworks as the system for human agents.",
        rows: [["Human agents work in", "Freshworks", "choose"]],
      },
    },
    done: "(done)", toDo: "(to do)",
    asking: "Asking your account …",
    answers: (topics, groups, agents) => `Your account answers: ${[
      plural(topics, "topic", "topics"), groups !== undefined && plural(groups, "group", "groups"), agents !== undefined && plural(agents, "human agent", "human agents"),
    ].filter(Boolean).join(", ")}.`,
    topicFound: (name) => `“${name}” is in your account.`,
    topicMissing: "It is missing from your account or switched off: create it, or choose another.",
    firstOf: (names) => (names.length > 1 ? `${names.join(" or ")}, whichever exists` : names[0]),
    nobody: "None",
    choice: (label, name, isUsable) => `${label ? `${label} (${name})` : name}${isUsable ? "" : " (switched off)"}`,
    notThere: (name) => `${name} (not in your account)`,
    typed: "Type a name …",
    typedLabel: (title) => `${title}, typed`,
    missing: (title) => `${title} is needed.`,
    webhookUrl: "Webhook URL",
    ticketRule: "Immediate ticket answers",
    ticketRuleHelp: "Without this rule, answers to tickets arrive within the hour. In the ticket desk: Admin › Automations › Ticket updates › New rule. When an agent replies, adds a note, changes the status or deletes the ticket: trigger webhook, POST, with this URL, custom header and content (JSON, advanced).",
    ticketRuleUrl: "URL of the rule",
    ticketRuleHeader: "Custom header of the rule",
    ticketRuleContent: "Content of the rule",
    noPublicUrl: "The app does not know its public address, so this is only a path. Set its variable public_url.",
    more: "More settings",
    sections: {
      routing: "Who gets handoffs", reading: "What human agents read", ending: "Waiting and ending", tickets: "Tickets", requests: "Requests",
      other: "Other", tests: "For tests",
    },
    kind: "Platform",
    kinds: {
      polling: "Fetches events itself (or no platform yet)",
      generic: "Any platform with a callback",
      delight: "Delight AI agent (formerly Sendbird)",
    },
    platforms: {
      polling: { about: "The platform calls the API and fetches the answers of human agents. Choose this, too, if you have no platform yet." },
      generic: { about: "The platform receives the answers of human agents at its own address, signed." },
      delight: {
        about: "In Delight's dashboard, switch Freshworks on, and choose it as the AI agent's handoff destination:",
        path: [["Workspace settings", "Integration", "Freshworks"], ["Build", "Conversation settings", "Transfer to human agent", "Freshworks"]],
      },
    },
    // The order is that of the form.
    fields: {
      api_key: "API Key", topics: "Topic name", webhook_public_key: "Authentication",
      callback_url: "Callback URL", secret: "Signing secret", app_id: "Application ID", ai_agent_id: "AI agent ID", api_token: "API token",
      signature_secret: "Webhook signing key", email_verified: "E-mail addresses are verified", phone_verified: "Phone numbers are verified",
      test_origin: "Test origin", forward_url: "Forward URL",
    },
    abouts: {
      chat_url: "Ends in .freshchat.com. Any form works: acme, acme.freshchat.com, https://acme.freshchat.com/v2.",
      api_key: "The token that Freshworks shows once, beside the Chat URL.",
      topics: "",
      group: "Gets handoffs, unless the handoff names one. None: the topic's own rules assign.",
      agent: "Gets handoffs, unless the handoff names one.",
      note_author: "The history arrives as private notes in this name; use an agent created for this purpose. None: as messages of the user.",
      ticket_group: "Gets tickets.",
      availability: "Costs a request or more at each handoff. If no agent is available, a ticket is filed, provided that there is a ticket desk and the handoff does not demand otherwise.",
      topic_by_locale: "Topics for languages, for example: de = Hilfe. They take precedence over the topic above.",
      webhook_public_key: "The public key that Freshworks shows after saving. Paste it whole; line breaks and labels do not matter.",
      ticket_fields: "Values of ticket fields, for example: type = Question. Use it for mandatory fields of the ticket desk.",
      connect_timeout_ms: "How long to wait for a connection to Freshworks.",
      response_timeout_ms: "How long to wait for a response of Freshworks.",
      retry_budget_ms: "Longest total time for retries of failed requests. Only requests that certainly changed nothing are retried. 0: none.",
      queue_timeout_minutes: "A conversation that no agent takes returns to the AI agent after this time. 0: never.",
      inactivity_timeout_minutes: "A conversation without messages returns to the AI agent after this time. 0: never.",
      reopen_window_minutes: "How long human agents can reopen an ended conversation. 0: never.",
      max_message_chars: "Longer history is split.",
    },
    units: { ms: "ms", minutes: "minutes", chars: "characters" },
    words: { off: "Do not check", hours: "Business hours", agents: "Human agents who are available", low: "Low", medium: "Medium", high: "High", urgent: "Urgent" },
    platformWebhook: "Webhook URL for the platform",
    chatWebhook: "Chat webhook URL for the platform",
    kept: "A value is stored. Leave this blank to keep it.",
    forget: (name) => `Delete the stored value of “${name}”`,
    unset: "Not set",
    lines: "One per line.",
    pairs: "One per line, as name = value.",
    needed: "needed",
    connect: "Connect",
    connectHelp: "Saves, checks your account, and shows the results.",
    checking: "Checking your account …",
    reading: "Checking the key …",
    recognised: (key) => `Recognised: ${key.detail}, fingerprint ${key.fingerprint}.`,
    faults: (count) => `${plural(count, "field needs", "fields need")} your attention.`,
    number: "Enter a whole number.",
    range: (least, most) => `Enter a number from ${least} to ${most}.`,
    pair: "Enter each line as name = value.",
    wouldBreak: "Nothing has been saved yet: these settings would break a working connection.",
    saveAnyway: "Save anyway",
    keepEditing: "Keep editing",
  },
  connect: {
    connected: "Connected",
    notConnected: "Not connected",
    answersMissing: "Answers do not arrive yet",
    tile: "Freshworks",
    unreachable: (time, goesOn) => `Not reachable since ${time.replace(/^(at|on) /, "")}. ${goesOn ? "The connection is unchanged, and" : "It"} is checked again automatically.`,
    restore: (time) => `Restore the settings that worked ${time}`,
    restored: "The earlier settings are restored.",
    facts: (account, topic, time) =>
      [account && `Account ${account}`, topic && `topic “${topic}”`, `checked ${time}`].filter(Boolean).join(", "),
    checks: "Checks",
    levels: { ok: "OK", waiting: "Waiting", warning: "Warning", failure: "Failure" },
    names: {
      "chat-url": "Chat URL", account: "Account and API key", topic: "Topic", "webhook-key": "Authentication", group: "Group",
      agent: "Human agent", "note-author": "Author of private notes", context: "Context values", "ticket-desk": "Ticket desk",
      "ticket-group": "Group of the ticket desk", "ticket-fields": "Fields of tickets", skill: "Property for the skill", settings: "Settings", "platform-webhook": "Webhook of the platform",
      "chat-webhook": "Chat webhook of the platform",
    },
    recheck: "Check again",
    rechecking: "Checking …",
    checked: (failures, warnings) =>
      failures ? `${plural(failures, "check has", "checks have")} failed.` : warnings ? `Connected, with ${plural(warnings, "warning", "warnings")}.` : "Connected.",
    disconnect: "Disconnect",
    change: "Change webhook addresses",
    changeAbout: "Every webhook address gets a new secret. Paste the new addresses from the settings elsewhere before the time is over.",
    overlap: "The old addresses work for", overlaps: [[72, "3 more days"], [720, "30 more days"], [24, "1 more day"], [0, "No time: they have leaked"]],
    disconnectTitle: (name) => `Disconnect “${name}”?`,
    disconnectAbout: "This deletes the settings and all data about handoffs of this connection here. Conversations that are open in Freshworks stay open there, and their end users get no more answers.",
    webhook: "Webhook check",
    webhookStates: {
      waiting: "Waiting for the first webhook",
      verified: "Webhooks arrive and are genuine",
      refused: "A webhook was refused",
    },
    waiting: "Did you paste the Webhook URL of step 1 in Freshworks, and save? Then this changes as soon as Freshworks calls.",
    verified: (time) => `The last one came ${time}.`,
    refused: (time) => `The last one came ${time}.`,
    next: "Continue to step 3: Try it",
    nextAnyway: "Continue to step 3 anyway",
    fix: "Back to the set-up",
  },
  trial: {
    chat: "Chat",
    timeline: "Timeline",
    empty: "Nothing has happened yet. The timeline shows states, events, decisions and requests, but no messages.",
    message: "Your message",
    send: "Send",
    handOff: "Handoff",
    end: "Back to the AI agent",
    anew: "Start over",
    you: "You",
    assistant: "AI agent (scripted)",
    human: "Human agent",
    notConnected: "The connection is not connected: finish step 2 first.",
    previewTitle: "What would be handed over",
    previewAbout: "Nothing has been sent yet. Handing over opens a real conversation in your Freshworks account.",
    previewMode: (mode) => (mode === "ticket" ? "A ticket would be filed." : "A live conversation would be opened."),
    steps: "Steps",
    decisions: "Decisions",
    findings: "Left out or done differently",
    reads: "What human agents would see",
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
    knows: "I know what you agreed on.",
    unsent: "Not sent.",
    resend: "Send again",
    states: {
      ai: "The AI agent answers", waiting: "Waiting for a human agent", human: (name) => `${name || "A human agent"} answers`,
      gone: "This conversation is no longer known. Start over.",
    },
    seconds: (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`),
    summary: (calls, ms) => `${plural(calls, "request", "requests")}, ${ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`} in all`,
    calls: [
      ["GET /v2/accounts/", "Checked the account"], ["GET /v2/users", "Looked for the end user"], ["POST /v2/users", "Created the end user"],
      ["PUT /v2/users", "Completed the end user's record"], ["GET /v2/channels", "Looked for the topic"], ["GET /v2/groups", "Looked for the group"],
      ["GET /v2/agents", "Looked for the human agent"], ["/messages", "Wrote to the human agents"], ["POST /v2/conversations", "Opened the conversation"],
      ["PUT /v2/conversations", "Resolved the conversation"], ["GET /v2/conversations", "Checked the conversation"], ["POST /v2/csat", "Passed the rating on"],
      ["/upload", "Uploaded a file"], ["/metrics", "Looked up the waiting time"], ["/business-hours", "Checked the business hours"],
      ["POST /api/v2/tickets", "Wrote to the ticket desk"], ["/api/v2/tickets", "Checked the ticket"], ["/v3/", "Called the platform"],
    ],
    call: (entry) => {
      const line = `${entry.method} ${entry.path}`;
      if (/^GET .*\/messages$/.test(line)) return "Read the conversation";
      return t.trial.calls.find(([part]) => line.includes(part))?.[1] || "Request";
    },
    noAnswer: "no answer",
    stateNames: {
      requesting: "The handoff has begun", queued: "Waiting for a human agent", active: "A human agent has the conversation", closing: "The conversation is ending",
      returned: "The AI agent answers again", failed: "The handoff has failed; the AI agent answers", ticketed: "A ticket replaces the conversation",
    },
    state: (entry) => t.trial.stateNames[entry.state] || entry.state,
    events: {
      "agent-assigned": (name) => `${name || "A human agent"} took the conversation`, transferred: (name) => (name ? `The conversation went to ${name}` : "The conversation went to another team"),
      "agent-message": () => "A human agent answered", resolved: () => "The human agent resolved the conversation", reopened: () => "A human agent reopened the conversation",
      "ticket-replied": () => "The ticket was answered",
    },
    outcomes: {
      resolved: "solved", abandoned: "the end user left", "nobody-available": "no agent was available", "timed-out": "it took too long", failed: "it failed", ticketed: "a ticket was filed",
    },
    event: (entry, name) => t.trial.events[entry.event]?.(name) || `Back to the AI agent${entry.outcome ? `: ${t.trial.outcomes[entry.outcome] || entry.outcome}` : ""}`,
    subjects: {
      mode: "Kind of handoff", user: "End user", topic: "Topic", group: "Group", agent: "Human agent", priority: "Priority", skill: "Skill", history: "History",
      context: "Context", masking: "Masking", file: "Files",
    },
    rules: {
      requested: "as requested", default: "live", "begun-before": "started before", "outside-hours": "outside business hours", "nobody-available": "no agent is available",
      "live-failed": "a live conversation failed", "by-platform-id": "found by the platform's id", "by-email": "found by e-mail address", "by-phone": "found by phone number",
      created: "new", request: "requested", locale: "by language", settings: "from the settings", fallback: "the requested one does not exist",
      "private-notes": "as private notes", messages: "as messages", uploaded: "uploaded", linked: "as links",
    },
    decision: ({ subject, rule, choice }) => {
      const [what, why] = [t.trial.subjects[subject] || subject, t.trial.rules[rule] || rule];
      // Ids mean nothing to people, and some choices repeat the rule.
      const says = choice && choice !== rule && choice !== why && !/^[0-9a-f-]{16,}$/.test(choice) && !/^\d{6,}$/.test(choice);
      return says ? `${what}: ${choice}, ${why}` : `${what}: ${why}`;
    },
    estimate: ({ average_wait_seconds: wait, waiting }) => `Waiting: ${[
      wait !== null && `average wait in the last hour ${wait < 60 ? `${wait} s` : `${Math.ceil(wait / 60)} min`}`,
      waiting !== null && `${waiting} waiting`,
    ].filter(Boolean).join(", ")}`,
    relayed: "A message went to the human agents",
    failure: (entry) => `Failed: ${entry.detail}`,
  },
  script: {
    hello: "Hello! I am a scripted AI agent, made for trying out handoffs. Ask me about a parcel, or press “Handoff” whenever you want a person.",
    parcel: "Your parcel 4711 was last seen in Lisbon four days ago. That is all I know. Shall I get a person?",
    person: "Of course. Press “Handoff” to see first what would be sent.",
    thanks: "You are welcome.",
    unknown: "I do not know that. A person might: press “Handoff”.",
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
    look: "Check now",
    looked: "Checked.",
    lastFailure: (text) => `Last failure: ${text}`,
    troubles: "What failed",
    noTroubles: "Nothing has failed.",
    trouble: { what: "What", why: "Why and what to do", count: "How often", last: "Last time" },
    kinds: {
      "freshworks refused": "Webhook of Freshworks refused", "freshworks failed": "Webhook of Freshworks failed",
      "freshworks unreadable": "Webhook of Freshworks unreadable", "platform refused": "Webhook of the platform refused",
      "platform failed": "Webhook of the platform failed", "handoff failed": "Handoff failed",
      "platform foreign": "Webhook of the platform for another connection",
    },
    whys: {
      "": "It could not be read. Freshworks was asked to resend it; if that does not help, report it.",
      "no-key": "The settings hold no public key. Paste it in step 1.",
      "stale": "It was genuine but too old: a replay, or a wrong clock.",
      "no-signature": "It had no signature. Check whether Freshworks sent it, and whether a proxy drops headers.",
      "wrong-signature": "Its signature does not match the public key. Copy the key again after saving the webhook in Freshworks.",
      "another-application": "It was about another application. If that is wrong, correct the application id in step 1.",
      "another-ai-agent": "It was about another AI agent of the application. If that is wrong, correct the AI agent's id in step 1.",
      busy: "Another request worked on the same conversation. It is retried automatically.",
      "inbox-full": "Too many are waiting; the other failures say why. It is retried automatically.",
      "given-up": "Nothing had succeeded for too long. The AI agent answers again.",
      unavailable: "Freshworks, the platform or the store could not be reached. It is retried automatically.",
      "rate-limited": "Freshworks limited the rate of requests. It is retried automatically.",
      "outcome-unknown": "Whether it worked is unknown. The next try checks first.",
      unauthorized: "Freshworks refused the API key. Replace it in step 1.",
      "not-found": "Something named in the settings no longer exists in Freshworks. Check again in step 2.",
      rejected: "Freshworks refused the request. Report it with the app's log.",
      unknown: "It was about a handoff that is no longer known.",
      unsupported: "This version cannot do it.",
      internal: "A bug in the app. Report it with the app's log.",
      malformed: "Freshworks sent an unreadable response. Report it.",
      "needs-email": "A ticket needs an e-mail address, and none was known.",
      "invalid-request": "The request was invalid.",
      "invalid-settings": "The settings are invalid. Check again in step 2.",
    },
    // Handoffs requested through the API must be requested again; those requested by webhooks are retried automatically.
    handoffWhys: {
      unavailable: "Freshworks or the platform could not be reached. A handoff requested by a webhook is retried; by the API, request it again.",
      "rate-limited": "Freshworks limited the rate of requests. A handoff requested by a webhook is retried; by the API, request it again.",
      "outcome-unknown": "Whether it succeeded is unknown. The next try checks first.",
    },
    numbers: "Numbers",
    numberNames: {
      live: "Handoffs, live", ticket: "Handoffs, ticket", "to-human": "Messages to human agents", "to-user": "Messages to end users",
      resolved: "Ended: resolved", abandoned: "Ended: abandoned", "nobody-available": "Ended: nobody available",
      "timed-out": "Ended: timed out", failed: "Ended: failed", ticketed: "Ended: ticketed", freshworks: "Webhooks of Freshworks accepted",
      platform: "Webhooks of the platform accepted", "2xx": "Requests answered 2xx", "3xx": "Requests answered 3xx",
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

  // Single deliveries, numbers over time, ended handoffs.
  deliveries: {
    title: "Deliveries",
    none: "No delivery matches. Deliveries are kept for seven days.",
    found: (all, shown) => (all > shown ? `${all} found; the newest ${shown} are shown.` : `${plural(all, "delivery", "deliveries")} found.`),
    period: "Period",
    periods: { day: "Last 24 hours", hour: "Last hour", week: "Last 7 days" },
    result: "Result",
    all: "All",
    results: {
      bad: "Any failure", done: "Delivered", waiting: "Waiting", ignored: "Ignored", failed: "Failed", "given-up": "Given up",
      refused: "Refused", unreadable: "Unreadable",
    },
    by: "Search by",
    bys: { user: "End user id", conversation: "Conversation" },
    id: "Id",
    filter: "Filter",
    columns: { when: "Time", what: "Delivery", result: "Result", took: "Took", why: "Why", handoff: "Handoff", actions: "Actions" },
    ways: { "in freshworks": "Webhook of Freshworks", "in freshdesk": "Webhook of the ticket desk", "in platform": "Webhook of the platform", "out platform": "Events to the platform" },
    kinds: {
      message_create: "message", conversation_assignment: "assignment", conversation_resolution: "resolution", conversation_reopen: "reopening",
      "agent-assigned": "agent assigned", transferred: "transfer", "agent-message": "agent's message", resolved: "resolved", reopened: "reopened",
      "ticket-replied": "ticket reply", "returned-to-ai": "back to the AI agent",
      "handoff-failed": "handoff failed", handoff: "handoff", closed: "conversation closed", rated: "rating", redacted: "redaction", ticket: "ticket",
    },
    whys: { "": "–", "unknown-conversation": "It is about a conversation of another connection." },
    tries: (count) => `${count} tries`,
    causes: "Failures by cause",
    cause: { what: "What", why: "Why and what to do", count: "How often", first: "First", last: "Last" },
    resend: "Resend",
    resendAll: "Resend all failures of this period",
    resent: ({ done, failed, not_kept, left }) => [
      done && `${plural(done, "delivery", "deliveries")} delivered.`, failed && `${failed} failed again.`,
      not_kept && `${plural(not_kept, "delivery is", "deliveries are")} no longer kept: the sender must resend.`, left && `${left} left: press again.`,
    ].filter(Boolean).join(" ") || "There was nothing to resend.",
  },
  trends: {
    title: "Over time",
    period: "Show",
    periods: { hours: "Last 24 hours", days: "Last 30 days" },
    handoffs: "Handoffs",
    wait: "Average wait for a human agent",
    failures: "Failures",
    seconds: (count) => (count < 120 ? `${count} s` : `${Math.round(count / 60)} min`),
    about: (title, most, when) => `${title}: at most ${most}, ${when}`,
    empty: (title) => `${title}: none`,
    table: "Show as a table",
    columns: { when: "Time", handoffs: "Handoffs", wait: "Average wait", failures: "Failures" },
  },
  ended: {
    title: "Ended handoffs and search",
    search: "Conversation or end user id",
    button: "Search",
    newest: "Recently ended",
    none: "No handoff has ended yet.",
    found: (count) => `${plural(count, "handoff", "handoffs")} found`,
    columns: { handoff: "Handoff", conversation: "Conversation", outcome: "Outcome", began: "Began", changed: "Last change" },
    states: { "human-agent": "open", "ai-agent": "with the AI agent" },
    outcomes: {
      resolved: "Resolved", abandoned: "The end user left", "nobody-available": "No agent was available", "timed-out": "Timed out", failed: "Failed",
      ticketed: "Became a ticket",
    },
  },
};

/** A name with its invisible blanks shown: at its ends, and several in a row. */
export function blanks(name) {
  return name.replace(/^ +| +$| {2,}/g, (found) => "␣".repeat(found.length));
}

/** A text of the API for people: names in quotation marks, with their blanks; settings by their titles. */
export function prose(text) {
  return (text || "").replace(/`([^`]*)`/g, (_, name) => `“${t.settings.fields[name] || (/^[a-z]+(_[a-z]+)+$/.test(name) ? name.replaceAll("_", " ") : blanks(name))}”`);
}

/** The same as a sentence. */
export function sentence(text, end = ".") {
  const whole = prose(text);
  return whole.charAt(0).toUpperCase() + whole.slice(1) + (/[.!?]$/.test(whole) ? "" : end);
}

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

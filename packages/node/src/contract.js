// Made from wit/connector.wit by `cargo xtask tables`: do not edit.

/** The interface that the plugin exports. */
export const contract = 'agent-handoff:connector/connector@0.2.0';

/** The record of errors. */
export const error = 'CallError';

/**
 * Records and enums. A shape is the name of one of them or of a basic type, or `[of, shape]`.
 */
export const types = {
  CallError: {"fields":[["kind","ErrorKind"],["field",["option","string"]],["message","string"],["remedy",["option","string"]],["line","string"],["retryAfterMs",["option","u64"]],["log",["option","string"]],["session",["option","string"]]]},
  CloseReason: {"cases":["user-left","user-cancelled","platform-closed","returned-to-ai","timed-out"]},
  Connection: {"fields":[["connected","bool"],["account",["option","string"]],["findings",["list","Finding"]],["settings","settings"]]},
  ConversationKey: {"fields":[["application","string"],["channel","string"],["conversation","string"]]},
  Decision: {"fields":[["subject","string"],["rule","string"],["choice","string"]]},
  Delivery: {"fields":[["headers","pairs"],["body","body"],["receivedAt","now"]]},
  Descriptor: {"fields":[["name","string"],["version","string"],["vendor","string"],["settingsSchema","string"],["capabilities",["list","string"]],["outbound",["list","OutboundHost"]],["webhookHeaders",["list","string"]]]},
  EndUser: {"fields":[["id","string"],["name",["option","string"]],["email",["option","string"]],["emailVerified","bool"],["phone",["option","string"]],["phoneVerified","bool"],["locale",["option","string"]],["avatarUrl",["option","string"]]]},
  Erasure: {"fields":[["steps",["list","Step"]],["findings",["list","Finding"]]]},
  ErrorKind: {"cases":["invalid-settings","invalid-request","unauthorized","not-found","rejected","rate-limited","unavailable","outcome-unknown","needs-email","invalid-signature","malformed","unsupported","internal"]},
  Event: {"fields":[["id","string"],["kind","EventKind"],["at","u64"],["conversationId",["option","string"]],["agent",["option","Sender"]],["message",["option","Message"]],["outcome",["option","Outcome"]],["summary",["option","string"]],["detail",["option","string"]]]},
  EventKind: {"cases":["agent-assigned","transferred","agent-message","resolved","reopened","ticket-replied","returned-to-ai","ignored"]},
  ExternalCase: {"fields":[["caseId","string"],["kind","string"]]},
  Finding: {"fields":[["check","string"],["level","FindingLevel"],["code","string"],["detail","string"],["remedy",["option","string"]]]},
  FindingLevel: {"cases":["ok","warning","failure"]},
  HandoffRequest: {"fields":[["key","ConversationKey"],["user","EndUser"],["mode","Mode"],["reason","Reason"],["reasonText",["option","string"]],["category",["option","string"]],["summary",["option","string"]],["history",["option",["list","Message"]]],["context",["option","pairs"]],["routing",["option","Routing"]],["retry","bool"]]},
  Message: {"fields":[["id","string"],["sender","Sender"],["sentAt","u64"],["parts",["list","Part"]]]},
  Mode: {"cases":["automatic","live","ticket"]},
  OutboundHost: {"fields":[["origin","string"],["purpose","string"],["credential",["option","string"]]]},
  Outcome: {"cases":["resolved","abandoned","nobody-available","timed-out","failed","ticketed"]},
  Owner: {"cases":["ai-agent","human-agent"]},
  Part: {"fields":[["kind","PartKind"],["text",["option","string"]],["url",["option","string"]],["name",["option","string"]],["mediaType",["option","string"]],["bytes",["option","u64"]],["choices",["option",["list","string"]]]]},
  PartKind: {"cases":["text","image","file","video","audio","button","choices","unsupported"]},
  Plan: {"fields":[["mode","Mode"],["steps",["list","Step"]],["findings",["list","Finding"]],["decisions",["list","Decision"]],["texts",["list","string"]],["fields","pairs"]]},
  Priority: {"cases":["low","medium","high","urgent"]},
  Rating: {"fields":[["id","string"],["score","u8"],["comment",["option","string"]]]},
  Reason: {"cases":["user-button","user-asked","flow-step","model-decision","safety","api"]},
  Receipt: {"fields":[["externalCase","ExternalCase"],["agentUrl",["option","string"]],["steps",["list","Step"]],["findings",["list","Finding"]],["decisions",["list","Decision"]],["estimate",["option","WaitEstimate"]],["session","string"],["info","SessionInfo"]]},
  Routing: {"fields":[["topic",["option","string"]],["group",["option","string"]],["agent",["option","string"]],["priority",["option","Priority"]],["skill",["option","string"]]]},
  Sender: {"fields":[["role","SenderRole"],["id",["option","string"]],["name",["option","string"]],["avatarUrl",["option","string"]]]},
  SenderRole: {"cases":["end-user","ai-agent","human-agent","system"]},
  SessionInfo: {"fields":[["state","SessionState"],["owner","Owner"],["conversationIds",["list","string"]],["ticketId",["option","string"]],["nextTickAt",["option","u64"]]]},
  SessionState: {"cases":["requesting","queued","active","closing","returned","failed","ticketed"]},
  Step: {"fields":[["action","string"],["target","string"],["detail","string"]]},
  Update: {"fields":[["events",["list","Event"]],["session",["option","string"]],["info",["option","SessionInfo"]],["findings",["list","Finding"]],["decisions",["list","Decision"]]]},
  WaitEstimate: {"fields":[["averageWaitSeconds",["option","u32"]],["waiting",["option","u32"]]]},
};

export const functions = {
  close: {"params":[["settings","settings"],["session","string"],["reason","CloseReason"],["retry","bool"],["now","now"]],"result":"Update"},
  connect: {"params":[["settings","settings"]],"result":"Connection"},
  describe: {"params":[["settings",["option","settings"]]],"result":"Descriptor"},
  erase: {"params":[["settings","settings"],["userId","string"]],"result":"Erasure"},
  handoff: {"params":[["settings","settings"],["request","HandoffRequest"],["session",["option","string"]],["now","now"]],"result":"Receipt"},
  onWebhook: {"params":[["settings","settings"],["delivery","Delivery"],["session",["option","string"]]],"result":"Update"},
  peek: {"params":[["body","body"]],"result":["list","string"]},
  preview: {"params":[["settings","settings"],["request","HandoffRequest"],["now","now"]],"result":"Plan"},
  rate: {"params":[["settings","settings"],["session","string"],["rating","Rating"],["retry","bool"]],"result":"Update"},
  relay: {"params":[["settings","settings"],["session","string"],["message","Message"],["retry","bool"],["now","now"]],"result":"Update"},
  tick: {"params":[["settings","settings"],["session","string"],["now","now"]],"result":"Update"},
  undelivered: {"params":[["settings","settings"],["session","string"],["messageId","string"],["retry","bool"],["now","now"]],"result":"Update"},
};

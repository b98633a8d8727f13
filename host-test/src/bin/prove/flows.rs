//! The flows: what end user, platform and human agents do, one step after the other.

use freshworks_simulator::{Behaviour, CreateWhileOpen, DuplicateUser, IdForm, MessagePaging, SendToResolved};
use serde_json::{Value, json};

use crate::interleavings::Interleaving;

/// A human agent of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Maya,
    Tom,
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Maya => "Maya Chen",
            Self::Tom => "Tom Okafor",
        }
    }
}

/// What the end user writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// A line unlike all others.
    Line,
    /// The same line each time.
    Yes,
    /// More than one message carries.
    Long,
    /// A file with a caption.
    File,
}

/// What a human agent writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Line,
    Picture,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The platform hands the conversation over, with its session or, when that is lost, without.
    HandOff,
    /// The platform loses its session.
    LoseSession,
    /// The end user writes; it is relayed while human agents answer.
    Write(Words),
    /// The end user leaves: the platform closes.
    Leave,
    /// As `Leave`, but the platform does not repeat a close that failed: its timer has to finish it.
    LeaveOnce,
    Take(Who),
    /// Back to the queue.
    PutBack,
    Say(Who, Answer),
    Note(Who),
    Resolve(Who),
    Reopen(Who),
    /// As `Reopen`, after the reopen window.
    ReopenTooLate(Who),
    /// Webhooks are held back from here.
    Hold,
    /// They come.
    Release,
    /// Another person writes to the same account, and is answered.
    Stranger,
    /// Minutes pass; the platform's timer goes off when it should.
    Wait(u64),
    /// As `Wait`; the settings say that the human part ends in this time.
    WaitForEnd(u64),
}

/// Who the end user is to the account before the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    No,
    ByReference,
    ByEmail,
}

/// What the reference model has to know of the account.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// Messages to a resolved conversation are refused.
    pub(crate) not_latest: bool,
    /// A second conversation supersedes an open one.
    pub(crate) always_new: bool,
    /// Notes are written in a human agent's name.
    pub(crate) agents_notes: bool,
    /// Handoffs go to this human agent.
    pub(crate) goes_to: Option<Who>,
}

/// A flow: an account, a platform's settings, and steps.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) name: String,
    pub(crate) known: Known,
    /// Messages of history, each of about so many letters.
    pub(crate) history: (usize, usize),
    /// Settings besides the usual ones.
    pub(crate) settings: Value,
    pub(crate) behaviour: Behaviour,
    /// Happens before faults do.
    pub(crate) before: Vec<Step>,
    pub(crate) steps: Vec<Step>,
    /// Instead of steps.
    pub(crate) interleaving: Option<Interleaving>,
}

impl Flow {
    pub(crate) fn new(name: &str, before: &[Step], steps: &[Step]) -> Self {
        Self {
            name: name.to_owned(),
            known: Known::No,
            history: (2, 20),
            // Repeats within a call would hide what the platform has to live with; one flow has them.
            settings: json!({ "retry_budget_ms": 0, "max_message_chars": 500 }),
            behaviour: Behaviour::default(),
            before: before.to_vec(),
            steps: steps.to_vec(),
            interleaving: None,
        }
    }

    fn known(mut self, known: Known) -> Self {
        self.known = known;
        self
    }

    /// More than one request carries.
    fn long_history(mut self) -> Self {
        self.history = (43, 400);
        self.without_echoes()
    }

    /// Webhooks about our own messages are left out: they are ever the same, and each takes its time. Other flows have them.
    pub(crate) fn without_echoes(self) -> Self {
        self.account(|it| it.echo_messages = false)
    }

    pub(crate) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings[name] = value.into();
        self
    }

    pub(crate) fn account(mut self, change: impl FnOnce(&mut Behaviour)) -> Self {
        change(&mut self.behaviour);
        self
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            not_latest: self.behaviour.send_to_resolved == SendToResolved::NotLatest,
            always_new: self.behaviour.create_while_open == CreateWhileOpen::AlwaysNew,
            agents_notes: self.settings.get("note_author").is_some(),
            goes_to: self.settings.get("agent").map(|_| Who::Tom),
        }
    }
}

/// The address of the human agent in whose name notes are written.
const AUTHOR: &str = "maya@acme.example";

/// Every flow.
pub(crate) fn flows() -> Vec<Flow> {
    use Answer::{Line as Text, Picture};
    use Step::*;
    use Who::{Maya, Tom};
    use Words::{File, Line, Long, Yes};
    let new = Flow::new;
    let minutes = |flow: Flow, setting: &str, count: u64| flow.set(setting, count);
    let whole = [
        HandOff,
        Write(Line),
        Take(Maya),
        Say(Maya, Text),
        Write(Long),
        Note(Maya),
        Take(Tom),
        Say(Tom, Picture),
        Write(Yes),
        Stranger,
        Resolve(Tom),
        Say(Tom, Text),
        Reopen(Maya),
        Write(File),
        Say(Maya, Text),
        Resolve(Maya),
        HandOff,
        Take(Tom),
        Write(Line),
        Leave,
    ];
    vec![
        new("first-handoff", &[], &[HandOff]),
        new("first-handoff-repeats", &[], &[HandOff]).without_echoes().set("retry_budget_ms", 25_000),
        new("first-handoff-conflict", &[], &[HandOff])
            .without_echoes()
            .account(|it| it.duplicate_user = DuplicateUser::Conflict),
        new("first-handoff-existing", &[], &[HandOff])
            .without_echoes()
            .account(|it| it.duplicate_user = DuplicateUser::ReturnExisting),
        new("first-handoff-other-ids", &[], &[HandOff]).without_echoes().account(|it| {
            it.id_form = IdForm::Mixed;
            it.created_status = 201;
        }),
        new("first-handoff-always-new", &[], &[HandOff])
            .without_echoes()
            .account(|it| it.create_while_open = CreateWhileOpen::AlwaysNew),
        new("first-handoff-routed", &[], &[HandOff])
            .without_echoes()
            .set("group", "Support")
            .set("agent", "tom@acme.example"),
        new("handoff-known", &[], &[HandOff]).without_echoes().known(Known::ByReference),
        new("handoff-known-by-email", &[], &[HandOff]).without_echoes().known(Known::ByEmail),
        new("long-history", &[], &[HandOff]).long_history(),
        new("long-history-notes", &[], &[HandOff]).long_history().set("note_author", AUTHOR),
        new("long-history-pages", &[], &[HandOff])
            .long_history()
            .account(|it| it.message_paging = MessagePaging::Pages),
        new("relay-text", &[HandOff], &[Write(Line)]),
        new("relay-text-repeats", &[HandOff], &[Write(Line)]).without_echoes().set("retry_budget_ms", 25_000),
        new("relay-text-race", &[HandOff], &[Write(Line), Write(Line)]).account(|it| it.echo_before_answer = true),
        new("relay-long-text", &[HandOff], &[Write(Long), Write(Line)]),
        new("relay-equal-texts", &[HandOff], &[Write(Yes), Write(Yes), Write(Yes)]),
        new("relay-file", &[HandOff], &[Write(File), Write(Line)]).without_echoes(),
        new("relay-pages", &[HandOff], &[Write(Long), Write(Yes), Write(Yes)])
            .without_echoes()
            .account(|it| it.message_paging = MessagePaging::Pages),
        new(
            "agent-answers",
            &[HandOff],
            &[Take(Maya), Say(Maya, Text), Note(Maya), Say(Maya, Picture), Say(Maya, Text)],
        ),
        new("agent-answers-untaken", &[HandOff], &[Say(Tom, Text), Note(Tom), Take(Tom), Say(Tom, Text)]),
        new("transfer", &[HandOff, Take(Maya)], &[Say(Maya, Text), Take(Tom), Say(Tom, Text), PutBack, Take(Maya)]),
        new("resolve", &[HandOff, Take(Maya)], &[Say(Maya, Text), Resolve(Maya)]),
        new("resolve-late-answer", &[HandOff, Take(Maya)], &[Resolve(Maya), Say(Maya, Text), Write(Line)]),
        new(
            "reopen",
            &[HandOff, Take(Maya), Say(Maya, Text), Resolve(Maya)],
            &[Reopen(Maya), Write(Line), Say(Maya, Text), Resolve(Maya)],
        ),
        minutes(
            new("reopen-too-late", &[HandOff, Take(Maya), Resolve(Maya)], &[Wait(5), ReopenTooLate(Maya)]),
            "reopen_window_minutes",
            2,
        ),
        new("leave", &[HandOff], &[Leave]),
        new("leave-notes", &[HandOff, Take(Maya)], &[Write(Line), Leave]).set("note_author", AUTHOR),
        new("leave-once", &[HandOff, Take(Maya)], &[LeaveOnce]),
        new("leave-after-resolution", &[HandOff, Take(Maya), Resolve(Maya)], &[Leave]),
        new("leave-before-resolution-is-heard", &[HandOff, Take(Maya)], &[Hold, Resolve(Maya), Leave, Release]),
        new("reopen-after-leave", &[HandOff, Take(Maya), Leave], &[Reopen(Maya), Write(Line), Say(Maya, Text), Leave]),
        new(
            "handoff-again",
            &[HandOff, Take(Maya), Write(Line), Resolve(Maya)],
            &[HandOff, Write(Line), Take(Tom), Say(Tom, Text)],
        ),
        new("handoff-again-after-leave", &[HandOff, Write(Line), Leave], &[HandOff, Write(Line)]),
        new(
            "session-lost",
            &[HandOff, Take(Maya)],
            &[LoseSession, HandOff, Write(Line), Say(Maya, Text), Resolve(Maya)],
        ),
        new("session-lost-later", &[HandOff, Take(Maya), Resolve(Maya), HandOff], &[LoseSession, HandOff, Write(Line)])
            .account(|it| it.create_while_open = CreateWhileOpen::AlwaysNew),
        new(
            "session-lost-after-reopen",
            &[HandOff, Take(Maya), Resolve(Maya), Reopen(Maya)],
            &[LoseSession, HandOff, Say(Maya, Text), Resolve(Maya)],
        ),
        new("superseded", &[HandOff, Take(Maya)], &[Hold, Resolve(Maya), Write(Long), Release, Write(Line)])
            .account(|it| it.send_to_resolved = SendToResolved::NotLatest),
        new("superseded-always-new", &[HandOff, Take(Maya)], &[Hold, Resolve(Maya), Write(Long), Release, Write(Line)])
            .account(|it| {
                it.send_to_resolved = SendToResolved::NotLatest;
                it.create_while_open = CreateWhileOpen::AlwaysNew;
            }),
        new("write-before-resolution-is-heard", &[HandOff, Take(Maya)], &[Hold, Resolve(Maya), Write(Line), Release]),
        new("stranger", &[HandOff], &[Stranger, Say(Maya, Text), Stranger]),
        new("quiet", &[HandOff, Take(Maya), Say(Maya, Text)], &[Wait(5), Say(Maya, Text), Wait(1)]),
        minutes(new("nobody-takes-it", &[HandOff], &[Write(Line), WaitForEnd(3)]), "queue_timeout_minutes", 2),
        minutes(
            new("inactivity", &[HandOff, Take(Maya), Say(Maya, Text)], &[WaitForEnd(4)]),
            "inactivity_timeout_minutes",
            3,
        ),
        new("whole", &[], &whole).set("retry_budget_ms", 25_000),
        new(
            "whole-2022",
            &[],
            &[HandOff, Take(Maya), Say(Maya, Text), Write(Line), Note(Maya), Resolve(Maya), Reopen(Tom), Leave],
        )
        .set("note_author", AUTHOR)
        .account(|it| it.era = freshworks_simulator::Era::Y2022),
    ]
}

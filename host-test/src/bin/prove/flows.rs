//! The flows: what end user, platform and human agents do, one step after the other.

use freshworks_simulator::{
    Behaviour, CreateWhileOpen, DuplicateUser, Gone, IdForm, MessagePaging, SendToResolved, UserSearch,
};
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

/// The end user's message.
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

/// A human agent's message.
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
    /// As `Wait`, while Freshworks may refuse us: a failed tick is retried twelve hours later.
    Suffer(u64),
    /// As `Suffer`, until the conversation counts as lost, which must happen in this time.
    SufferToTheEnd(u64),
    /// The conversation is deleted.
    Erase,
    /// The platform starts a handoff and is interrupted; the incomplete conversation is deleted.
    HandOffErased,
    /// The platform learns of a deletion from its timer, within this many minutes.
    WaitForLoss(u64),
    /// The account returns 403 for this conversation from now on.
    Forbid,
    /// The API key is revoked, or the account is suspended.
    Revoke,
    /// The API key works again.
    Restore,
    /// A human agent answers another person with an earlier conversation.
    AnswerOther,
    /// As `Erase`; then the platform reports its newest answer as undelivered.
    EraseUndelivered,
    /// A ticket is filed instead of a live conversation.
    FileTicket,
    /// An agent answers it.
    AnswerTicket,
    /// The ticket is deleted.
    PutAway(Gone),
    /// The ticket is restored, and the platform's timer notices.
    BringBack,
    /// The key of the ticket desk is revoked.
    RevokeTicketKey,
}

/// Other people whom the account knows before the flow, each with an open conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    Nobody,
    /// A person with the end user's e-mail address.
    SameAddress,
    /// The same, with a record that has a third person's platform id.
    SameAddressOtherId,
    /// People whose id, e-mail address or phone number begins with the end user's.
    Alike,
}

/// Who the end user is to the account before the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    No,
    ByReference,
    ByEmail,
}

/// What the reference model needs to know about the account.
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
    pub(crate) others: Others,
    /// The platform calls the end user's e-mail address verified.
    pub(crate) is_verified: bool,
    /// The account has a ticket desk.
    pub(crate) has_desk: bool,
    /// Messages of history, each of about this many letters.
    pub(crate) history: (usize, usize),
    /// Additional settings.
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
            others: Others::Nobody,
            is_verified: true,
            has_desk: false,
            history: (2, 20),
            // Retries within a call would hide failures from the platform; one flow has them.
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

    fn others(mut self, others: Others) -> Self {
        self.others = others;
        self
    }

    fn unverified(mut self) -> Self {
        self.is_verified = false;
        self
    }

    fn with_desk(mut self) -> Self {
        self.has_desk = true;
        self
    }

    fn searches(self, search: UserSearch) -> Self {
        self.without_echoes().account(|it| it.user_search = search)
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
    [usual(), gone(), searches(), tickets()].concat()
}

/// Longer than a service may refuse us before its conversations count as lost.
const OVER_A_DAY: u64 = 39 * 60;

/// The conversation is deleted, or we lose access to it.
fn gone() -> Vec<Flow> {
    use Answer::Line as Text;
    use Step::*;
    use Who::{Maya, Tom};
    use Words::{File, Line, Long};
    let new = |name: &str, before: &[Step], steps: &[Step]| Flow::new(name, before, steps).without_echoes();
    let suspended = |flow: Flow| flow.account(|it| it.unauthorized_status = 403);
    vec![
        new("gone", &[HandOff, Take(Maya), Say(Maya, Text)], &[Erase, WaitForLoss(1), Wait(1)]),
        new("gone-again", &[HandOff, Take(Maya)], &[Erase, WaitForLoss(1), HandOff, Write(Line), Say(Tom, Text)]),
        new("gone-write", &[HandOff, Take(Maya)], &[Erase, Write(Long), Write(Line), Take(Tom), Say(Tom, Text)]),
        new("gone-write-file", &[HandOff], &[Erase, Write(File), Wait(1), Write(Line), Leave]),
        new("gone-twice", &[HandOff], &[Erase, Write(Line), Erase, Write(Line), Erase, WaitForLoss(1)]),
        new("gone-leave", &[HandOff, Take(Maya)], &[Erase, Leave, Wait(1)]),
        new("gone-leave-notes", &[HandOff, Take(Maya)], &[Erase, LeaveOnce]).set("note_author", AUTHOR),
        new("gone-half-made", &[], &[HandOffErased, HandOff]).long_history().set("note_author", AUTHOR),
        new("gone-undelivered", &[HandOff, Say(Maya, Text)], &[EraseUndelivered, WaitForLoss(0), Wait(1)])
            .set("note_author", AUTHOR),
        new("gone-after-end", &[HandOff, Take(Maya), Resolve(Maya)], &[Erase, Wait(1), HandOff, Write(Line)]),
        new("gone-and-others", &[HandOff, Take(Maya)], &[Erase, WaitForLoss(1), AnswerOther, HandOff, AnswerOther])
            .others(Others::SameAddressOtherId),
        new("gone-forbidden", &[HandOff, Take(Maya)], &[Forbid, SufferToTheEnd(OVER_A_DAY), Wait(1)]),
        new("key-revoked", &[HandOff, Take(Maya)], &[Revoke, Suffer(60), SufferToTheEnd(OVER_A_DAY), Restore, Wait(1)]),
        new("key-revoked-again", &[HandOff], &[Revoke, SufferToTheEnd(OVER_A_DAY), Restore, HandOff, Write(Line)]),
        new("key-revoked-in-time", &[HandOff, Take(Maya)], &[Revoke, Suffer(120), Restore, Wait(60), Say(Maya, Text)]),
        new("key-revoked-leave", &[HandOff, Take(Maya)], &[Revoke, Leave, Restore, Wait(1)]),
        suspended(new("suspended", &[HandOff], &[Revoke, SufferToTheEnd(OVER_A_DAY), Wait(1)])),
        suspended(new("suspended-leave", &[HandOff], &[Revoke, Leave])),
    ]
}

/// Look-ups that are refused or return other people, and addresses that belong to others.
fn searches() -> Vec<Flow> {
    use Step::*;
    use Who::Maya;
    let new = |name: &str| {
        let steps = [HandOff, AnswerOther, Write(Words::Line), Say(Maya, Answer::Line), AnswerOther];
        Flow::new(name, &[], &steps).without_echoes()
    };
    let alike = |name: &str, search| new(name).others(Others::Alike).searches(search);
    // Accounts that return the existing record; otherwise a refused look-up creates a second one, a known limit.
    let existing = |flow: Flow| flow.account(|it| it.duplicate_user = DuplicateUser::ReturnExisting);
    let refused = |name: &str, search| existing(new(name).others(Others::Alike).searches(search));
    vec![
        new("unverified-address").others(Others::SameAddress).unverified(),
        existing(new("unverified-address-existing").others(Others::SameAddress).unverified()),
        existing(new("address-of-another").others(Others::SameAddressOtherId)),
        alike("search-finds-everybody", UserSearch::Everybody),
        alike("search-finds-everybody-known", UserSearch::Everybody).known(Known::ByReference),
        alike("search-by-prefix", UserSearch::Prefix),
        alike("search-by-prefix-known", UserSearch::Prefix).known(Known::ByEmail),
        refused("search-refused", UserSearch::Refused),
        refused("search-refused-known", UserSearch::Refused).known(Known::ByReference),
        refused("search-not-found", UserSearch::NotFound),
    ]
}

/// Tickets and their ends.
fn tickets() -> Vec<Flow> {
    use Step::*;
    use Words::Line;
    let new = |name: &str, before: &[Step], steps: &[Step]| Flow::new(name, before, steps).without_echoes().with_desk();
    vec![
        new("ticket", &[], &[FileTicket, Write(Line), AnswerTicket, Wait(2)]),
        new("ticket-deleted", &[FileTicket], &[PutAway(Gone::Deleted), WaitForLoss(1), Wait(1)]),
        new("ticket-spam", &[FileTicket], &[PutAway(Gone::Spam), WaitForLoss(1), BringBack, AnswerTicket, Wait(2)]),
        new(
            "ticket-erased",
            &[FileTicket],
            &[PutAway(Gone::Erased), WaitForLoss(1), FileTicket, AnswerTicket, Wait(2)],
        ),
        new("ticket-gone-write", &[FileTicket], &[PutAway(Gone::Deleted), Write(Line)]),
        new("ticket-key-revoked", &[FileTicket], &[RevokeTicketKey, Suffer(60), SufferToTheEnd(OVER_A_DAY), Wait(1)]),
    ]
}

fn usual() -> Vec<Flow> {
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

//! Several calls of one conversation, started, interrupted and finished in every order.
//!
//! The flows finish each call before the next one starts. A platform under load does not: after a crash, calls in flight are
//! retried in any order, and new ones overtake them. Here each call is begun once, perhaps cut off with or
//! without a session, and finished later, with the beginnings and ends of other calls in between.

use std::fmt;

use anyhow::Result;
use freshworks_simulator::{Assignee, CreateWhileOpen, SendToResolved, Status};
use handoff_host::Plugin;
use handoff_host::bindings::SessionState;

use crate::account::{Account, Connected, Stage, request, words};
use crate::faults::{AtHost, Fault, Kind};
use crate::flows::{Flow, Who, Words};
use crate::invariants::Violation;
use crate::people::{CONTINUATION, END, OPENING, UNDELIVERED, inbox};
use crate::platform::{Job, Manners, Platform, Tried};
use crate::run::{Manner, Outcome};
use crate::sweep::{Job as Run, Ready, Sweep, prepare};
use crate::table::Figures;

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Relay(Words),
    Close,
    Tick,
    /// The platform could not show the human agent's message.
    Undelivered,
}

const WHATS: [What; 7] = [
    What::Relay(Words::Line),
    What::Relay(Words::Yes),
    What::Relay(Words::Long),
    What::Relay(Words::File),
    What::Close,
    What::Tick,
    What::Undelivered,
];

/// The fault at the first try of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Nothing.
    Whole,
    /// It succeeds, and the platform dies before it has stored anything.
    Unstored,
    /// The request with this number in the call meets a fault. A call with fewer requests succeeds.
    At(AtHost, bool, usize),
}

const CUTS: [Cut; 9] = [
    Cut::Whole,
    Cut::Unstored,
    Cut::At(AtHost::Cut, true, 0),
    Cut::At(AtHost::Cut, true, 1),
    Cut::At(AtHost::Cut, false, 0),
    Cut::At(AtHost::Trap, true, 0),
    Cut::At(AtHost::Trap, true, 1),
    Cut::At(AtHost::Trap, false, 0),
    Cut::At(AtHost::Trap, false, 1),
];

/// Calls in an order: each number occurs twice, for the first try and for all further ones.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Interleaving {
    /// Which kind of account.
    account: usize,
    calls: Vec<(What, Cut)>,
    order: Vec<usize>,
    /// A human agent has resolved the conversation, and the platform has not heard of it.
    is_resolved: bool,
}

impl fmt::Debug for Interleaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in the order {:?}, account {}", self.calls, self.order, self.account)?;
        if self.is_resolved { write!(f, ", resolved before") } else { Ok(()) }
    }
}

const ACCOUNTS: usize = 5;

fn account(kind: usize) -> Flow {
    let flow = Flow::new(&format!("interleavings-{kind}"), &[], &[]).without_echoes();
    match kind {
        0 => flow,
        1 => flow.set("note_author", "maya@acme.example"),
        2 => flow.account(|it| it.send_to_resolved = SendToResolved::NotLatest),
        3 => flow.account(|it| {
            it.send_to_resolved = SendToResolved::NotLatest;
            it.create_while_open = CreateWhileOpen::AlwaysNew;
        }),
        _ => flow.set("note_author", "maya@acme.example").account(|it| it.send_to_resolved = SendToResolved::NotLatest),
    }
}

/// Every order of `count` calls, each started before it is finished. Calls start in the order of their numbers: which call has
/// which number is drawn elsewhere.
fn orders(count: usize) -> Vec<Vec<usize>> {
    fn go_on(begun: usize, finished: &mut Vec<bool>, order: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
        let count = finished.len();
        if order.len() == 2 * count {
            all.push(order.clone());
            return;
        }
        if begun < count {
            order.push(begun);
            go_on(begun + 1, finished, order, all);
            order.pop();
        }
        for number in 0..begun {
            if !finished[number] {
                finished[number] = true;
                order.push(number);
                go_on(begun, finished, order, all);
                order.pop();
                finished[number] = false;
            }
        }
    }
    let mut all = Vec::new();
    go_on(0, &mut vec![false; count], &mut Vec::new(), &mut all);
    all
}

/// All pairs of calls, with every cut of both and in every order.
fn pairs() -> Vec<Interleaving> {
    let mut all = Vec::new();
    let mut number = 0;
    for first in WHATS {
        for second in WHATS {
            for first_cut in CUTS {
                for second_cut in CUTS {
                    for order in orders(2) {
                        // Every account meets every kind, and none of them everything.
                        let account = number % ACCOUNTS;
                        let is_resolved = account >= 2 && (number / ACCOUNTS).is_multiple_of(2);
                        number += 1;
                        let calls = vec![(first, first_cut), (second, second_cut)];
                        all.push(Interleaving { account, calls, order, is_resolved });
                    }
                }
            }
        }
    }
    all
}

/// One of three to five calls, drawn with a seed.
pub(crate) fn drawn(seed: u64) -> Flow {
    let mut random = fastrand::Rng::with_seed(seed);
    let account = random.usize(..ACCOUNTS);
    let count = random.usize(3..6);
    let orders = orders(count);
    let order = orders[random.usize(..orders.len())].clone();
    let call = |random: &mut fastrand::Rng| (WHATS[random.usize(..WHATS.len())], CUTS[random.usize(..CUTS.len())]);
    let calls = (0..count).map(|_| call(&mut random)).collect();
    let is_resolved = account >= 2 && random.bool();
    named(Interleaving { account, calls, order, is_resolved }, format!("interleaving-{seed}"))
}

fn named(interleaving: Interleaving, name: String) -> Flow {
    let account = account(interleaving.account);
    Flow { name, interleaving: Some(interleaving), ..account }
}

/// Runs every n-th pair and this many random ones.
///
/// # Errors
///
/// If a run cannot be carried out.
pub(crate) fn run(
    sweep: Sweep,
    plugin: &Plugin,
    seed: u64,
    every: usize,
    count: usize,
    figures: &mut Figures,
) -> Result<()> {
    let accounts = prepare(plugin, (0..ACCOUNTS).map(account).collect())?;
    // Not by the same step as cuts and orders are counted.
    let is_due = |number: usize| (number / CUTS.len() + number).checked_rem(every) == Some(0);
    let pairs = pairs().into_iter().enumerate().filter(|(number, _)| is_due(*number));
    let pairs = pairs.map(|(number, it)| named(it, format!("pair-{number}")));
    let seeds = (0..count as u64).map(|number| seed.wrapping_mul(1_000_000).wrapping_add(number));
    let ready: Vec<Ready> = pairs
        .chain(seeds.map(drawn))
        .map(|flow| {
            let account = flow.interleaving.as_ref().map_or(0, |it| it.account);
            Ready { connected: accounts[account].connected.clone(), flow }
        })
        .collect();
    let jobs: Vec<Run> = (0..ready.len()).map(|flow| Run { flow, faults: Vec::new() }).collect();
    let total = sweep.run(plugin, &ready, &jobs, &|_, _| {});
    figures.add_interleavings(total, |job| {
        let name = &ready[job.flow].flow.name;
        let again = name.split_once('-').map(|(kind, number)| format!("--{kind} {number}"));
        (again.unwrap_or_default(), format!("{:?}", ready[job.flow].flow.interleaving))
    })
}

/// The pair with this number.
pub(crate) fn pair(number: usize) -> Option<Flow> {
    let it = pairs().into_iter().nth(number)?;
    Some(named(it, format!("pair-{number}")))
}

/// A call in progress.
struct Call {
    what: What,
    cut: Cut,
    message: handoff_host::bindings::Message,
    marks: Vec<String>,
    /// A try ended without a session.
    unsaved: bool,
    begun: bool,
    ended: Option<Tried>,
}

/// Runs an interleaving from an empty account.
///
/// # Errors
///
/// When the machine fails, not the plugin.
pub(crate) async fn play(
    stage: &Stage,
    flow: &Flow,
    it: &Interleaving,
    connected: &Connected,
    manner: Manner,
) -> Result<Outcome> {
    let account = Account::open(stage, flow, connected, &[]).await?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let mut platform = Platform::new(account, &[], Manners::Good, u64::try_from(now.as_millis())?);
    platform.log = manner.trace.then(Vec::new);
    let violations = match all(&mut platform, flow, it).await {
        Ok(()) => Vec::new(),
        Err(violation) => vec![violation],
    };
    let Platform { hits, all_calls, all_requests, log, account, .. } = platform;
    let (places, hits) = ([0; 3], hits + account.tap.hits());
    Ok(Outcome { violations, places, hits, calls: all_calls, requests: all_requests, log: log.unwrap_or_default() })
}

async fn all(platform: &mut Platform, flow: &Flow, it: &Interleaving) -> Result<(), Violation> {
    let handoff = request(flow, platform.now);
    platform.perform(Job::HandOff(&handoff)).await?;
    let desk = |error: freshworks_simulator::Refusal| Violation::new("script", format!("{error:?}"));
    let id = platform.account.newest().unwrap_or_default();
    let (simulator, maya) = (platform.account.simulator.clone(), platform.account.agent(Who::Maya));
    simulator.assign(&id, &maya, Assignee::Agent(&maya)).await.map_err(desk)?;
    simulator.reply(&id, &maya, "⟨a1⟩ I am looking into it").await.map_err(desk)?;
    platform.listen().await?;
    if it.is_resolved {
        simulator.resolve(&id, &maya).await.map_err(desk)?;
    }
    let conversation = simulator.conversation(&id);
    let messages = conversation.iter().flat_map(|it| &it.messages);
    let said = messages.filter(|it| it.text().contains("⟨a1⟩")).map(|it| it.id.clone()).next().unwrap_or_default();

    platform.account.tap.arm();
    let mut calls: Vec<Call> = Vec::new();
    for (number, (what, cut)) in it.calls.iter().enumerate() {
        let of_relay = if let What::Relay(words) = what { *words } else { Words::Line };
        let (message, marks) = words(of_relay, number, platform.now);
        calls.push(Call { what: *what, cut: *cut, message, marks, unsaved: false, begun: false, ended: None });
    }
    for number in &it.order {
        one(platform, &mut calls, *number, &said).await?;
    }
    seen(platform, &calls, it)?;
    // Repeating a completed call changes nothing.
    let before = people(platform);
    for number in 0..calls.len() {
        if calls[number].ended == Some(Tried::Done) {
            one(platform, &mut calls, number, &said).await?;
        }
    }
    let after = people(platform);
    if before != after && !before.iter().any(|(marks, _)| is_back(it, marks)) {
        return Err(Violation::new("repeats", format!("repeats of what was done turned {before:?} into {after:?}")));
    }
    Ok(())
}

/// A step of a call: its first try, or all further ones.
async fn one(platform: &mut Platform, calls: &mut [Call], number: usize, said: &str) -> Result<(), Violation> {
    // There is one end, and one note about a message: further requests for either are repeats.
    let what = calls[number].what;
    let same = |call: &Call| call.what == what && call.unsaved;
    let is_same = matches!(what, What::Close | What::Undelivered) && calls.iter().any(same);
    let call = &mut calls[number];
    call.unsaved |= is_same;
    let is_first = !std::mem::replace(&mut call.begun, true);
    let mut stores = true;
    if is_first {
        match call.cut {
            Cut::Whole => {}
            Cut::Unstored => stores = false,
            Cut::At(what, after, request) => {
                let at = platform.account.tap.requests() + request;
                platform.account.tap.expect(Fault { kind: Kind::Host { what, after }, at });
            }
        }
    }
    const MAX_TRIES: usize = 4;
    for _ in 0..MAX_TRIES {
        platform.now += 1_000;
        let job = match call.what {
            What::Relay(_) => Job::Relay(&call.message),
            What::Close => Job::Close,
            What::Tick => Job::Tick,
            What::Undelivered => Job::Undelivered(said),
        };
        let tried = platform.try_once(&job, call.unsaved, stores).await?;
        platform.account.tap.forget();
        match tried {
            Tried::Kept => call.unsaved = false,
            Tried::Gone => call.unsaved = true,
            Tried::Done | Tried::Refused => {
                call.ended = Some(tried);
                return Ok(());
            }
        }
        if is_first {
            return Ok(());
        }
    }
    Err(Violation::new("wedged", format!("{:?} fails for ever", call.what)))
}

/// The human agents' view: the marks of each conversation, and whether it is resolved.
fn people(platform: &Platform) -> Vec<(Vec<String>, bool)> {
    let all = platform.account.conversations_of_person();
    all.iter().map(|it| (inbox(it), it.status == Status::Resolved)).collect()
}

/// A note in the end user's name reopens a conversation that looks resolved by a human agent; the next tick reports it.
fn is_back(it: &Interleaving, marks: &[String]) -> bool {
    marks.iter().any(|mark| mark == UNDELIVERED) && account(it.account).settings.get("note_author").is_none()
}

fn seen(platform: &Platform, calls: &[Call], it: &Interleaving) -> Result<(), Violation> {
    let conversations = people(platform);
    let marks: Vec<&String> = conversations.iter().flat_map(|(marks, _)| marks).collect();
    let count = |mark: &str| marks.iter().filter(|seen| seen.as_str() == mark).count();
    let fail = |check, message| Err(Violation::new(check, format!("{message}; human agents see {conversations:?}")));
    let is_closed = calls.iter().any(|call| call.what == What::Close);

    for call in calls {
        let What::Relay(words) = call.what else { continue };
        if words == Words::Yes {
            continue;
        }
        let arrived = |mark: &String| count(mark);
        let is_done = call.ended == Some(Tried::Done);
        for mark in &call.marks {
            if arrived(mark) > 1 {
                return fail("twice", format!("{mark} arrived {} times", arrived(mark)));
            }
            if arrived(mark) == 0 && is_done {
                return fail("lost", format!("{mark} was confirmed and is not there"));
            }
        }
        let places: Vec<usize> =
            call.marks.iter().filter_map(|mark| marks.iter().position(|seen| *seen == mark)).collect();
        if !places.is_sorted() {
            return fail("order", format!("the pieces of {:?} are out of order", call.marks));
        }
        // A tick may have come upon the resolution first.
        if !is_done && !is_closed && !it.is_resolved {
            return fail("refused", format!("{:?} was refused although there was no close", call.marks));
        }
    }
    let equal: Vec<&Call> = calls.iter().filter(|call| call.what == What::Relay(Words::Yes)).collect();
    let done = equal.iter().filter(|call| call.ended == Some(Tried::Done)).count();
    if !(done..=equal.len()).contains(&count("⟨yes⟩")) {
        return fail("equal", format!("{} of {done} equal messages are there", count("⟨yes⟩")));
    }
    let is_noted = calls.iter().any(|call| call.what == What::Undelivered);
    // An ended conversation takes no notes.
    let may_end = is_closed || it.is_resolved;
    let least = if may_end { 0 } else { usize::from(is_noted) };
    if !(least..=usize::from(is_noted)).contains(&count(UNDELIVERED)) {
        return fail("note", format!("the note about an undelivered message occurs {} times", count(UNDELIVERED)));
    }
    // One because a human agent has resolved it, one because an interrupted close has.
    if count(OPENING) != 1 || count(CONTINUATION) > 1 + usize::from(is_closed) {
        return fail("notes", "there are too many openings or continuations".to_owned());
    }
    for (number, (marks, _)) in conversations.iter().enumerate() {
        let ends = marks.iter().filter(|mark| *mark == END).count();
        // Freshworks takes no note of the user into a conversation that it holds for superseded.
        let is_current = number + 1 == conversations.len();
        let least = usize::from(is_closed && is_current && !(it.is_resolved && number == 0));
        if !(least..=usize::from(is_closed)).contains(&ends) {
            return fail("notes", format!("conversation {number} has {ends} notes about its end"));
        }
    }
    if conversations.len() != 1 + count(CONTINUATION) {
        return fail("conversations", format!("{} conversations", conversations.len()));
    }
    if is_closed {
        if conversations.iter().any(|(marks, resolved)| !resolved && !is_back(it, marks)) {
            return fail("status", "a conversation waits for a person who has left".to_owned());
        }
        let back = conversations.iter().any(|(marks, _)| is_back(it, marks));
        if platform.state() != Some(SessionState::Returned) && !back {
            return fail("state", format!("the session says {:?}", platform.state()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_there_once() {
        assert_eq!(orders(2), [[0, 1, 0, 1], [0, 1, 1, 0], [0, 0, 1, 1]]);
        assert_eq!(orders(3).len(), 15);
        assert_eq!(orders(4).len(), 105);
        let mut all = orders(4);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 105);
    }
}

//! Random walks: steps of all people in any order, with faults at random places.

use anyhow::Result;
use freshworks_simulator::{CreateWhileOpen, MessagePaging, SendToResolved};
use handoff_host::Plugin;

use crate::faults::{Fault, KINDS, Place};
use crate::flows::{Answer, Flow, Step, Who, Words};
use crate::sweep::{Job, Sweep, prepare};
use crate::table::Figures;

/// Walks of one account, so that it is connected only once.
const KINDS_OF_ACCOUNT: u64 = 6;
const MAX_STEPS: usize = 14;

fn account(kind: u64) -> Flow {
    let flow = Flow::new(&format!("walks-{kind}"), &[], &[]);
    match kind {
        0 => flow,
        1 => flow.account(|it| it.send_to_resolved = SendToResolved::NotLatest),
        2 => flow.account(|it| {
            it.send_to_resolved = SendToResolved::NotLatest;
            it.create_while_open = CreateWhileOpen::AlwaysNew;
        }),
        3 => flow.account(|it| it.echo_before_answer = true),
        4 => flow.set("note_author", "maya@acme.example").set("retry_budget_ms", 25_000),
        _ => flow.account(|it| it.message_paging = MessagePaging::Pages),
    }
}

/// The steps of a walk. Some have no effect at their position; the reference model knows.
pub(crate) fn walk(seed: u64) -> Flow {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut flow = account(seed % KINDS_OF_ACCOUNT);
    flow.name = format!("walk-{seed}");
    flow.steps = vec![Step::HandOff];
    let mut with_humans = true;
    for _ in 0..random.usize(3..MAX_STEPS) {
        let who = if random.bool() { Who::Maya } else { Who::Tom };
        let step = match random.usize(..20) {
            0..=4 => Step::Write([Words::Line, Words::Yes, Words::Long, Words::File][random.usize(..4)]),
            5..=8 => Step::Say(who, if random.bool() { Answer::Line } else { Answer::Picture }),
            9 => Step::Note(who),
            10..=11 => Step::Take(who),
            12 => Step::PutBack,
            13..=14 => Step::Resolve(who),
            15 => Step::Reopen(who),
            16 => Step::Leave,
            17 => Step::Stranger,
            18 if with_humans => Step::LoseSession,
            18 => Step::HandOff,
            _ => Step::Wait(2),
        };
        match step {
            Step::Resolve(_) | Step::Leave => with_humans = false,
            Step::Reopen(_) | Step::HandOff => with_humans = true,
            _ => {}
        }
        flow.steps.push(step);
        if step == Step::LoseSession {
            flow.steps.push(Step::HandOff);
        }
    }
    flow
}

/// The faults of a walk.
pub(crate) fn faults(seed: u64) -> Vec<Fault> {
    let mut random = fastrand::Rng::with_seed(!seed);
    let count = random.usize(..4);
    let one = |random: &mut fastrand::Rng| {
        let (_, kind) = KINDS[random.usize(..KINDS.len())];
        let most = if kind.place() == Place::Request { 25 } else { 15 };
        Fault { kind, at: random.usize(..most) }
    };
    (0..count).map(|_| one(&mut random)).collect()
}

/// Runs this many walks.
///
/// # Errors
///
/// If a run cannot be carried out.
pub(crate) fn run(sweep: Sweep, plugin: &Plugin, seed: u64, count: usize, figures: &mut Figures) -> Result<()> {
    let accounts = prepare(plugin, (0..KINDS_OF_ACCOUNT).map(account).collect())?;
    let seeds = (0..count as u64).map(|number| seed.wrapping_mul(1_000_000).wrapping_add(number));
    let mut ready = Vec::new();
    let mut jobs = Vec::new();
    for seed in seeds {
        let connected = accounts[usize::try_from(seed % KINDS_OF_ACCOUNT)?].connected.clone();
        jobs.push(Job { flow: ready.len(), faults: faults(seed) });
        ready.push(crate::sweep::Ready { flow: walk(seed), connected });
    }
    let total = sweep.run(plugin, &ready, &jobs, &|_, _| {});
    figures.add_walks(total, |job| ready[job.flow].flow.name.replace("walk-", "--walk "))
}

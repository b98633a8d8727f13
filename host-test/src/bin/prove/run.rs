//! One run: a flow with faults at certain places, from an empty account to the final check of both sides.

use anyhow::{Context as _, Result};
use freshworks_simulator::{self as simulator, ActorType, Assignee, Refusal, UserSpec};
use handoff_host::CallError;
use handoff_host::bindings::{ErrorKind, Mode};
use serde_json::json;

use crate::account::{Account, Connected, OTHERS_MARK, Stage, request, request_marks, words};
use crate::faults::Fault;
use crate::flows::{Answer, Flow, Step, Who, Words};
use crate::interleavings;
use crate::invariants::{Leniency, Violation, check};
use crate::people::{FILES, Told, inbox};
use crate::platform::{Ended, Job, Manners, Platform, Until};
use crate::truth::Truth;

/// The result of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) violations: Vec<Violation>,
    /// Places where faults can happen: requests, calls, webhooks.
    pub(crate) places: [usize; 3],
    /// Faults that happened.
    pub(crate) hits: usize,
    /// Calls of the plugin, and requests that it made, in the whole run.
    pub(crate) calls: usize,
    pub(crate) requests: usize,
    pub(crate) log: Vec<String>,
}

impl Outcome {
    /// Of a run that did not end.
    pub(crate) fn hung() -> Self {
        let violation = Violation::new("end", "the run does not come to an end".to_owned());
        Self { violations: vec![violation], ..Self::default() }
    }
}

/// How to run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    pub(crate) manners: Manners,
    /// Record a trace.
    pub(crate) trace: bool,
}

/// Runs a flow.
///
/// # Errors
///
/// When the machine fails, not the plugin.
pub(crate) async fn run(
    stage: &Stage,
    flow: &Flow,
    connected: &Connected,
    faults: &[Fault],
    manner: Manner,
) -> Result<Outcome> {
    if let Some(interleaving) = &flow.interleaving {
        return interleavings::play(stage, flow, interleaving, connected, manner).await;
    }
    let account = Account::open(stage, flow, connected, faults).await.context("no account")?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now = u64::try_from(now.as_millis())?;
    let mut platform = Platform::new(account, faults, manner.manners, now);
    platform.log = manner.trace.then(Vec::new);
    let truth = Truth::new(flow.rules());
    let mut play = Play { flow, faults, platform, truth, written: 0, said: 0, strangers: 0, request_at: now };
    let mut violations = match play.all().await {
        Ok(()) => Vec::new(),
        Err(violation) => vec![violation],
    };
    let leniency = Leniency::of(faults, &play.platform, &play.truth);
    if violations.is_empty() {
        violations = check(&play.platform, &play.truth, leniency);
    }
    if violations.is_empty() {
        violations.extend(play.probe().await.err());
    }
    let Platform { calls, webhooks, hits, all_calls, all_requests, log, account, .. } = play.platform;
    Ok(Outcome {
        violations,
        places: [account.tap.requests(), calls, webhooks],
        hits: hits + account.tap.hits(),
        calls: all_calls,
        requests: all_requests,
        log: log.unwrap_or_default(),
    })
}

/// The key of the account, before it is revoked.
const API_KEY: &str = "simulator-api-key";

/// A flow in progress.
struct Play<'a> {
    flow: &'a Flow,
    faults: &'a [Fault],
    platform: Platform,
    truth: Truth,
    written: usize,
    said: usize,
    strangers: usize,
    /// When the request was made: the same at each handoff, so that the history is the same.
    request_at: u64,
}

fn refused(error: &Refusal) -> Violation {
    Violation::new("script", format!("the account refuses a step of the script: {error:?}"))
}

impl Play<'_> {
    async fn all(&mut self) -> Result<(), Violation> {
        for step in &self.flow.before {
            self.step(*step).await?;
        }
        self.platform.arm();
        for step in &self.flow.steps {
            self.step(*step).await?;
        }
        self.truth.release();
        self.platform.listen_to_the_end().await?;
        if self.platform.outstanding {
            self.platform.tick_until_quiet().await?;
        }
        self.platform.listen_to_the_late().await
    }

    async fn step(&mut self, step: Step) -> Result<(), Violation> {
        self.platform.note(|| format!("step {step:?}"));
        self.act(step).await?;
        self.platform.listen().await?;
        if self.platform.ring && !self.platform.holding {
            self.platform.ring = false;
            self.platform.ring_once().await?;
        }
        let in_step = !self.platform.outstanding && !self.platform.holding && !self.truth.session_lost;
        if in_step && self.platform.is_with_humans() != self.truth.with_humans {
            let mut found = Vec::new();
            let leniency = Leniency::of(self.faults, &self.platform, &self.truth);
            crate::invariants::session(&self.platform, &self.truth, leniency, &mut |check, message| {
                found.push(Violation::new(check, format!("after {step:?}: {message}")));
            });
            return found.into_iter().next().map_or(Ok(()), Err);
        }
        Ok(())
    }

    fn newest(&self) -> Result<String, Violation> {
        self.platform.account.newest().ok_or_else(|| Violation::new("conversations", "there is none".into()))
    }

    async fn act(&mut self, step: Step) -> Result<(), Violation> {
        match step {
            Step::HandOff => self.hand_off().await,
            Step::LoseSession => {
                (self.platform.session, self.platform.info) = (None, None);
                self.truth.session_lost = true;
                Ok(())
            }
            Step::Write(what) => self.write(what).await,
            Step::Leave | Step::LeaveOnce => self.leave(step == Step::LeaveOnce).await,
            Step::Stranger => self.stranger().await,
            Step::Hold => {
                self.platform.holding = true;
                self.truth.hold();
                Ok(())
            }
            Step::Release => {
                self.platform.holding = false;
                self.truth.release();
                Ok(())
            }
            Step::Wait(minutes) => self.platform.pass(minutes).await,
            Step::WaitForEnd(minutes) => {
                self.truth.ended("timed-out");
                self.platform.pass(minutes).await
            }
            Step::Suffer(minutes) => self.platform.suffer(minutes).await,
            Step::SufferToTheEnd(minutes) => {
                self.truth.lost();
                self.platform.suffer(minutes).await
            }
            Step::WaitForLoss(minutes) => {
                self.truth.lost();
                self.platform.pass(minutes).await
            }
            Step::Erase => self.erase().map(drop),
            Step::HandOffErased => self.hand_off_half().await,
            Step::EraseUndelivered => {
                let said = self.erase()?;
                self.platform.perform(Job::Undelivered(&said)).await
            }
            Step::Forbid => self.forbid(),
            Step::Revoke | Step::Restore => {
                self.truth.is_refused = step == Step::Revoke;
                let key = if self.truth.is_refused { "another" } else { API_KEY };
                self.platform.account.simulator.set_api_key(key);
                Ok(())
            }
            Step::AnswerOther => self.answer_other().await,
            Step::FileTicket => self.file_ticket().await,
            Step::AnswerTicket | Step::PutAway(_) | Step::BringBack | Step::RevokeTicketKey => self.ticket(step).await,
            Step::Take(_)
            | Step::PutBack
            | Step::Say(..)
            | Step::Note(_)
            | Step::Resolve(_)
            | Step::Reopen(_)
            | Step::ReopenTooLate(_) => self.desk(step).await,
        }
    }

    async fn hand_off(&mut self) -> Result<(), Violation> {
        let mut request = request(self.flow, self.request_at);
        request.retry = self.truth.session_lost;
        // A returning user comes some time later.
        self.platform.pass(2).await?;
        self.platform.perform(Job::HandOff(&request)).await?;
        self.truth.handed_over(&request_marks(self.flow));
        let conversations = self.platform.account.conversations_of_person();
        if !conversations.iter().any(|it| it.status != freshworks_simulator::Status::Resolved) {
            return Err(Violation::new("connected", "the end user learns of human agents, but none knows".into()));
        }
        self.platform.tell(Told::Connected);
        if let Some(who) = self.flow.rules().goes_to {
            self.truth.taken(&self.platform.account.agent(who));
        }
        Ok(())
    }

    /// Deletes the conversation; returns the newest message of a human agent in it.
    fn erase(&mut self) -> Result<String, Violation> {
        let id = self.newest()?;
        let simulator = &self.platform.account.simulator;
        let messages = simulator.conversation(&id).map(|it| it.messages).unwrap_or_default();
        let said = messages.into_iter().rev().find(|it| it.actor.kind == ActorType::Agent).map(|it| it.id);
        simulator.remove_conversation(&id);
        self.truth.erased();
        Ok(said.unwrap_or_default())
    }

    /// The account denies access to the conversation.
    fn forbid(&mut self) -> Result<(), Violation> {
        let id = self.newest()?;
        for path in [format!("/v2/conversations/{id}"), format!("/v2/conversations/{id}/messages")] {
            let fault = simulator::Fault::new(simulator::Match::path(&path), simulator::How::status(403));
            self.platform.account.simulator.fail(fault.times(u32::MAX).may_miss());
        }
        self.truth.is_refused = true;
        Ok(())
    }

    /// A human agent answers the other people with conversations.
    async fn answer_other(&mut self) -> Result<(), Violation> {
        let account = &mut self.platform.account;
        let (simulator, maya) = (account.simulator.clone(), account.agent(Who::Maya));
        for other in &mut account.others {
            let mark = format!("{OTHERS_MARK}{}⟩", 100 + other.marks.len());
            let said = simulator.reply(&other.conversation, &maya, &format!("{mark} This is for you")).await;
            said.map_err(|error| refused(&error))?;
            other.marks.push(mark);
        }
        Ok(())
    }

    async fn file_ticket(&mut self) -> Result<(), Violation> {
        let mut request = request(self.flow, self.request_at);
        request.mode = Mode::Ticket;
        self.platform.perform(Job::HandOff(&request)).await?;
        let mut marks = request_marks(self.flow);
        // A ticket is read from its beginning.
        marks.rotate_right(1);
        self.truth.filed(&marks);
        Ok(())
    }

    /// Acts at the ticket desk.
    async fn ticket(&mut self, step: Step) -> Result<(), Violation> {
        let simulator = self.platform.account.simulator.clone();
        let id = simulator.tickets().last().map_or(0, |ticket| ticket.id);
        match step {
            Step::AnswerTicket => {
                self.said += 1;
                let (maya, mark) = (simulator.ticket_agent_id(Who::Maya.name()), format!("⟨a{}⟩", self.said));
                let said = simulator.ticket_reply(id, maya.unwrap_or_default(), &format!("<p>{mark} I looked</p>"));
                said.map_err(|error| refused(&error))?;
                self.truth.ticket_answered(mark);
            }
            Step::PutAway(gone) => {
                simulator.put_ticket_away(id, Some(gone)).map_err(|error| refused(&error))?;
                self.truth.is_put_away = true;
            }
            Step::BringBack => {
                simulator.put_ticket_away(id, None).map_err(|error| refused(&error))?;
                self.truth.brought_back();
                self.platform.pass(2).await?;
            }
            _ => simulator.set_ticket_api_key("another"),
        }
        Ok(())
    }

    /// Starts a handoff whose third write fails: usually a page, or a write delayed by a fault.
    async fn hand_off_half(&mut self) -> Result<(), Violation> {
        let third = simulator::Match::any().method("POST").nth(3);
        let simulator = self.platform.account.simulator.clone();
        simulator.fail(simulator::Fault::new(third, simulator::How::status(503)));
        let request = request(self.flow, self.request_at);
        if self.platform.perform_until(Job::HandOff(&request), Until::Kept).await? == Ended::Done {
            // A fatal fault at the same request prevented the other one: the whole conversation is deleted instead.
            self.truth.handed_over(&request_marks(self.flow));
            self.platform.tell(Told::Connected);
            self.erase()?;
            self.truth.lost();
            return self.platform.pass(1).await;
        }
        // Faults may have cut it off before there was one.
        self.platform.account.newest().inspect(|id| simulator.remove_conversation(id));
        Ok(())
    }

    async fn write(&mut self, what: Words) -> Result<(), Violation> {
        self.written += 1;
        let (message, marks) = words(what, self.written, self.platform.now);
        if self.platform.takes_messages() {
            self.platform.perform(Job::Relay(&message)).await?;
            self.truth.user_wrote(marks);
        }
        Ok(())
    }

    async fn leave(&mut self, once: bool) -> Result<(), Violation> {
        let with_humans = self.platform.is_with_humans();
        let ended = self.platform.perform_until(Job::Close, if once { Until::Kept } else { Until::Done }).await?;
        if with_humans {
            self.truth.ended("abandoned");
        }
        if ended == Ended::Failed {
            // The timer finishes it. The error came without the contract's info, so the next time is not known: soon.
            self.platform.perform(Job::Tick).await?;
        }
        Ok(())
    }

    /// Acts of human agents.
    async fn desk(&mut self, step: Step) -> Result<(), Violation> {
        let id = self.newest()?;
        let account = &self.platform.account;
        let (simulator, now) = (account.simulator.clone(), self.platform.now);
        let done = match step {
            Step::Take(who) => {
                let agent = account.agent(who);
                self.truth.taken(&agent);
                simulator.assign(&id, &agent, Assignee::Agent(&agent)).await
            }
            Step::PutBack => {
                self.truth.put_back();
                simulator.assign(&id, &account.agent(Who::Maya), Assignee::Nobody).await
            }
            Step::Say(who, what) => {
                self.said += 1;
                let (agent, mark) = (account.agent(who), format!("⟨a{}⟩", self.said));
                match what {
                    Answer::Line => {
                        self.truth.answered(&agent, vec![mark.clone()]);
                        simulator.reply(&id, &agent, &format!("{mark} I am looking into it")).await
                    }
                    Answer::Picture => {
                        let url = format!("{FILES}a{}.png", self.said);
                        self.truth.answered(&agent, vec![mark.clone(), url.clone()]);
                        let parts = vec![json!({ "text": { "content": mark } }), json!({ "image": { "url": url } })];
                        simulator.reply_parts(&id, &agent, parts).await
                    }
                }
            }
            Step::Note(who) => {
                self.said += 1;
                let mark = format!("⟨n{}⟩", self.said);
                self.truth.noted(mark.clone());
                simulator.note(&id, &account.agent(who), &format!("{mark} She is angry")).await
            }
            Step::Resolve(who) => {
                self.truth.resolved();
                simulator.resolve(&id, &account.agent(who)).await
            }
            Step::Reopen(who) | Step::ReopenTooLate(who) => {
                self.truth.reopened(matches!(step, Step::Reopen(_)));
                simulator.reopen(&id, &account.agent(who)).await
            }
            other => {
                return Err(Violation::new("script", format!("{other:?} is nothing that a human agent does at {now}")));
            }
        };
        done.map(drop).map_err(|error| refused(&error))
    }

    /// Another person in the same topic, answered by the same human agents.
    async fn stranger(&mut self) -> Result<(), Violation> {
        self.strangers += 1;
        let simulator = self.platform.account.simulator.clone();
        let ben = simulator.seed_user(UserSpec { first_name: Some("Ben".into()), ..UserSpec::default() });
        let topic = simulator.topic_id("Sendbird Integration").unwrap_or_default();
        let maya = self.platform.account.agent(Who::Maya);
        let (id, _) = simulator.user_starts(&topic, &ben, "⟨b1⟩ Hello").await.map_err(|error| refused(&error))?;
        simulator.assign(&id, &maya, Assignee::Agent(&maya)).await.map_err(|error| refused(&error))?;
        simulator.reply(&id, &maya, "⟨b2⟩ Hello").await.map_err(|error| refused(&error))?;
        simulator.resolve(&id, &maya).await.map_err(|error| refused(&error))?;
        self.platform.listen().await?;
        let seen = simulator.conversation(&id).map(|conversation| inbox(&conversation).concat());
        if seen.as_deref() != Some("⟨b1⟩⟨b2⟩") {
            return Err(Violation::new("stranger", format!("another person's conversation became {seen:?}")));
        }
        Ok(())
    }

    /// A last message goes to the current owner.
    async fn probe(&mut self) -> Result<(), Violation> {
        if self.platform.account.simulator.users().len() > self.platform.account.people + self.strangers + 1 {
            return Err(Violation::new("one-record", "a person was invented".into()));
        }
        if self.platform.is_with_humans() {
            self.platform.note(|| "step probe".to_owned());
            self.write(Words::Line).await?;
            let leniency = Leniency::of(self.faults, &self.platform, &self.truth);
            let found = check(&self.platform, &self.truth, leniency).into_iter().find(|it| it.check == "inbox");
            return found.map_or(Ok(()), |it| Err(Violation::new("probe", it.message)));
        }
        let Some(session) = &self.platform.session else { return Ok(()) };
        if self.truth.is_ticketed {
            return Ok(());
        }
        let (message, _) = words(Words::Line, 999, self.platform.now);
        let account = &self.platform.account;
        let call =
            account.plugin.relay(&account.sandbox, &account.settings, session, &message, false, self.platform.now);
        let call = call.await;
        match call.result {
            Err(CallError::Plugin(error)) if error.kind == ErrorKind::InvalidRequest && call.report.http.is_empty() => {
                Ok(())
            }
            other => Err(Violation::new("probe", format!("a message after the return to the AI agent gave {other:?}"))),
        }
    }
}

//! Looks for leaked text in everything that a call of the plugin gives out, but for the conversation itself.

use handoff_host::bindings::{
    Connection, Decision, Descriptor, Erasure, Event, Finding, Plan, PluginError, Receipt, Update,
};
use handoff_host::{Call, CallError, CallReport};

use crate::support::{API_KEY, SPOKEN, session_bytes};

/// The parts of a result that may be shown, logged or stored.
pub(crate) trait Shown {
    fn shown(&self) -> Vec<String>;
    fn stored(&self) -> &str {
        ""
    }
}

fn findings_shown(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{finding:?}")).collect()
}

fn decisions_shown(decisions: &[Decision]) -> Vec<String> {
    decisions.iter().map(|decision| format!("{decision:?}")).collect()
}

impl Shown for Descriptor {
    fn shown(&self) -> Vec<String> {
        vec![format!("{self:?}")]
    }
}

impl Shown for Connection {
    fn shown(&self) -> Vec<String> {
        findings_shown(&self.findings)
    }
}

impl Shown for Plan {
    fn shown(&self) -> Vec<String> {
        // The texts for human agents contain people's words.
        let steps = self.steps.iter().map(|step| format!("{step:?}"));
        steps.chain(findings_shown(&self.findings)).chain(decisions_shown(&self.decisions)).collect()
    }
}

impl Shown for Receipt {
    fn shown(&self) -> Vec<String> {
        let steps = self.steps.iter().map(|step| format!("{step:?}")).chain(decisions_shown(&self.decisions));
        steps.chain(findings_shown(&self.findings)).chain([format!("{:?}", self.info)]).collect()
    }
    fn stored(&self) -> &str {
        &self.session
    }
}

impl Shown for Update {
    fn shown(&self) -> Vec<String> {
        let outline = |event: &Event| format!("{} {:?} {:?}", event.id, event.conversation_id, event.detail);
        let outlines = self.events.iter().map(outline).chain(decisions_shown(&self.decisions));
        outlines.chain(findings_shown(&self.findings)).collect()
    }
    fn stored(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }
}

impl Shown for Erasure {
    fn shown(&self) -> Vec<String> {
        self.steps.iter().map(|step| format!("{step:?}")).chain(findings_shown(&self.findings)).collect()
    }
}

impl Shown for PluginError {
    fn shown(&self) -> Vec<String> {
        [Some(&self.message), Some(&self.line), self.field.as_ref(), self.remedy.as_ref(), self.log.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }
    fn stored(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }
}

fn report_shown(report: &CallReport) -> Vec<String> {
    report.http.iter().map(|call| format!("{call:?}")).collect()
}

/// Passes a call on after looking for leaked text in everything that may be logged or stored.
#[track_caller]
pub(crate) fn watched<T: Shown>(call: Call<T>) -> Call<T> {
    let (shown, stored) = match &call.result {
        Ok(answer) => (answer.shown(), answer.stored()),
        Err(CallError::Plugin(error)) => (error.shown(), error.stored()),
        Err(other) => (vec![format!("{other:?}")], ""),
    };
    for text in shown.iter().chain(&report_shown(&call.report)) {
        let lower = text.to_lowercase();
        assert!(!lower.contains(SPOKEN), "text of people in: {text}");
        assert!(!text.contains(API_KEY), "the API key in: {text}");
    }
    assert!(stored.len() <= 88 * 1024, "a session of {} characters", stored.len());
    let stored = String::from_utf8_lossy(&session_bytes(stored)).to_lowercase();
    assert!(!stored.contains(SPOKEN) && !stored.contains(&API_KEY.to_lowercase()), "text or key in the session");
    call
}

//! How long others wait, for a handoff that is done: it neither fails nor takes long because of this.

use super::Run;
use crate::conversation::session::Session;
use crate::freshchat::metrics::{Figure, NO_GROUP, WaitFigure};
use crate::http::{Request, TransportError, client};
use handoff_contract::model::{Finding, GroupId, Timestamp, WaitEstimate};

/// Both figures are asked for at once. What does not answer within this is not worth waiting for.
const CONNECT_MS: u32 = 1_000;
const RESPONSE_MS: u32 = 2_000;

impl Run<'_> {
    /// The figures of the group that has the conversation: the one that was asked for, else the one that Freshchat named in its
    /// answer. A group without a figure has none: the vendor's library takes that for zero, which would promise too much.
    pub(super) fn wait_estimate(&mut self, session: &Session, now: Timestamp) -> Option<WaitEstimate> {
        let group = session.group.as_ref().or(self.found_in.as_ref()).map_or(NO_GROUP, GroupId::as_str).to_owned();
        let requests = [Figure::AverageWait, Figure::Waiting]
            .map(|figure| in_short(self.freshchat.request(&WaitFigure { figure, now })));
        let mut responses = self.freshchat.send_all(requests.to_vec()).into_iter();
        // Not sent again: it would take time.
        let mut next = || {
            let response = responses.next().unwrap_or_else(|| Err(TransportError::no_answer()));
            let figures = client::read::<WaitFigure>(response)?;
            Ok(figures.into_iter().find(|(of, _)| *of == group).map(|(_, figure)| figure))
        };
        let answers: [Result<Option<u32>, client::Failure>; 2] = [next(), next()];
        if let Some(failure) = answers.iter().find_map(|answer| answer.as_ref().err()) {
            self.findings.push(Finding::warning(
                "estimate",
                "estimate-unknown",
                format!("how long others wait could not be learned ({})", failure.log),
                "Nothing needs to be done if this is rare. If it stays so, switch `wait_estimate` off: the account or its key may not have these figures.",
            ));
        }
        let [average_wait_seconds, waiting] = answers.map(|answer| answer.ok().flatten());
        (average_wait_seconds.is_some() || waiting.is_some()).then_some(WaitEstimate { average_wait_seconds, waiting })
    }
}

fn in_short(request: Request) -> Request {
    Request {
        connect_timeout_ms: request.connect_timeout_ms.min(CONNECT_MS),
        response_timeout_ms: request.response_timeout_ms.min(RESPONSE_MS),
        ..request
    }
}

#[cfg(test)]
mod tests {
    use super::super::handoff;
    use crate::testing::{Script, request};
    use crate::use_cases::Receipt;
    use handoff_contract::model::{HandoffRequest, WaitEstimate};

    const KNOWN: &str = r#"{"users": [{"id": "user-1", "reference_id": "u-1"}]}"#;
    const CONVERSATION: &str =
        r#"{"conversation_id": "c-1", "messages": [{"id": "m-1"}], "assigned_group_id": "topics-own"}"#;

    fn settings(more: &str) -> String {
        format!(
            r#"{{"chat_url": "acme", "api_key": "k", "wait_estimate": true{more},
            "resolved": {{"origin": "https://acme.freshchat.com", "topics": {{"Sendbird Integration": "topic-1"}}, "groups": {{"Support": "group-1"}}}}}}"#
        )
    }

    fn figure(group: &str, value: &str) -> String {
        format!(
            r#"{{"data": [{{"groupings": [{{"key": "group", "value": "{group}"}}], "series": [{{"values": [{{"key": "k", "value": "{value}"}}]}}]}}]}}"#
        )
    }

    fn hand_off(script: &Script, settings: &str, request: &HandoffRequest) -> Receipt {
        handoff(script, settings, request, None, 1_752_176_875_442).unwrap()
    }

    fn codes(receipt: &Receipt) -> Vec<&str> {
        receipt.findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    #[test]
    fn the_figures_of_the_group_are_asked_for_together_after_the_handoff() {
        for (more, group) in [(r#", "group": "Support""#, "group-1"), ("", "topics-own")] {
            let script = Script::default().then(200, KNOWN).then(200, CONVERSATION);
            let script = script.then(200, &figure(group, "90.5")).then(200, &figure(group, "3"));
            let receipt = hand_off(&script, &settings(more), &request());
            let estimate = WaitEstimate { average_wait_seconds: Some(90), waiting: Some(3) };
            assert_eq!((receipt.estimate, codes(&receipt)), (Some(estimate), vec![]));
            assert_eq!(script.batches(), [1, 1, 2]);
        }
    }

    #[test]
    fn a_group_without_a_figure_has_no_estimate() {
        let script = Script::default().then(200, KNOWN).then(200, r#"{"conversation_id": "c-1"}"#);
        let script = script.then(200, &figure("somebody-elses", "90")).then(200, &figure("null", "2"));
        let estimate = WaitEstimate { average_wait_seconds: None, waiting: Some(2) };
        assert_eq!(hand_off(&script, &settings(""), &request()).estimate, Some(estimate));
        let script = Script::default().then(200, KNOWN).then(200, CONVERSATION);
        let script = script.then(200, r#"{"data": []}"#).then(200, r#"{"data": []}"#);
        let receipt = hand_off(&script, &settings(""), &request());
        assert_eq!((receipt.estimate, codes(&receipt)), (None, vec![]));
    }

    #[test]
    fn figures_that_are_refused_are_a_finding_and_are_not_asked_for_again() {
        for status in [400, 401, 404, 429, 503] {
            let script = Script::default().then(200, KNOWN).then(200, CONVERSATION);
            let script = script.then(status, "{}").then(200, &figure("topics-own", "3"));
            let receipt = hand_off(&script, &settings(""), &request());
            let estimate = WaitEstimate { average_wait_seconds: None, waiting: Some(3) };
            assert_eq!((receipt.estimate, codes(&receipt)), (Some(estimate), vec!["estimate-unknown"]), "{status}");
            assert_eq!(script.sent().len(), 4);
        }
    }
}

//! Passes on how the end user rates the human part.
//!
//! Freshchat has no call that reads a rating, so what may have been sent cannot be looked for, as messages can. A rating is
//! therefore sent at most once: a lost one is missing in a report, a doubled one would falsify it.

use crate::conversation::session::{Session, digest};
use crate::freshchat::ratings::CreateRating;
use crate::http::Http;
use crate::http::client::{Client, FailureKind};
use crate::settings::Settings;
use crate::text::transcript;
use crate::use_cases::Update;
use handoff_contract::error::Error;
use handoff_contract::model::{ConversationId, Finding, Rating, SessionState};

const MAX_ID: usize = 255;
/// No limit is published; longer than any form lets people write.
const MAX_COMMENT_CHARS: usize = 5_000;

/// Sends the rating; the same one is not sent again. `retry`: an earlier try may have got through although its session was lost.
pub fn rate(http: &dyn Http, settings: &str, session: &[u8], rating: &Rating, retry: bool) -> Result<Update, Error> {
    let settings = Settings::parse(settings)?;
    let freshchat = Client::chat(http, &settings)?;
    let mut session = Session::decode(session)?;
    check(rating)?;
    let id = digest(&[&rating.id], 8);
    let (begun, sent) = (format!("rating-begun:{id}"), format!("rating:{id}"));
    if session.seen_events.contains(&sent) {
        return Ok(session.update(&settings, Vec::new(), Vec::new()));
    }
    let conversation = rated(&session)?;
    if retry || session.seen_events.contains(&begun) {
        session.mark_seen(&sent);
        return Ok(session.update(&settings, Vec::new(), vec![in_doubt()]));
    }
    let comment = rating.comment.as_deref().map(transcript::clean_text).unwrap_or_default();
    let comment = settings.masking.apply(comment.trim()).0;
    let call = CreateRating { conversation: &conversation, score: rating.score, comment: &comment };
    let Err(failure) = freshchat.call(&call) else {
        session.mark_seen(&sent);
        return Ok(session.update(&settings, Vec::new(), Vec::new()));
    };
    let kind = failure.kind;
    let error = failure.into_error();
    Err(match kind {
        FailureKind::OutcomeUnknown => {
            session.mark_seen(&begun);
            let remedy = "Store the session of this error. A repeat does not send the rating again.";
            error.with_remedy(remedy).with_session(session.encode())
        }
        FailureKind::NotFound => error.saying("Freshworks does not know the conversation that is rated").with_remedy(
            "It was deleted, most likely: drop the rating. If it is there, the account takes no ratings by its API.",
        ),
        FailureKind::Refused | FailureKind::NotLatest => error.saying("Freshworks refused the rating").with_remedy(
            "Drop it. Freshworks takes ratings of resolved conversations: it may have one already, or be open again.",
        ),
        _ => error,
    })
}

fn check(rating: &Rating) -> Result<(), Error> {
    if rating.id.trim().is_empty() || rating.id.len() > MAX_ID {
        let remedy = "Pass the platform's own id of the rating, 1 to 255 bytes.";
        return Err(Error::request("rating.id", "the rating's id is empty or too long", remedy));
    }
    if !(1..=5).contains(&rating.score) {
        let remedy = "Pass 1 (worst) to 5 (best); bring other scales to that first.";
        return Err(Error::request("rating.score", "the score is not between 1 and 5", remedy));
    }
    if rating.comment.as_ref().is_some_and(|comment| comment.chars().count() > MAX_COMMENT_CHARS) {
        let message = format!("the comment has more than {MAX_COMMENT_CHARS} characters");
        return Err(Error::request("rating.comment", message, "Pass a shorter one."));
    }
    Ok(())
}

/// The conversation of a human part that has ended.
fn rated(session: &Session) -> Result<ConversationId, Error> {
    let refuse = |message: &'static str, remedy: &'static str| Err(Error::request("session", message, remedy));
    match (&session.conversation, session.state) {
        _ if session.ticket.is_some() => refuse(
            "a ticket stands in for the conversation, and tickets take no rating here",
            "Drop the rating. The ticket desk can ask for one itself: Admin > Satisfaction surveys.",
        ),
        (Some(conversation), SessionState::Returned) => Ok(conversation.clone()),
        (None, SessionState::Returned) | (_, SessionState::Failed) => {
            refuse("there was no human part to rate", "Drop the rating.")
        }
        _ => refuse(
            "the human part has not ended, and Freshworks takes ratings of resolved conversations alone",
            "Keep the rating and pass it after `returned-to-ai`, or call `close` first.",
        ),
    }
}

fn in_doubt() -> Finding {
    Finding::warning(
        "rating",
        "rating-in-doubt",
        "whether an earlier try has brought the rating to Freshworks is not known; it was not sent again",
        "Nothing needs to be done; the rating may be missing in the reports of Freshworks.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Script;
    use handoff_contract::error::ErrorKind;
    use handoff_contract::model::ConversationKey;
    use serde_json::json;

    const SETTINGS: &str = r#"{"chat_url": "acme", "api_key": "k"}"#;

    fn in_state(state: SessionState) -> Session {
        let key = ConversationKey { application: "a".into(), channel: "c".into(), conversation: "1".into() };
        let mut session = Session::begin(&key, 1);
        session.state = state;
        session.user = Some("user-1".into());
        session.adopt_conversation("c-1".into(), None);
        session
    }

    fn good() -> Rating {
        Rating { id: "r-1".into(), score: 4, comment: Some(" Fast.\u{202e}\nMy card is 4111 1111 1111 1111 ".into()) }
    }

    fn given(script: &Script, session: &[u8], rating: &Rating, retry: bool) -> Result<Update, Error> {
        rate(script, SETTINGS, session, rating, retry)
    }

    #[test]
    fn a_rating_is_sent_once_with_its_comment_cleaned_and_masked() {
        let script = Script::default().then(200, "");
        let update = given(&script, &in_state(SessionState::Returned).encode(), &good(), false).unwrap();
        assert_eq!(script.sent(), ["Post /v2/csat/c-1"]);
        let body = script.body(0);
        assert_eq!(body["rating"], json!(4));
        let comment = body["comment"].as_str().unwrap();
        assert!(comment.starts_with("Fast.\nMy card is ") && !comment.contains("4111 1111 1111"), "{comment}");
        let nothing = Script::default();
        let again = given(&nothing, &update.session.unwrap(), &good(), true).unwrap();
        assert_eq!((nothing.sent().len(), again.findings.len()), (0, 0));
        let script = Script::default().then(200, "");
        let other = Rating { id: "r-2".into(), comment: None, ..good() };
        given(&script, &again.session.unwrap(), &other, false).unwrap();
        assert_eq!(script.body(0), json!({ "rating": 4 }), "the end user has changed their mind");
    }

    #[test]
    fn what_may_have_got_through_is_not_sent_again() {
        let session = in_state(SessionState::Returned).encode();
        let script = Script::default().then(500, "");
        let error = given(&script, &session, &good(), false).unwrap_err();
        assert_eq!((error.kind, script.sent().len()), (ErrorKind::OutcomeUnknown, 1));
        for (session, retry) in [(error.into_details().session.unwrap(), false), (session, true)] {
            let nothing = Script::default();
            let update = given(&nothing, &session, &good(), retry).unwrap();
            assert_eq!((nothing.sent().len(), update.findings[0].code.as_str()), (0, "rating-in-doubt"));
            let again = given(&nothing, &update.session.unwrap(), &good(), false).unwrap();
            assert_eq!((nothing.sent().len(), again.findings.len()), (0, 0));
        }
    }

    #[test]
    fn what_surely_changed_nothing_is_sent_again() {
        let session = in_state(SessionState::Returned).encode();
        let script = Script::default().then(429, "");
        let error = given(&script, &session, &good(), false).unwrap_err();
        assert_eq!((error.kind, error.session.is_none()), (ErrorKind::RateLimited, true));
        let script = Script::default().then(200, "");
        assert_eq!(given(&script, &session, &good(), false).unwrap().findings, []);
    }

    #[test]
    fn what_cannot_be_rated_is_refused_with_a_remedy_and_sent_nowhere() {
        for state in [
            SessionState::Requesting,
            SessionState::Queued,
            SessionState::Active,
            SessionState::Closing,
            SessionState::Failed,
        ] {
            let nothing = Script::default();
            let error = given(&nothing, &in_state(state).encode(), &good(), false).unwrap_err();
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some("session")));
            assert!(error.remedy.is_some() && nothing.sent().is_empty());
        }
        let mut ticketed = in_state(SessionState::Returned);
        ticketed.ticket = Some("7".into());
        let error = given(&Script::default(), &ticketed.encode(), &good(), false).unwrap_err();
        assert!(error.message.contains("ticket"), "{}", error.message);
        for (rating, field) in [
            (Rating { id: " ".into(), ..good() }, "rating.id"),
            (Rating { id: "x".repeat(256), ..good() }, "rating.id"),
            (Rating { score: 0, ..good() }, "rating.score"),
            (Rating { score: 6, ..good() }, "rating.score"),
            (Rating { comment: Some("é".repeat(5_001)), ..good() }, "rating.comment"),
        ] {
            let error =
                given(&Script::default(), &in_state(SessionState::Returned).encode(), &rating, false).unwrap_err();
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidRequest, Some(field)));
        }
    }
}

//! Whose conversation it is: which records a handoff finds, and which it must not.

use freshworks_simulator::{DuplicateUser, UserSearch, UserSpec};
use handoff_host::bindings::{EventKind, HandoffRequest, Mode};

use crate::support::{Desk, TOPIC, Talk, actions, codes, ignored, kinds, request, said, texts};

const EMAIL: &str = "ana@xylomar.example";
const PHONE: &str = "+15550100";

/// A person with these addresses, as an agent entered them: without an id of the platform.
fn contact() -> UserSpec {
    UserSpec {
        first_name: Some("Bea".into()),
        email: Some(EMAIL.into()),
        phone: Some(PHONE.into()),
        ..UserSpec::default()
    }
}

fn of(reference: &str, spec: UserSpec) -> UserSpec {
    UserSpec { reference_id: Some(reference.into()), ..spec }
}

/// A person with these unverified addresses.
fn stranger(email: Option<&str>, phone: Option<&str>) -> HandoffRequest {
    let mut request = request();
    (request.user.email, request.user.email_verified) = (email.map(str::to_owned), false);
    (request.user.phone, request.user.phone_verified) = (phone.map(str::to_owned), false);
    request
}

/// The same person, asking for a human agent in another conversation.
fn again(request: &HandoffRequest) -> HandoffRequest {
    let mut again = request.clone();
    again.key.conversation = "43".into();
    again
}

#[tokio::test]
async fn a_stranger_with_a_contacts_address_gets_a_record_and_a_conversation_of_their_own() {
    for (email, phone) in [(Some(EMAIL), None), (None, Some(PHONE)), (Some(EMAIL), Some(PHONE))] {
        for duplicates in [DuplicateUser::Allow, DuplicateUser::Conflict, DuplicateUser::ReturnExisting] {
            let desk = Desk::connected().await;
            desk.sim.set_behaviour(|it| it.duplicate_user = duplicates);
            let bea = desk.sim.seed_user(contact());
            let topic = desk.sim.topic_id(TOPIC).unwrap();
            let (theirs, _) = desk.sim.user_starts(&topic, &bea, &said("my card is gone")).await.unwrap();
            let before = desk.sim.users();

            let mut talk = Talk::of(desk, &stranger(email, phone)).await;
            let sim = &talk.desk.sim;
            let users = sim.users();
            assert_eq!((users.len(), &users[0]), (2, &before[0]), "the contact's record is unchanged");
            assert_eq!((&users[1].email, &users[1].phone), (&None, &None));
            assert_ne!(talk.id, theirs);
            assert_eq!(talk.conversation().user_id, users[1].id);
            assert_eq!(texts(&sim.conversation(&theirs).unwrap()).len(), 1);
            let brief = texts(&talk.conversation()).pop().unwrap().2;
            for address in [email, phone].into_iter().flatten() {
                assert!(brief.contains(&format!("{address} (not verified)")), "{brief}");
            }

            // Messages to the contact stay there; messages to the stranger arrive.
            let maya = talk.desk.maya();
            let secret = talk.desk.sim.reply(&theirs, &maya, &said("your new PIN is 1234")).await.unwrap();
            let heard = talk.hear(&secret).await;
            assert!(!heard.is_empty());
            for event in &heard {
                assert_eq!(ignored(std::slice::from_ref(event)), "foreign-conversation");
            }
            let told = talk.desk.sim.reply(&talk.id, &maya, &said("hello")).await.unwrap();
            assert!(kinds(&talk.hear(&told).await).contains(&EventKind::AgentMessage));
        }
    }
}

#[tokio::test]
async fn a_stranger_is_known_again_by_the_platforms_id() {
    let desk = Desk::connected().await;
    desk.sim.seed_user(contact());
    let request = stranger(Some(EMAIL), Some(PHONE));
    desk.handoff(&request, None).await.result.unwrap();
    let receipt = desk.handoff(&again(&request), None).await.result.unwrap();
    assert_eq!(actions(&receipt.steps)[0], "find-user");
    assert_eq!(desk.sim.users().len(), 2);
}

#[tokio::test]
async fn an_address_that_is_not_verified_is_not_written_into_a_known_record() {
    let desk = Desk::connected().await;
    desk.sim.seed_user(of("user-1", UserSpec::default()));
    desk.handoff(&stranger(Some(EMAIL), Some(PHONE)), None).await.result.unwrap();
    let user = desk.sim.users().remove(0);
    assert_eq!(user.first_name.as_deref(), Some("Ana"), "what is lacking is added");
    assert_eq!((user.email, user.phone), (None, None));
}

#[tokio::test]
async fn a_plan_finds_no_record_by_an_unverified_address() {
    let desk = Desk::connected().await;
    desk.sim.seed_user(contact());
    let plan = desk.preview(&stranger(Some(EMAIL), None)).await.result.unwrap();
    assert_eq!(actions(&plan.steps), ["create-user", "create-conversation"]);
    assert!(plan.texts.last().unwrap().contains("(not verified)"));
}

#[tokio::test]
async fn a_ticket_goes_to_an_address_that_is_not_verified_and_says_so() {
    let desk = Desk::connected().await.with_tickets();
    let request = HandoffRequest { mode: Mode::Ticket, ..stranger(Some(EMAIL), None) };
    desk.handoff(&request, None).await.result.unwrap();
    let ticket = desk.sim.tickets().remove(0);
    assert_eq!(ticket.requester.facts.email.as_deref(), Some(EMAIL));
    assert!(ticket.description_text.contains(&format!("{EMAIL} (not verified)")));
    assert!(desk.sim.users().is_empty());
}

#[tokio::test]
async fn a_verified_phone_number_is_compared_by_its_digits() {
    let desk = Desk::connected().await;
    let id = desk.sim.seed_user(UserSpec { phone: Some("+1 (555) 01-00".into()), ..UserSpec::default() });
    let mut request = stranger(None, Some(PHONE));
    request.user.phone_verified = true;
    desk.handoff(&request, None).await.result.unwrap();
    assert_eq!(desk.conversation().user_id, id);
    let asked = desk.sim.journal().into_iter().map(|call| call.query.unwrap_or_default()).collect::<Vec<_>>();
    assert!(asked.contains(&"phone_no=%2B15550100".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn records_that_do_not_match_the_search_are_ignored() {
    for search in [UserSearch::Everybody, UserSearch::Prefix] {
        let desk = Desk::connected().await;
        desk.sim.set_behaviour(|it| it.user_search = search);
        let others = [
            of("user-10", UserSpec::default()),
            of("USER-1", UserSpec::default()),
            UserSpec { email: Some(format!("{EMAIL}.au")), ..UserSpec::default() },
            UserSpec { phone: Some(format!("{PHONE}9")), ..UserSpec::default() },
        ];
        for other in others {
            desk.sim.seed_user(other);
        }
        let before = desk.sim.users();
        for by_phone in [false, true] {
            let mut request = request();
            request.user.id = format!("user-1{}", if by_phone { " b" } else { "" });
            request.key.conversation = request.user.id.clone();
            if by_phone {
                (request.user.email, request.user.phone) = (None, Some(PHONE.into()));
            }
            let receipt = desk.handoff(&request, None).await.result.unwrap();
            assert_eq!(codes(&receipt.findings), ["lookup-mismatch"], "{search:?}");
            let own = desk.sim.users().pop().unwrap();
            assert_eq!(own.reference_id.as_ref(), Some(&request.user.id));
            assert_eq!(desk.sim.conversations().pop().unwrap().user_id, own.id);
        }
        assert_eq!(desk.sim.users()[..before.len()], before, "records of others stay as they are");
    }
}

#[tokio::test]
async fn a_known_person_is_found_among_unrelated_records() {
    for search in [UserSearch::Everybody, UserSearch::Prefix] {
        for known in [of("user-1", UserSpec::default()), UserSpec { email: Some(EMAIL.into()), ..UserSpec::default() }]
        {
            let desk = Desk::connected().await;
            desk.sim.set_behaviour(|it| it.user_search = search);
            desk.sim.seed_user(of("user-10", UserSpec { email: Some(format!("{EMAIL}.au")), ..UserSpec::default() }));
            let id = desk.sim.seed_user(known);
            let receipt = desk.handoff(&request(), None).await.result.unwrap();
            assert_eq!(desk.conversation().user_id, id, "{search:?}");
            assert_eq!(codes(&receipt.findings), ["lookup-mismatch"]);
            assert_eq!(desk.sim.users().len(), 2);
        }
    }
}

#[tokio::test]
async fn a_search_that_is_refused_does_not_refuse_the_handoff() {
    for search in [UserSearch::Refused, UserSearch::NotFound] {
        let desk = Desk::connected().await;
        desk.sim.set_behaviour(|it| it.user_search = search);
        let receipt = desk.handoff(&request(), None).await.result.unwrap();
        assert_eq!(codes(&receipt.findings), ["lookup-refused"], "said once");
        assert_eq!(actions(&receipt.steps), ["create-user", "create-conversation"]);
        assert_eq!(desk.lines().iter().filter(|line| *line == "GET /v2/users").count(), 4, "each is asked twice");
        assert_eq!(desk.conversation().user_id, desk.sim.users()[0].id);
        let plan = desk.preview(&again(&request())).await.result.unwrap();
        assert_eq!(codes(&plan.findings), ["lookup-refused"]);
    }
}

#[tokio::test]
async fn another_persons_record_is_not_taken_for_a_new_one() {
    // Another platform user with the same mailbox; a family's record with the same phone number.
    let family = UserSpec { phone: Some(PHONE.into()), ..UserSpec::default() };
    for other in [of("user-2", contact()), family] {
        for (duplicates, code) in
            [(DuplicateUser::ReturnExisting, "address-taken"), (DuplicateUser::Conflict, "address-refused")]
        {
            let desk = Desk::connected().await;
            desk.sim.set_behaviour(|it| it.duplicate_user = duplicates);
            let theirs = desk.sim.seed_user(other.clone());
            let mut request = request();
            request.user.phone = Some(PHONE.into());
            let receipt = desk.handoff(&request, None).await.result.unwrap();
            assert_eq!(codes(&receipt.findings), [code]);
            let users = desk.sim.users();
            assert_eq!((users.len(), users[1].reference_id.as_deref()), (2, Some("user-1")));
            assert_eq!((&users[1].email, &users[1].phone), (&None, &None));
            assert_ne!(desk.conversation().user_id, theirs);
        }
    }
}

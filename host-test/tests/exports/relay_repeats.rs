//! `relay`, interrupted at any point and retried: each piece arrives once and in order.

use std::sync::Arc;

use freshworks_simulator::{CreateWhileOpen, Fault, How, Match, SendToResolved};

use crate::support::{Desk, SPOKEN, StopAt, Talk, count_of, numbers_in, request, said, texts, user_message};

fn sends() -> Match {
    Match::path("/v2/conversations/*/messages").method("POST")
}

fn hows() -> [How; 4] {
    [How::status(500), How::Cut, How::CutMidBody, How::Garbage]
}

/// Five pieces that can be counted, each of one message's length.
fn long_text() -> String {
    (0..5).map(|number| format!("(message {number}) {SPOKEN} {}\n", "o".repeat(450))).collect()
}

async fn talk() -> Talk {
    let mut request = request();
    request.history.as_mut().unwrap().clear();
    Talk::of(Desk::connected().await.set("max_message_chars", 500), &request).await
}

async fn until_done(talk: &mut Talk, id: &str, text: &str) {
    for _ in 0..4 {
        if talk.relay(&user_message(id, text)).await.is_ok() {
            return;
        }
    }
    panic!("it never succeeds");
}

#[tokio::test]
async fn any_piece_may_fail_before_or_after_it_arrives() {
    for how in hows() {
        for number in 1..=5 {
            for after in [false, true] {
                let mut talk = talk().await;
                let fault = Fault::new(sends().nth(number), how.clone());
                talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
                until_done(&mut talk, "m1", &long_text()).await;
                let what = format!("piece {number}, after: {after}, {how:?}");
                assert_eq!(numbers_in(&talk.conversation()), [0, 1, 2, 3, 4], "{what}");
                until_done(&mut talk, "m1", &long_text()).await;
                assert_eq!(numbers_in(&talk.conversation()), [0, 1, 2, 3, 4], "{what}");
            }
        }
    }
}

#[tokio::test]
async fn equal_messages_are_distinguished_although_one_is_in_doubt() {
    for after in [false, true] {
        let mut talk = talk().await;
        until_done(&mut talk, "m1", &said("yes")).await;
        let fault = Fault::new(sends(), How::Cut);
        talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
        until_done(&mut talk, "m2", &said("yes")).await;
        until_done(&mut talk, "m3", &said("yes")).await;
        assert_eq!(count_of(&talk.conversation(), &said("yes")), 3, "after: {after}");
    }
}

#[tokio::test]
async fn equal_pieces_of_one_message_all_arrive() {
    let text = [SPOKEN.repeat(70), SPOKEN.repeat(70), SPOKEN.repeat(70)].join("\n");
    for number in 1..=3 {
        for after in [false, true] {
            let mut talk = talk().await;
            let fault = Fault::new(sends().nth(number), How::Cut);
            talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
            until_done(&mut talk, "m1", &text).await;
            let count = count_of(&talk.conversation(), &SPOKEN.repeat(70));
            assert_eq!(count, 3, "piece {number}, after: {after}");
        }
    }
}

#[tokio::test]
async fn a_message_that_was_stored_and_refused_is_there_once() {
    let mut talk = talk().await;
    talk.desk.sim.set_behaviour(|it| it.email_quirk = true);
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap();
    talk.relay(&user_message("m2", &said("hello"))).await.unwrap();
    assert_eq!(count_of(&talk.conversation(), &said("hello")), 2);

    let mut talk = self::talk().await;
    talk.desk.sim.fail(Fault::new(sends(), How::status(400)).after_effect());
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap();
    assert_eq!(count_of(&talk.conversation(), &said("hello")), 1);
}

#[tokio::test]
async fn answers_between_the_tries_do_not_hide_the_message() {
    let mut talk = talk().await;
    talk.desk.sim.fail(Fault::new(sends(), How::Cut).after_effect());
    talk.relay(&user_message("m1", &said("hello"))).await.unwrap_err();
    for number in 0..30 {
        let answer =
            talk.desk.sim.reply(&talk.id, &talk.desk.maya(), &said(&format!("answer {number}"))).await.unwrap();
        talk.hear(&answer).await;
    }
    until_done(&mut talk, "m1", &said("hello")).await;
    assert_eq!(count_of(&talk.conversation(), &said("hello")), 1);
}

#[tokio::test]
async fn a_message_that_the_platform_gave_up_does_not_block_the_next() {
    let mut talk = talk().await;
    talk.desk.sim.fail(Fault::new(sends(), How::Cut));
    talk.relay(&user_message("m1", &said("first"))).await.unwrap_err();
    talk.relay(&user_message("m2", &said("second"))).await.unwrap();
    assert_eq!(count_of(&talk.conversation(), &said("second")), 1);
}

#[tokio::test]
async fn a_postponed_message_is_looked_for_after_those_that_overtook_it() {
    for after in [false, true] {
        let mut talk = talk().await;
        let fault = Fault::new(sends(), How::Cut);
        talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
        talk.relay(&user_message("m1", &said("first"))).await.unwrap_err();
        for number in 2..5 {
            talk.relay(&user_message(&format!("m{number}"), &said("next"))).await.unwrap();
        }
        until_done(&mut talk, "m1", &said("first")).await;
        let conversation = talk.conversation();
        let counts = (count_of(&conversation, &said("first")), count_of(&conversation, &said("next")));
        assert_eq!(counts, (1, 3), "after: {after}");
    }
}

#[tokio::test]
async fn a_message_does_not_pass_for_the_one_that_opened_the_next_conversation() {
    for after in [false, true] {
        let mut talk = talk().await;
        talk.desk.sim.set_behaviour(|it| it.send_to_resolved = SendToResolved::NotLatest);
        talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
        let fault = Fault::new(Match::path("/v2/conversations").method("POST"), How::Cut);
        talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
        talk.relay(&user_message("m1", &said("first"))).await.unwrap_err();
        until_done(&mut talk, "m2", &said("second")).await;
        until_done(&mut talk, "m1", &said("first")).await;
        let all = talk.desk.sim.conversations();
        let counts = (all.len(), count_of(&all[1], &said("first")), count_of(&all[1], &said("second")));
        assert_eq!(counts, (2, 1, 1), "after: {after}");
    }
}

#[tokio::test]
async fn equal_pieces_of_one_message_all_arrive_although_the_session_is_old() {
    let text = [SPOKEN.repeat(70), SPOKEN.repeat(70), SPOKEN.repeat(70)].join("\n");
    for index in 0..3 {
        for after in [false, true] {
            let mut talk = talk().await;
            let calm = talk.desk.sandbox.clone();
            talk.desk.sandbox = calm.clone().interceptor(Arc::new(StopAt { index, after }));
            let stopped = talk.desk.relay(&talk.session, &user_message("m1", &text)).await;
            assert!(stopped.result.unwrap_err().trap().is_some());
            talk.desk.sandbox = calm;
            talk.desk.relay_again(&talk.session, &user_message("m1", &text)).await.result.unwrap();
            let count = count_of(&talk.conversation(), &SPOKEN.repeat(70));
            assert_eq!(count, 3, "stopped at piece {index}, after: {after}");
        }
    }
}

#[tokio::test]
async fn the_conversation_that_continues_is_made_once() {
    let creates = || Match::path("/v2/conversations").method("POST");
    for while_open in [CreateWhileOpen::Append, CreateWhileOpen::AlwaysNew] {
        for how in hows() {
            for after in [false, true] {
                let mut talk = talk().await;
                talk.desk.sim.set_behaviour(|it| {
                    it.send_to_resolved = SendToResolved::NotLatest;
                    it.create_while_open = while_open;
                });
                talk.desk.sim.resolve(&talk.id, &talk.desk.maya()).await.unwrap();
                let fault = Fault::new(creates(), how.clone());
                talk.desk.sim.fail(if after { fault.after_effect() } else { fault });
                until_done(&mut talk, "m1", &long_text()).await;
                until_done(&mut talk, "m2", &said("thanks")).await;
                let what = format!("{while_open:?}, {how:?}, after: {after}");
                let all = talk.desk.sim.conversations();
                assert_eq!(all.len(), 2, "{what}");
                assert_eq!(numbers_in(&all[1]), [0, 1, 2, 3, 4], "{what}");
                assert_eq!(texts(&all[1]).len(), 7, "{what}: the opening, five pieces, thanks");
            }
        }
    }
}

#[tokio::test]
async fn a_plugin_that_is_stopped_before_it_sends_loses_nothing() {
    let mut talk = talk().await;
    let calm = talk.desk.sandbox.clone();
    talk.desk.sandbox = calm.clone().interceptor(Arc::new(StopAt { index: 0, after: false }));
    let stopped = talk.desk.relay(&talk.session, &user_message("m1", &said("hello"))).await;
    assert!(stopped.result.unwrap_err().trap().is_some());
    talk.desk.sandbox = calm;
    until_done(&mut talk, "m1", &said("hello")).await;
    assert_eq!(count_of(&talk.conversation(), &said("hello")), 1);
}

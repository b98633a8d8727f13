//! Tickets and notes with files: forms.

use serde_json::json;

use crate::ticket_desk::{Desk, ana, message, refused};

const TICKETS: &str = "/api/v2/tickets";

const FIELDS: [(&str, &[u8]); 6] = [
    ("name=\"email\"", b"ana@example.org"),
    ("name=\"subject\"", b"Refund"),
    ("name=\"description\"", "<p>H\u{e9}llo</p>".as_bytes()),
    ("name=\"status\"", b"2"),
    ("name=\"priority\"", b"1"),
    ("name=\"source\"", b"7"),
];

fn with<'a>(more: &[(&'a str, &'a [u8])]) -> Vec<(&'a str, &'a [u8])> {
    FIELDS.iter().chain(more).copied().collect()
}

#[tokio::test]
async fn a_form_carries_lists_custom_fields_and_files() {
    let it = Desk::start().await;
    let answer = it
        .form(
            TICKETS,
            &with(&[
                ("name=\"tags[]\"", b"one"),
                ("name=\"tags[]\"", b"two"),
                ("name=\"custom_fields[cf_order]\"", b"A-7"),
                ("name=\"attachments[]\"; filename=\"a b.txt\"\r\nContent-Type: text/plain", b"first"),
                ("name=\"attachments[]\"; filename=\"c.bin\"\r\nContent-Type: image/png", &[0, 159, 146, 150]),
            ]),
        )
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let ticket = &it.sim.tickets()[0];
    assert_eq!((ticket.status, ticket.source, ticket.description_text.as_str()), (2, 7, "H\u{e9}llo"));
    assert_eq!(ticket.tags, ["one", "two"]);
    assert_eq!(ticket.custom_fields["cf_order"], "A-7");
    let files: Vec<_> =
        ticket.attachments.iter().map(|file| (&*file.name, &*file.content_type, &*file.content)).collect();
    let binary: &[u8] = &[0, 159, 146, 150];
    assert_eq!(files, [("a b.txt", "text/plain", b"first".as_slice()), ("c.bin", "image/png", binary)]);

    let shown = &answer.json()["attachments"][1];
    assert_eq!((&shown["name"], &shown["size"]), (&json!("c.bin"), &json!(4)));
    let url = shown["attachment_url"].as_str().unwrap();
    let path = url.strip_prefix(it.sim.ticket_origin()).unwrap();
    let file = it.get(path).await;
    assert_eq!((&*file.body, &file.headers["content-type"]), (binary, &"image/png".parse().unwrap()));
}

#[tokio::test]
async fn numbers_in_a_form_are_read_from_texts() {
    let it = Desk::start().await;
    let mut parts = with(&[]);
    parts[3].1 = b"open";
    let answer = it.form(TICKETS, &parts).await;
    assert_eq!(refused(&answer), [("status".to_owned(), "datatype_mismatch".to_owned())]);
}

#[tokio::test]
async fn a_file_without_a_name_or_a_type_is_refused() {
    let it = Desk::start().await;
    for headers in ["name=\"attachments[]\"; filename=\"a.txt\"", "name=\"attachments[]\"\r\nContent-Type: text/plain"]
    {
        let answer = it.form(TICKETS, &with(&[(headers, b"x")])).await;
        assert_eq!(refused(&answer), [("attachments".to_owned(), "datatype_mismatch".to_owned())], "{headers}");
        assert_eq!(message(&answer), "It should contain elements of type valid file format only");
    }
    assert_eq!(it.sim.tickets(), []);
}

#[tokio::test]
async fn fields_with_a_file_name_are_not_seen() {
    let it = Desk::start().await;
    let named: Vec<(String, &[u8])> =
        FIELDS.iter().map(|(name, text)| (format!("{name}; filename=\"\""), *text)).collect();
    let parts: Vec<(&str, &[u8])> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let refused = refused(&it.form(TICKETS, &parts).await);
    assert_eq!(refused.len(), 5);
    assert!(refused.iter().all(|(_, code)| code == "missing_field"), "{refused:?}");
}

#[tokio::test]
async fn custom_fields_in_one_text_are_an_error_of_the_service() {
    let it = Desk::start().await;
    let answer = it.form(TICKETS, &with(&[("name=\"custom_fields\"", b"{\"cf_order\":\"7\"}")])).await;
    assert_eq!((answer.status, &answer.json()["code"]), (500, &json!("internal_error")));
    assert_eq!(it.sim.tickets(), []);
}

#[tokio::test]
async fn a_ticket_has_a_size_and_its_notes_count() {
    let it = Desk::start().await;
    let file = "name=\"attachments[]\"; filename=\"f\"\r\nContent-Type: text/plain";
    it.sim.set_behaviour(|behaviour| behaviour.max_ticket_bytes = Some(100));
    let fits = vec![b'x'; 100 - "<p>H\u{e9}llo</p>".len()];
    let over = [fits.clone(), vec![b'x']].concat();
    let invalid = [("attachments".to_owned(), "invalid_size".to_owned())];
    assert_eq!(refused(&it.form(TICKETS, &with(&[(file, &over)])).await), invalid);
    assert_eq!(it.form(TICKETS, &with(&[(file, &fits)])).await.status, 201);
    let notes = format!("{TICKETS}/1/notes");
    assert_eq!(refused(&it.form(&notes, &[("name=\"body\"", b"n"), (file, b"")]).await), invalid);
    it.sim.set_behaviour(|behaviour| behaviour.ticket_too_large_status = 413);
    assert_eq!(it.form(TICKETS, &with(&[(file, &over)])).await.status, 413);
    assert_eq!((it.sim.tickets().len(), it.sim.tickets()[0].entries.len()), (1, 0));
}

#[tokio::test]
async fn the_limit_of_freshdesk_is_twenty_megabytes() {
    let it = Desk::start().await;
    let mut body = ana();
    let file = "name=\"attachments[]\"; filename=\"f\"\r\nContent-Type: text/plain";
    let over = vec![b'x'; 20 << 20];
    assert_eq!(refused(&it.form(TICKETS, &with(&[(file, &over)])).await)[0].1, "invalid_size");
    body["description"] = json!("x".repeat(20 << 20));
    assert_eq!(it.post(TICKETS, body).await.status, 201);
}

#[tokio::test]
async fn a_note_can_have_files() {
    let it = Desk::start().await;
    let id = it.open("Refund").await;
    let file = "name=\"attachments[]\"; filename=\"log.txt\"\r\nContent-Type: text/plain";
    let parts: [(&str, &[u8]); 3] = [("name=\"body\"", b"see"), ("name=\"private\"", b"false"), (file, b"log")];
    let answer = it.form(&format!("{TICKETS}/{id}/notes"), &parts).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let entry = &it.sim.ticket(id).unwrap().entries[0];
    assert!(!entry.private);
    assert_eq!((&*entry.attachments[0].name, &*entry.attachments[0].content), ("log.txt", b"log".as_slice()));
}

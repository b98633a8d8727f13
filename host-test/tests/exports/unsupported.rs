//! The functions that this version does not have: they say so, and their words are missing from the capabilities.

use host_test::bindings::{ErrorKind, PluginError};

use crate::support::{Desk, refused_at_once, request};

pub(crate) const PREVIEW: crate::coverage::Covered = &[("unsupported", "preview_is_not_supported")];
pub(crate) const CREATE_TICKET: crate::coverage::Covered = &[("unsupported", "create_ticket_is_not_supported")];

async fn check(desk: &Desk, error: PluginError, capability: &str) {
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.remedy.is_some() && error.session.is_none());
    let capabilities = desk.describe().await.result.unwrap().capabilities;
    assert!(!capabilities.iter().any(|word| word == capability), "{capabilities:?}");
    assert!(desk.lines().is_empty());
}

#[tokio::test]
async fn preview_is_not_supported() {
    let desk = Desk::connected().await;
    check(&desk, refused_at_once(desk.preview(&request()).await), "preview").await;
}

#[tokio::test]
async fn create_ticket_is_not_supported() {
    let desk = Desk::connected().await;
    check(&desk, refused_at_once(desk.create_ticket(&request(), None).await), "tickets").await;
}

//! The address of the ticket desk, in every form in which admins paste it.
//!
//! Its key goes to this host with every call, so only hosts of Freshdesk and Freshservice are accepted.

use super::chat_url::{host_of, labels_are_valid};
use handoff_contract::error::Error;

const REMEDY: &str = "Enter the address of the ticket desk, for example acme.freshdesk.com or acme.freshservice.com.";
const FRESHDESK: &str = ".freshdesk.com";
const FRESHSERVICE: &str = ".freshservice.com";

/// Where tickets go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketDesk {
    /// Scheme, host and port.
    pub origin: String,
    /// Freshservice, which wraps its answers and counts its sources otherwise; else Freshdesk.
    pub is_freshservice: bool,
}

/// The desk at `acme` (Freshdesk), `acme.freshdesk.com` or `acme.freshservice.com`, with `https://` and path or without.
pub fn desk(text: &str) -> Result<TicketDesk, Error> {
    let fault = |message: &'static str| Error::settings("ticket_domain", message, REMEDY);
    let host = host_of(text).ok_or_else(|| fault("the address does not start with https://"))?;
    let host = if host.contains('.') { host } else { format!("{host}{FRESHDESK}") };
    let is_freshservice = host.ends_with(FRESHSERVICE);
    let account = host.strip_suffix(FRESHDESK).or_else(|| host.strip_suffix(FRESHSERVICE)).unwrap_or_default();
    if account.is_empty() || !labels_are_valid(account) || matches!(account, "www" | "support" | "developers") {
        return Err(fault("this is not the address of a Freshdesk or Freshservice account"));
    }
    Ok(TicketDesk { origin: format!("https://{host}"), is_freshservice })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pasted_form_of_the_address_works() {
        for form in ["acme", "acme.freshdesk.com", "https://ACME.freshdesk.com/a/tickets/1", " 'acme.freshdesk.com/' "]
        {
            let found = desk(form).unwrap();
            assert_eq!((found.origin.as_str(), found.is_freshservice), ("https://acme.freshdesk.com", false), "{form}");
        }
        assert!(desk("acme.freshservice.com").unwrap().is_freshservice);
    }

    #[test]
    fn the_key_goes_to_no_other_host() {
        for form in [
            "http://acme.freshdesk.com",
            "acme.freshchat.com",
            "acme.freshdesk.com.evil.example",
            "",
            "evil.example",
            "support.freshdesk.com",
            "a_b",
        ] {
            let error = desk(form).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("settings.ticket_domain"), "{form}");
        }
    }
}

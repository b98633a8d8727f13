//! The ticket desk's API v2, of Freshdesk and of Freshservice: its calls, and what its JSON means.

pub(crate) mod endpoints;
pub mod fields;
pub mod quotes;

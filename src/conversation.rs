//! What is known about one conversation: its journal, its session, its states, and what time does to it.

pub mod identity;
pub mod journal;
pub mod lifecycle;
pub mod session;
pub mod session_text;
pub mod ticket;
pub(crate) mod timers;

//! The simulator over real HTTP, as connectors and people meet it.

mod api;
mod faults;
mod inbox;
mod lists;
mod support;
mod webhooks;

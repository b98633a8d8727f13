//! The simulator over real HTTP, as connectors and people meet it.

mod api;
mod faults;
mod figures;
mod freshservice;
mod inbox;
mod inbox_acts;
mod lists;
mod program;
mod support;
mod switches;
mod ticket_desk;
mod ticket_forms;
mod ticket_lists;
mod ticket_threads;
mod tickets;
mod webhooks;

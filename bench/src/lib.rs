//! Benchmarks: the plugin in its host beside the same core natively, an ordinary Node service and an ordinary Python service.
//!
//! Every side is a process of its own on one core and talks to the same upstream on the other core, over keep-alive
//! connections. All of them do what `work.json` says. Times are compared in one run on one machine; only ratios mean anything
//! elsewhere.
//!
//! | file | what is in it |
//! |---|---|
//! | `upstream.rs` | what Freshchat answers, as a pure function |
//! | `work.rs` | what is measured: one account, one handoff, one message, one webhook |
//! | `native.rs` | the core's HTTP natively |
//! | `measure.rs` | runs an operation so many times, so many at once |
//! | `bin/core.rs` | the core without any network, for counting instructions |
//! | `bin/upstream.rs`, `bin/side.rs` | the two processes of a comparison |
//! | `bin/bench/` | everything together: tables, curves, `target/bench.json` |

pub mod upstream;

#[cfg(feature = "hosts")]
pub mod measure;
#[cfg(feature = "hosts")]
pub mod native;
#[cfg(feature = "hosts")]
pub mod work;

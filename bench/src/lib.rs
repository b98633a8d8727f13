//! Benchmarks: the plugin in its host compared with the native core, an ordinary Node service and an ordinary Python service.
//!
//! Every side is a separate process on one core and talks to the same upstream on the other core, over keep-alive
//! connections. All do the work in `work.json`. Times are compared within one run on one machine; elsewhere, only ratios are
//! meaningful.
//!
//! | file | contents |
//! |---|---|
//! | `upstream.rs` | Freshchat's responses, as a pure function |
//! | `work.rs` | the work: one account, one handoff, one message, one webhook |
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

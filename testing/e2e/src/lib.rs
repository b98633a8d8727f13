//! End to end on one machine: an AI agent's platform, the bridge on the Spin emulator, and Freshworks.
//!
//! | file | what is in it |
//! |---|---|
//! | `stage.rs` | the bridge with its store, its instances, and Freshworks behind it |
//! | `front.rs` | what stands before several instances of an app |
//! | `real_spin.rs` | the bridge on a real Spin, where there is one |
//! | `main.rs`, `demo.rs`, `screen.rs`, `serve.rs` | the program: a story that plays by itself, and a stage to be used by hand |
//! | `api.rs` | calls of the bridge's API |

mod api;
mod environment;
mod front;
mod real_spin;

pub use api::{Api, Reply};
pub use environment::{ENCRYPTION_KEY, Environment, SECRET, Store, TOKEN, component, delight_settings};
pub use front::Front;

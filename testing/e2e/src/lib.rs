//! End to end on one machine: an AI agent's platform, the bridge on the Spin emulator, and Freshworks.
//!
//! | file | contents |
//! |---|---|
//! | `environment.rs` | the bridge with its store, its instances, and Freshworks |
//! | `front.rs` | a load balancer for several instances of an app |
//! | `real_spin.rs` | the bridge on a real Spin, if installed |
//! | `main.rs`, `demo.rs`, `screen.rs`, `serve.rs` | the program: an automatic demo, and an environment for manual use |
//! | `api.rs` | calls of the bridge's API |

mod api;
mod environment;
mod front;
mod real_spin;

pub use api::{Api, Reply};
pub use environment::{ENCRYPTION_KEY, Environment, SECRET, Store, TOKEN, component, delight_settings};
pub use front::Front;

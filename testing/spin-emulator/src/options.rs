//! What an app is given.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::sqlite::SqliteFile;

/// How to run an app. The default: no variables, a database of its own in memory, no way out, a free port.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The component's variables. Names as Spin has them: `[a-z][a-z0-9]*`, in groups joined by `_`.
    pub variables: BTreeMap<String, String>,
    /// The database behind the label `default`, and the key-value store of that label. Clones are the same database: give
    /// it to several apps to make them instances of one.
    pub sqlite: SqliteFile,
    /// What the component may reach: `scheme://host:port`, compared as written (`127.0.0.1` is not `localhost`). The port
    /// may be left out for http, https and redis (not for rediss, as in Spin); each part may be `*`.
    pub allowed_outbound_hosts: Vec<String>,
    /// Origins that are somewhere else, as a line in the host's own list of names would say: what is sent to
    /// `https://name` goes to this origin instead. [`allowed_outbound_hosts`](Options::allowed_outbound_hosts) is asked for the name.
    pub elsewhere: BTreeMap<String, String>,
    /// PEM text of the certificate authorities whose word counts for `rediss://`; none for those of Mozilla's list. Spin asks the
    /// operating system's list.
    pub redis_authorities: Option<String>,
    /// The port on 127.0.0.1; 0 for a free one.
    pub port: u16,
    /// Whether an instance goes on when its response has been sent, as in Spin up to 4.0, or ends with it, as in the Spin after that
    /// (`AbortOnDropBody` in its `trigger-http/src/wasi.rs`). What must not be lost has to bear both.
    pub goes_on_after_response: bool,
    /// The bounds of one request.
    pub limits: Limits,
}

/// The bounds of one request. One that reaches them gets a 500; requests beside it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes; at most 256 MiB.
    pub memory_bytes: usize,
    /// Time from the request's arrival to the end of its instance, waiting included.
    pub time: Duration,
}

impl Default for Limits {
    /// Those of Fermyon's hosted Spin (its documentation): 128 MiB, 30 s.
    fn default() -> Self {
        Self { memory_bytes: 128 << 20, time: Duration::from_secs(30) }
    }
}

//! An app's configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::sqlite::SqliteFile;

/// How to run an app. The default: no variables, a separate in-memory database, no outbound hosts, a free port.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The component's variables. Names as Spin has them: `[a-z][a-z0-9]*`, in groups joined by `_`.
    pub variables: BTreeMap<String, String>,
    /// The database with the label `default`, and the key-value store of that label. Clones share the database: give it to
    /// several apps to make them instances of one.
    pub sqlite: SqliteFile,
    /// What the component may reach: `scheme://host:port`, compared as written (`127.0.0.1` is not `localhost`). The port
    /// may be left out for http, https and redis (not for rediss, as in Spin); each part may be `*`.
    pub allowed_outbound_hosts: Vec<String>,
    /// Origins that are redirected, as by a line in the hosts file: requests to `https://name` go to this
    /// origin instead. [`allowed_outbound_hosts`](Options::allowed_outbound_hosts) is checked for the name.
    pub elsewhere: BTreeMap<String, String>,
    /// PEM text of the certificate authorities whose word counts for `rediss://`; none for those of Mozilla's list. Spin asks the
    /// operating system's list.
    pub redis_authorities: Option<String>,
    /// The port on 127.0.0.1; 0 for a free one.
    pub port: u16,
    /// Whether an instance continues after its response has been sent, as in Spin up to 4.0, or ends with it, as in the Spin after that
    /// (`AbortOnDropBody` in its `trigger-http/src/wasi.rs`). Anything that must not be lost has to cope with both.
    pub goes_on_after_response: bool,
    /// The bounds of one request.
    pub limits: Limits,
}

/// The limits of one request. A request that exceeds them gets a 500; others continue.
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

//! What one call did and what it cost, for logs, metrics and tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, Uri};

/// One HTTP request of a call. Holds no header, no body and no query value.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HttpCall {
    /// The request method.
    pub method: String,
    /// The URL, with each query value replaced by `*`: search values are people's addresses and ids.
    pub url: String,
    /// The response's status; none when there was no response.
    pub status: Option<u16>,
    /// Bytes of the request body that were sent.
    pub bytes_out: u64,
    /// Bytes of the response body that the plugin read.
    pub bytes_in: u64,
    /// From the request to the last byte that was read, or to the failure.
    #[serde(serialize_with = "as_milliseconds")]
    pub duration: Duration,
    /// Why it failed, as the WASI error says it; none when it did not.
    pub error: Option<String>,
}

/// What one call did and what it cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct CallReport {
    /// From the call to its result.
    #[serde(serialize_with = "as_milliseconds")]
    pub wall: Duration,
    /// For making the instance; part of `wall`.
    #[serde(serialize_with = "as_milliseconds")]
    pub instantiate: Duration,
    /// Time that a thread was busy with the call, waiting not included.
    #[serde(serialize_with = "as_milliseconds")]
    pub cpu: Duration,
    /// The most linear memory in use, in bytes.
    pub memory_bytes: u64,
    /// Instructions of the plugin, as wasmtime counts them; none unless the engine was told to count.
    pub fuel: Option<u64>,
    /// The requests, in the order in which the plugin made them.
    pub http: Vec<HttpCall>,
}

fn as_milliseconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Microseconds are enough, and keep the number short.
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
}

/// Collects a report while a call runs.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    instantiate_nanos: AtomicU64,
    fuel: OnceLock<u64>,
    memory_peak: Arc<AtomicU64>,
    http: Mutex<Vec<(HttpCall, Instant)>>,
}

impl Recorder {
    /// The cell that the memory meter writes to.
    pub(crate) fn memory_peak(&self) -> Arc<AtomicU64> {
        self.memory_peak.clone()
    }

    pub(crate) fn instantiated(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.instantiate_nanos.store(nanos, Ordering::Relaxed);
    }

    pub(crate) fn fuel_used(&self, fuel: u64) {
        // A recorder belongs to one call, which uses it once.
        self.fuel.get_or_init(|| fuel);
    }

    fn http(&self) -> MutexGuard<'_, Vec<(HttpCall, Instant)>> {
        // A panic elsewhere leaves the list as it was: each change is one assignment.
        self.http.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens an entry and returns its place in the list.
    pub(crate) fn begin(&self, method: &Method, uri: &Uri) -> usize {
        let call = HttpCall {
            method: method.to_string(),
            url: masked_url(uri),
            status: None,
            bytes_out: 0,
            bytes_in: 0,
            duration: Duration::ZERO,
            error: None,
        };
        let mut http = self.http();
        http.push((call, Instant::now()));
        http.len() - 1
    }

    fn change(&self, index: usize, change: impl FnOnce(&mut HttpCall)) {
        if let Some((call, started)) = self.http().get_mut(index) {
            change(call);
            call.duration = started.elapsed();
        }
    }

    pub(crate) fn sent(&self, index: usize, bytes: u64) {
        self.change(index, |call| call.bytes_out += bytes);
    }

    pub(crate) fn answered(&self, index: usize, status: u16) {
        self.change(index, |call| call.status = Some(status));
    }

    pub(crate) fn received(&self, index: usize, bytes: u64) {
        self.change(index, |call| call.bytes_in += bytes);
    }

    pub(crate) fn failed(&self, index: usize, error: &dyn std::fmt::Display) {
        self.change(index, |call| call.error = Some(error.to_string()));
    }

    /// The report, with requests that the end of the call cut off marked as such.
    pub(crate) fn finish(&self, wall: Duration, cpu: Duration) -> CallReport {
        let mut http: Vec<HttpCall> = self.http().iter().map(|(call, _)| call.clone()).collect();
        for call in http.iter_mut().filter(|call| call.status.is_none() && call.error.is_none()) {
            call.error = Some("the call ended before the response".to_owned());
        }
        CallReport {
            wall,
            instantiate: Duration::from_nanos(self.instantiate_nanos.load(Ordering::Relaxed)),
            cpu,
            memory_bytes: self.memory_peak.load(Ordering::Relaxed),
            fuel: self.fuel.get().copied(),
            http,
        }
    }
}

/// A URL that may be logged: without user info, each query value replaced by `*`.
fn masked_url(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |a| a.as_str());
    // What stands before an `@` is a password; the allow-list refuses such a URL, but the refusal is logged too.
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let mut url = format!("{}://{authority}{}", uri.scheme_str().unwrap_or_default(), uri.path());
    if let Some(query) = uri.query() {
        let names = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, _)) => format!("{name}=*"),
            // Without `=` there is no telling whether it is a name.
            None => "*".to_owned(),
        });
        url.push('?');
        url.push_str(&names.collect::<Vec<_>>().join("&"));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &'static str, masked: &str) {
        assert_eq!(masked_url(&Uri::from_static(uri)), masked);
    }

    #[test]
    fn query_values_are_masked() {
        check("https://a.example/v2/users?email=ana%40x.org&page=2", "https://a.example/v2/users?email=*&page=*");
        check("https://a.example/v2/users?token", "https://a.example/v2/users?*");
        check("https://a.example/v2/users?a=b=c", "https://a.example/v2/users?a=*");
        check("http://127.0.0.1:80/", "http://127.0.0.1:80/");
    }

    #[test]
    fn user_info_is_masked() {
        check("https://me:secret@a.example/x", "https://a.example/x");
    }

    #[test]
    fn a_request_cut_off_by_the_end_of_the_call_is_marked() {
        let recorder = Recorder::default();
        let first = recorder.begin(&Method::GET, &Uri::from_static("https://a.example/1"));
        recorder.answered(first, 200);
        recorder.begin(&Method::POST, &Uri::from_static("https://a.example/2"));
        let report = recorder.finish(Duration::ZERO, Duration::ZERO);
        assert_eq!(report.http[0].error, None);
        assert!(report.http[1].error.is_some());
    }
}

//! Bodies on their way: counted, bounded in size and in silence.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::limits::Allowance;
use crate::report::Recorder;

/// What wasi:http calls the failure of a response body. The head was there, so the request took effect.
pub(super) fn failure(error: hyper::Error) -> Error {
    if error.is_parse() { Error::HttpProtocolError } else { Error::HttpResponseIncomplete }
}

/// A request body that reports the bytes it hands out, and breaks off where the call has no bytes left.
pub(super) fn counted_request(
    body: WasiBody,
    index: usize,
    recorder: Arc<Recorder>,
    allowance: Arc<Allowance>,
) -> WasiBody {
    // A known size becomes a content-length; without it the body would go out in chunks.
    let size = body.size_hint();
    Counted { body, size, index, recorder, allowance }.boxed_unsync()
}

struct Counted {
    body: WasiBody,
    size: SizeHint,
    index: usize,
    recorder: Arc<Recorder>,
    allowance: Arc<Allowance>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
            if !self.allowance.take_bytes(bytes) {
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(None))));
            }
            self.recorder.sent(self.index, bytes);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}

/// What a response body must keep to.
pub(super) struct Guard {
    pub(super) index: usize,
    pub(super) recorder: Arc<Recorder>,
    pub(super) allowance: Arc<Allowance>,
    pub(super) max_bytes: u64,
    pub(super) between_bytes: Duration,
    /// Break off before the first byte.
    pub(super) cut: bool,
}

impl Guard {
    /// Wraps a response body.
    pub(super) fn watch(self, body: WasiBody) -> WasiBody {
        let silence = Box::pin(tokio::time::sleep(self.between_bytes));
        Watched { body, guard: self, read: 0, silence }.boxed_unsync()
    }
}

struct Watched {
    body: WasiBody,
    guard: Guard,
    read: u64,
    silence: Pin<Box<Sleep>>,
}

impl Watched {
    fn poll_checked(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.guard.cut {
            return Poll::Ready(Some(Err(Error::HttpResponseIncomplete)));
        }
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                self.read = self.read.saturating_add(bytes);
                if self.read > self.guard.max_bytes || !self.guard.allowance.take_bytes(bytes) {
                    return Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(self.guard.max_bytes)))));
                }
                self.guard.recorder.received(self.guard.index, bytes);
                self.silence.as_mut().reset(Instant::now() + self.guard.between_bytes);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Pending => {
                std::task::ready!(self.silence.as_mut().poll(context));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
            other => other,
        }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let poll = self.poll_checked(context);
        if let Poll::Ready(Some(Err(error))) = &poll {
            self.guard.recorder.failed(self.guard.index, error);
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        !self.guard.cut && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

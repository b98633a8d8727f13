//! Why a call did not give its result.

use crate::bindings::PluginError;
use crate::limits::MemoryLimitReached;

/// Why a call did not give its result. The three cases ask for different people: the plugin's answer for the
/// platform's code, a trap for the plugin's makers, the host's failure for the operator.
#[derive(Debug)]
pub enum CallError {
    /// The plugin answered with an error of the contract. Boxed, because it is large and rare.
    Plugin(Box<PluginError>),
    /// The plugin was stopped. The call may have done part of its work.
    Trap(Trap),
    /// The host could not make the call: no free instance in time, or a bug of the host.
    Host(String),
}

/// Why the plugin was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapKind {
    /// It panicked or aborted: a bug of the plugin.
    Panic,
    /// It needs more memory than [`Limits::memory_bytes`](crate::Limits::memory_bytes).
    Memory,
    /// It computed for longer than [`Limits::cpu`](crate::Limits::cpu).
    Cpu,
    /// The call took longer than [`Limits::wall`](crate::Limits::wall).
    Timeout,
    /// It recursed too deeply.
    StackOverflow,
    /// An [`Interceptor`](crate::Interceptor) asked for it.
    Injected,
    /// Another fault of the machine code, such as a division by zero.
    Other,
}

impl TrapKind {
    /// A stable word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Timeout => "timeout",
            Self::StackOverflow => "stack-overflow",
            Self::Injected => "injected",
            Self::Other => "other",
        }
    }
}

/// A plugin that was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trap {
    /// Why.
    pub kind: TrapKind,
    /// Why, as a sentence for the log.
    pub message: String,
    /// Where in the plugin, as far as its binary names its functions.
    pub backtrace: Option<String>,
}

impl Trap {
    pub(crate) fn new(kind: TrapKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), backtrace: None }
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plugin(error) => write!(f, "{}", error.message),
            Self::Trap(trap) => write!(f, "the plugin was stopped ({}): {}", trap.kind.as_str(), trap.message),
            Self::Host(message) => write!(f, "the host failed: {message}"),
        }
    }
}

impl std::error::Error for CallError {}

impl CallError {
    /// The plugin's own error, when it is one.
    pub fn plugin(&self) -> Option<&PluginError> {
        match self {
            Self::Plugin(error) => Some(error),
            _ => None,
        }
    }

    /// The trap, when it is one.
    pub fn trap(&self) -> Option<&Trap> {
        match self {
            Self::Trap(trap) => Some(trap),
            _ => None,
        }
    }

    /// Sorts what wasmtime reports when a call does not return.
    pub(crate) fn from_wasmtime(error: &wasmtime::Error) -> Self {
        let backtrace = error.downcast_ref::<wasmtime::WasmBacktrace>().map(ToString::to_string);
        if let Some(limit) = error.downcast_ref::<MemoryLimitReached>() {
            return Self::Trap(Trap { kind: TrapKind::Memory, message: limit.to_string(), backtrace });
        }
        let Some(trap) = error.downcast_ref::<wasmtime::Trap>() else {
            return Self::Host(error.root_cause().to_string());
        };
        let (kind, message) = match trap {
            wasmtime::Trap::Interrupt => (TrapKind::Cpu, "it computed for too long".to_owned()),
            wasmtime::Trap::StackOverflow => (TrapKind::StackOverflow, trap.to_string()),
            // How Rust's `abort` comes out on wasm32-unknown-unknown; the panic's text has nowhere to go there.
            wasmtime::Trap::UnreachableCodeReached => (TrapKind::Panic, "it panicked".to_owned()),
            other => (TrapKind::Other, other.to_string()),
        };
        Self::Trap(Trap { kind, message, backtrace })
    }
}

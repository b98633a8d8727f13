//! The stand-in, tried with a real component.

mod outbound;
mod probe;
mod redis;
mod requests;
mod sqlite;

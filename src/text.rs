//! Text between people and vendors: transcript, masking, markup, languages, times.

pub mod languages;
mod look;
pub mod masking;
pub mod plain_text;
pub mod summary;
pub mod time;
pub mod time_zone;
pub mod transcript;

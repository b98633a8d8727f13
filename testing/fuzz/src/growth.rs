//! Inputs that grow, for counting the work they take.
//!
//! A probe of these cases runs as WebAssembly in a host that counts instructions (`host-test/tests/growth.rs`): doubling the input may
//! at most double the work. Times would only show that on an idle machine.

use crate::core;
use crate::script::Material;

/// One function, or several in a row, over a text of any length.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// Tokens to repeat.
    pub tokens: &'static [&'static str],
    /// The work.
    pub run: fn(&[u8]),
}

const fn of(name: &'static str, material: &Material, run: fn(&[u8])) -> Case {
    Case { name, tokens: material.tokens, run }
}

/// All of them: every target of the core, and calls that text of people reaches through a vendor's body.
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> =
        core::TARGETS.iter().map(|target| of(target.name, &target.material, target.run)).collect();
    for (name, run) in [
        ("agent_message", core::agent_message as fn(&[u8])),
        ("summary", core::summary),
        ("ticket_reply", core::ticket_reply),
        ("relayed_message", core::relayed_message),
        ("relayed_to_ticket", core::relayed_to_ticket),
        ("handed_over", core::handed_over),
        ("filed", core::filed),
    ] {
        for tokens in [core::TEXT, core::MARKUP] {
            cases.push(Case { name, tokens, run });
        }
    }
    #[cfg(any(not(target_family = "wasm"), target_os = "wasi"))]
    cases.extend(crate::bridge::TARGETS.iter().map(|target| of(target.name, &target.material, target.run)));
    cases
}

/// Repetitions of one token, or of two in turn, up to this many bytes.
pub fn input(case: &Case, one: usize, other: Option<usize>, bytes: usize) -> Vec<u8> {
    let token = |place: usize| case.tokens.get(place).map_or("", |token| token);
    let unit = [token(one), other.map_or("", token)].concat();
    let mut text = unit.repeat(bytes / unit.len().max(1));
    // A number of bytes, not of repetitions, so that counts are comparable.
    text.push_str(&"a".repeat(bytes.saturating_sub(text.len())));
    text.into_bytes()
}

/// The host's entry points. Only this module may export symbols.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
mod exports {
    use super::{cases, input};

    /// How many cases there are.
    #[unsafe(no_mangle)]
    pub(crate) extern "C" fn count() -> u32 {
        u32::try_from(cases().len()).unwrap_or(u32::MAX)
    }

    /// How many tokens a case has.
    #[unsafe(no_mangle)]
    pub(crate) extern "C" fn tokens(case: u32) -> u32 {
        cases().get(case as usize).map_or(0, |case| u32::try_from(case.tokens.len()).unwrap_or(u32::MAX))
    }

    /// The address of a case's name, with its length in the upper half.
    #[unsafe(no_mangle)]
    pub(crate) extern "C" fn name(case: u32) -> u64 {
        let name = cases().get(case as usize).map_or("", |case| case.name);
        (name.len() as u64) << 32 | name.as_ptr() as u64
    }

    /// Runs a case. `other`: the second token, or an invalid index. Without `work`, only generates the input.
    #[unsafe(no_mangle)]
    pub(crate) extern "C" fn run(case: u32, one: u32, other: u32, bytes: u32, work: u32) {
        let cases = cases();
        let Some(case) = cases.get(case as usize) else { return };
        let other = Some(other as usize).filter(|other| *other < case.tokens.len());
        let input = input(case, one as usize, other, bytes as usize);
        if work == 1 {
            (case.run)(std::hint::black_box(&input));
        }
        drop(std::hint::black_box(input));
    }
}

//! Makes panics trap at once, instead of composing a message that is discarded.
//!
//! On wasm32-unknown-unknown the standard library throws a panic's message away and executes `unreachable`. Composing
//! the message keeps 7 KB alive: formatting, quoting, and call arguments for it. rustc's own switch for this,
//! `panic = "immediate-abort"`, is not stable. So the functions that every panic goes through get the body
//! `unreachable`, and the optimiser removes what only they needed. All checks remain, and failing ones still trap.

use std::ops::Range;

use anyhow::{Context, Result, ensure};
use wasmparser::{DataKind, KnownCustom, Name, Operator, Parser, Payload, TypeRef};

use crate::shrink;

/// Pieces of the names of functions of `core`, `alloc` and `std` that never return, in rustc's mangling, in which a number
/// before each word is its length.
const PANICS: [&str; 12] = [
    // The one that all others end in, and the shortcuts to it: `panic_bounds_check`, `panic_const`, `assert_failed`...
    "4core9panicking",
    "4core6option13expect_failed",
    "4core6option13unwrap_failed",
    "4core6result13unwrap_failed",
    "4core3str16slice_error_fail",
    "4core3str19slice_error_fail_rt",
    "4core5slice5index16slice_index_fail",
    "17len_mismatch_fail",
    "5alloc7raw_vec12handle_error",
    "5alloc7raw_vec17capacity_overflow",
    "5alloc5alloc18handle_alloc_error",
    "7___rustc17rust_begin_unwind",
];
/// No locals, `unreachable`, end.
const TRAP: &[u8] = &[0, 0, 0x0b];

/// The module with panics that only trap. It must still have its names.
pub(crate) fn trap(module: &[u8]) -> Result<Vec<u8>> {
    let (mut imported, mut bodies, mut panics) = (0, Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += usize::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
            Payload::CustomSection(section) => {
                let KnownCustom::Name(names) = section.as_known() else { continue };
                for names in names {
                    let Name::Function(functions) = names? else { continue };
                    for function in functions {
                        let function = function?;
                        if PANICS.iter().any(|panic| function.name.contains(panic)) {
                            panics.push(usize::try_from(function.index)?);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    // If another toolchain uses other names, fail instead of silently growing the plugin.
    ensure!(!panics.is_empty(), "found no panicking function in the plugin: see xtask/src/panics.rs");
    for panic in panics {
        let body = panic.checked_sub(imported).and_then(|index| bodies.get_mut(index));
        *body.context("a function name has no function")? = TRAP;
    }
    without_places(&shrink::with_code(module, &bodies)?)
}

/// The module with zeros for the places in source files that panics name, of which the optimiser leaves nothing: only bodies that
/// are gone have read them. A place is the address of a file's name, its length, line and column.
fn without_places(module: &[u8]) -> Result<Vec<u8>> {
    const SIZE: usize = 16;
    // Address, and where in the module the bytes stand.
    let mut segments: Vec<(usize, Range<usize>)> = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::DataSection(data) = payload? else { continue };
        for segment in data {
            let segment = segment?;
            let DataKind::Active { offset_expr, .. } = &segment.kind else { continue };
            let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else { continue };
            let end = usize::try_from(segment.range.end)?;
            segments.push((usize::try_from(value)?, end - segment.data.len()..end));
        }
    }
    let bytes_at = |address: usize, length: usize| {
        let (start, range) = segments.iter().find(|(start, range)| (*start..start + range.len()).contains(&address))?;
        module.get(range.clone())?.get(address - start..)?.get(..length)
    };
    let is_place = |bytes: &[u8]| {
        let mut numbers = bytes
            .chunks_exact(4)
            .map(|four| four.iter().rev().fold(0usize, |number, byte| number << 8 | usize::from(*byte)));
        let mut next = || numbers.next().unwrap_or_default();
        let (address, length, line, column) = (next(), next(), next(), next());
        let is_file =
            |name: &[u8]| name.strip_suffix(b"\0").unwrap_or(name).ends_with(b".rs") && !name.contains(&b'\n');
        (1..50_000).contains(&line)
            && (1..1_000).contains(&column)
            && (4..300).contains(&length)
            && bytes_at(address, length).is_some_and(is_file)
    };
    let mut without = module.to_vec();
    for (start, range) in &segments {
        let aligned = start.next_multiple_of(4) - start;
        for at in (range.start + aligned..(range.end + 1).saturating_sub(SIZE)).step_by(4) {
            if is_place(&module[at..at + SIZE]) {
                without[at..at + SIZE].fill(0);
            }
        }
    }
    Ok(without)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_panics_go_and_nothing_else_does() {
        let place = |name: u8, length: u8| [name, 0, 0, 0, length, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0];
        let module = |places: [[u8; 16]; 2]| {
            let data = [&b"lib.rs--"[..], &places.concat()].concat();
            let mut module = b"\0asm\x01\0\0\0\x05\x03\x01\0\x01\x0b".to_vec();
            module.push(data.len() as u8 + 6);
            // One segment, at address 64.
            module.extend([1, 0, 0x41, 0xc0, 0, 0x0b, data.len() as u8]);
            module.extend(data);
            module[14] = module.len() as u8 - 15;
            module
        };
        let (file, other) = (place(64, 6), place(64, 7));
        assert_eq!(without_places(&module([file, other])).unwrap(), module([[0; 16], other]));
    }

    #[test]
    fn what_panics_goes_through_traps() {
        // One imported function, one that panics, one that does not.
        let module = |panic: &[u8]| {
            let mut module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x07\x01\x01m\x01f\0\0\x03\x03\x02\0\0".to_vec();
            module.extend([10, 6 + panic.len() as u8, 2, panic.len() as u8]);
            module.extend_from_slice(panic);
            module.extend(b"\x03\0\x01\x0b");
            let name = b"_RNvNtC_4core9panicking9panic_fmt";
            module.extend([0, name.len() as u8 + 10, 4]);
            module.extend(b"name\x01");
            module.extend([name.len() as u8 + 3, 1, 1, name.len() as u8]);
            module.extend(name);
            module
        };
        let before = module(b"\0\x10\0\x0b");
        assert_eq!(trap(&before).unwrap(), module(TRAP));
        assert!(trap(&before[..before.len() - 45]).is_err(), "a module without names is not passed over");
    }
}

//! Makes the component smaller: Binaryen over its main module, then without names.
//! A
//! component is a header and a sequence of sections, including core modules. So the main module can be extracted, optimised and put
//! back without changing the rest of the linker's output.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{panics, process, tools};

const HEADER_BYTES: usize = 8;
const CUSTOM: u8 = 0;
const CORE_MODULE: u8 = 1;
const CODE: u8 = 10;
/// The wasm features that rustc's wasm32-unknown-unknown enables, which every host of its output supports.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// LLVM leaves little for a first round. After flattening and rebuilding loops, a second round finds more (4 KB).
///
/// Treats the lowest kilobyte as unused (saves 2 KB): it is the far end of the one-megabyte stack, and an access to it
/// through a wrapping address would trap.
const PASSES: [&str; 6] = ["-Oz", "--flatten", "--rereloop", "-Oz", "--converge", "--low-memory-unused"];

struct Section<'a> {
    id: u8,
    content: &'a [u8],
}

/// The sections of a component or module.
fn sections(binary: &[u8]) -> Result<Vec<Section<'_>>> {
    let mut rest = binary.get(HEADER_BYTES..).context("the file is too short")?;
    let mut sections = Vec::new();
    while let Some((&id, after_id)) = rest.split_first() {
        let (size, after_size) = leb128(after_id)?;
        ensure!(size <= after_size.len(), "a section is longer than the file");
        let (content, next) = after_size.split_at(size);
        sections.push(Section { id, content });
        rest = next;
    }
    Ok(sections)
}

fn leb128(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let mut number = 0usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        number |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok((number, &bytes[index + 1..]));
        }
    }
    anyhow::bail!("a number is not terminated")
}

fn write(header: &[u8], sections: &[Section<'_>]) -> Vec<u8> {
    let mut binary = header[..HEADER_BYTES].to_vec();
    for section in sections {
        binary.push(section.id);
        write_sized(&mut binary, section.content);
    }
    binary
}

fn write_sized(binary: &mut Vec<u8>, content: &[u8]) {
    write_leb128(binary, content.len());
    binary.extend_from_slice(content);
}

fn write_leb128(binary: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        binary.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    binary.push(number as u8);
}

/// The module with these bodies as its functions.
pub(crate) fn with_code(module: &[u8], bodies: &[&[u8]]) -> Result<Vec<u8>> {
    let mut code = Vec::new();
    write_leb128(&mut code, bodies.len());
    for body in bodies {
        write_sized(&mut code, body);
    }
    let mut sections = sections(module)?;
    for section in sections.iter_mut().filter(|section| section.id == CODE) {
        section.content = &code;
    }
    Ok(write(module, &sections))
}

/// The component with its main module optimised. Function names stay.
pub(crate) fn optimise(component: &[u8], folder: &Path) -> Result<Vec<u8>> {
    let mut sections = sections(component)?;
    let modules = sections.iter().enumerate().filter(|(_, section)| section.id == CORE_MODULE);
    let (main, _) = modules.max_by_key(|(_, section)| section.content.len()).context("the component has no module")?;
    let (before, after) = (folder.join("main.before.wasm"), folder.join("main.after.wasm"));
    std::fs::write(&before, panics::trap(sections[main].content)?)?;
    let mut wasm_opt = tools::wasm_opt()?;
    process::run(wasm_opt.args(PASSES).arg("-g").args(FEATURES).arg(&before).arg("-o").arg(&after))?;
    let module = std::fs::read(&after)?;
    sections[main].content = &module;
    let optimised = write(component, &sections);
    std::fs::remove_file(before)?;
    std::fs::remove_file(after)?;
    Ok(optimised)
}

/// The component without custom sections (names, producers) of its own or of its modules.
pub(crate) fn strip(component: &[u8]) -> Result<Vec<u8>> {
    let mut modules = Vec::new();
    for section in sections(component)?.iter().filter(|section| section.id == CORE_MODULE) {
        let kept: Vec<Section<'_>> =
            self::sections(section.content)?.into_iter().filter(|section| section.id != CUSTOM).collect();
        modules.push(write(section.content, &kept));
    }
    let mut modules = modules.iter();
    let mut kept = Vec::new();
    for section in sections(component)?.into_iter().filter(|section| section.id != CUSTOM) {
        let content =
            if section.id == CORE_MODULE { modules.next().context("a module is missing")? } else { section.content };
        kept.push(Section { id: section.id, content });
    }
    Ok(write(component, &kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn sections_survive_being_read_and_written() {
        let long = vec![7; 300];
        let written = write(HEADER, &[Section { id: 3, content: &long }, Section { id: 0, content: b"" }]);
        let read = sections(&written).unwrap();
        assert_eq!((read.len(), read[0].content.len(), read[1].id), (2, 300, 0));
        assert_eq!(write(&written, &read), written);
        assert!(sections(&written[..100]).is_err());
    }

    #[test]
    fn stripping_reaches_into_modules() {
        let module = write(
            b"\0asm\x01\0\0\0",
            &[Section { id: CUSTOM, content: b"\x04name" }, Section { id: 10, content: b"c" }],
        );
        let component =
            write(HEADER, &[Section { id: CORE_MODULE, content: &module }, Section { id: CUSTOM, content: b"\x01p" }]);
        let stripped = strip(&component).unwrap();
        assert_eq!(stripped.len(), component.len() - 7 - 4);
    }
}

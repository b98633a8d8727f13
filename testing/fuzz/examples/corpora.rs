//! Regenerates the corpora: the unchanged seeds of every target, and scripts of each kind. Crash inputs stay.

use std::path::Path;

use fuzz::{bridge, core};

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/__fuzz__");
    for target in core::TARGETS.iter().chain(bridge::TARGETS) {
        let corpus = folder.join(target.name).join("corpus");
        std::fs::create_dir_all(&corpus)?;
        for (number, seed) in target.material.seeds.iter().enumerate() {
            std::fs::write(corpus.join(format!("seed-{number}")), [&[0], *seed].concat())?;
        }
        let all: Vec<u8> = (0..=u8::MAX).collect();
        std::fs::write(corpus.join("tokens"), [&[1], &all[..]].concat())?;
        std::fs::write(corpus.join("tokens-backwards"), all.iter().rev().copied().collect::<Vec<_>>())?;
        std::fs::write(corpus.join("empty"), [])?;
        let tokens = u8::try_from(target.material.tokens.len()).unwrap_or(u8::MAX);
        for token in 0..tokens {
            std::fs::write(
                corpus.join(format!("repeated-{token}")),
                [3, 0, 1, token, token, (token + 1) % tokens, 255],
            )?;
        }
    }
    Ok(())
}

//! Release notes: the changelog's section about this version, what to download, and how to verify it.

use anyhow::{Context, Result, ensure};

use super::Source;

/// The section about a version, without its heading. A version that is not out yet is marked `(unreleased)`.
fn section<'a>(changelog: &'a str, version: &str) -> Result<(&'a str, bool)> {
    let mut sections = changelog.split("\n## ").skip(1);
    let wanted = sections.clone().find(|section| section.split_whitespace().next() == Some(version));
    let section = wanted.or_else(|| sections.next()).context("CHANGELOG.md has no section")?;
    let (heading, body) = section.split_once('\n').context("CHANGELOG.md has an empty section")?;
    Ok((body.trim(), wanted.is_some() && !heading.contains("unreleased")))
}

/// The notes, with the images' digests.
pub(crate) fn of(source: &Source, changelog: &str, digests: &[(String, String)]) -> Result<String> {
    let (changes, finished) = section(changelog, &source.version)?;
    ensure!(
        finished || !source.tagged,
        "CHANGELOG.md has no finished section `## {}`: name the version and drop \"(unreleased)\"",
        source.version
    );
    let mut text = format!("# Freshworks handoff {}\n\n", source.version);
    if !source.tagged {
        text += &format!("**Not a release**: built from {}, which is not tagged.\n\n", source.commit);
    }
    text += changes;
    text += "\n\n## Verify\n\n```console\n$ minisign -Vm SHA256SUMS -p freshworks-handoff.pub\n$ sha256sum --check --ignore-missing SHA256SUMS\n```\n\n\
             Every artefact has a list of its contents (`*.cdx.json`, CycloneDX); `provenance.intoto.json` says what it was built from.\n";
    if !digests.is_empty() {
        text += "\n| Image | Digest |\n|---|---|\n";
        for (name, digest) in digests {
            text += &format!("| {name} | `{digest}` |\n");
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## 0.3.0 (unreleased)\n\nNext.\n\n## 0.2.0\n\nThis.\n\n### Admins\n\n- More.\n\n## 0.1.0\n\nLast.\n";

    fn source(version: &str, tagged: bool) -> Source {
        Source {
            version: version.to_owned(),
            repository: String::new(),
            commit: "c0ffee".to_owned(),
            time: String::new(),
            reference: String::new(),
            tagged,
        }
    }

    #[test]
    fn the_notes_are_the_section_of_the_version() {
        let notes = of(&source("0.2.0", true), CHANGELOG, &[]).unwrap();
        assert!(notes.contains("This.") && notes.contains("- More."), "{notes}");
        assert!(!notes.contains("Next.") && !notes.contains("Last.") && !notes.contains("Not a release"), "{notes}");
    }

    #[test]
    fn a_tag_whose_section_is_missing_or_unfinished_is_no_release() {
        for version in ["0.3.0", "0.4.0"] {
            let refused = of(&source(version, true), CHANGELOG, &[]).unwrap_err().to_string();
            assert!(refused.contains(&format!("`## {version}`")), "{refused}");
            assert!(of(&source(version, false), CHANGELOG, &[]).unwrap().contains("Not a release"));
        }
    }
}

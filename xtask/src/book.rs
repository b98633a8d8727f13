//! The book: `docs/` and the documents at the top of the repository as one site, built by mdBook. Every link is checked twice: in the
//! repository, where people read the sources, and in the finished pages.
//!
//! A page includes a document that lives elsewhere (`{{#include ../ARCHITECTURE.md}}`) instead of repeating it. Links in such a document
//! are relative to the repository, so the book is built from a copy in which they lead to the book's pages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use pulldown_cmark::{CowStr, Event, Parser, Tag, TagEnd};

use crate::{process, tools};

/// The folder of the pages.
const PAGES: &str = "docs";
/// The page that lists all others.
const SUMMARY: &str = "docs/SUMMARY.md";
/// Maximum size of the first page, in bytes: longer sections get their own page.
const MAX_HOME_BYTES: usize = 10 * 1024;
/// One line per page, for programs that read documentation.
const INDEX: &str = "llms.txt";

/// Builds the book into `target/book` and checks every link. `llms.txt` is written, or with `check` compared.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = process::root();
    let sections = sections(&read(Path::new(SUMMARY))?);
    let included = included(&sections)?;

    if read(Path::new("README.md"))?.len() > MAX_HOME_BYTES {
        bail!("README.md is longer than {MAX_HOME_BYTES} bytes: move a section to a page in {PAGES}/");
    }
    let index = index(&sections, &included)?;
    if read(Path::new(INDEX)).unwrap_or_default() != index {
        if check {
            bail!("{INDEX} is out of date with the pages: run `cargo xtask book`");
        }
        std::fs::write(root.join(INDEX), &index)?;
        process::say(&format!("{INDEX} has been updated"));
    }

    let source = stage(&included)?;
    let site = std::path::absolute(process::target())?.join("book");
    build(&source, &site)?;
    std::fs::write(site.join(INDEX), index.replace("(docs/", "(").replace(".md)", ".html)"))?;
    check_links(&site)?;
    process::say(&format!("the book: {}", site.join("index.html").display()));
    Ok(())
}

/// Builds the site. Warnings of mdBook (an open HTML tag, an include that fails) are errors.
fn build(source: &Path, site: &Path) -> Result<()> {
    let mut build = Command::new(tools::mdbook()?);
    let output = build.arg("build").arg(source).arg("--dest-dir").arg(site).output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    let warns = log.lines().any(|line| [" WARN ", "ERROR "].iter().any(|level| line.contains(level)));
    if warns || !output.status.success() {
        bail!("mdBook reports problems:\n{log}");
    }
    Ok(())
}

/// Checks links and anchors in the repository's documents and in the finished pages. Needs no internet access.
fn check_links(site: &Path) -> Result<()> {
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(process::root())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
    files(&process::root().join(PAGES), "md", &mut documents)?;
    let mut pages = Vec::new();
    files(site, "html", &mut pages)?;
    // `print.html` repeats every page; `404.html` is served from any folder.
    pages.retain(|page| !["print.html", "404.html", "toc.html"].iter().any(|name| page.ends_with(name)));
    for inputs in [documents, pages] {
        let mut lychee = Command::new(tools::lychee()?);
        lychee.args(["--offline", "--include-fragments", "--no-progress", "--quiet"]).args(inputs);
        process::run(&mut lychee).context("a link is broken")?;
    }
    Ok(())
}

/// One part of the summary: its title, and its pages (title, path below `docs/`).
struct Section {
    title: String,
    pages: Vec<(String, PathBuf)>,
}

/// The parts of the summary, in order.
fn sections(summary: &str) -> Vec<Section> {
    let mut sections = vec![Section { title: String::new(), pages: Vec::new() }];
    let (mut text, mut link) = (String::new(), None);
    for event in Parser::new(summary) {
        match event {
            Event::Start(Tag::Heading { .. }) => text.clear(),
            Event::Start(Tag::Link { dest_url, .. }) => {
                text.clear();
                link = Some(PathBuf::from(&*dest_url));
            }
            Event::Text(piece) | Event::Code(piece) => text.push_str(&piece),
            Event::End(TagEnd::Heading(_)) => sections.push(Section { title: text.clone(), pages: Vec::new() }),
            Event::End(TagEnd::Link) => {
                let page = link.take().map(|path| (text.clone(), path));
                sections.last_mut().into_iter().for_each(|section| section.pages.extend(page.clone()));
            }
            _ => {}
        }
    }
    sections.retain(|section| !section.pages.is_empty());
    sections
}

/// Files of the repository that pages include, each with the page (its path below `docs/`).
fn included(sections: &[Section]) -> Result<BTreeMap<PathBuf, PathBuf>> {
    let mut included = BTreeMap::new();
    for (_, page) in sections.iter().flat_map(|section| &section.pages) {
        let path = Path::new(PAGES).join(page);
        for directive in read(&path)?.split("{{#include ").skip(1) {
            // Lines or an anchor follow after a colon.
            let file = directive.split(['}', ':']).next().unwrap_or_default().trim();
            let file = normal(&path.with_file_name(file));
            if !process::root().join(&file).is_file() {
                bail!("{}: there is no {}", path.display(), file.display());
            }
            included.entry(file).or_insert_with(|| page.clone());
        }
    }
    Ok(included)
}

/// The text of `llms.txt`: title and purpose, then each page with the first sentence of its text.
fn index(sections: &[Section], included: &BTreeMap<PathBuf, PathBuf>) -> Result<String> {
    let home = read(Path::new("README.md"))?;
    let mut text = format!("# {}\n\n> {}\n", heading(&home), first_paragraph(&home));
    for section in sections {
        let title = if section.title == "Summary" { "Overview" } else { &section.title };
        text += &format!("\n## {title}\n\n");
        for (title, page) in &section.pages {
            let path = Path::new(PAGES).join(page);
            let document = included.iter().find(|(file, includer)| *includer == page && is_markdown(file));
            let own = first_paragraph(&read(&path)?);
            let about = match document {
                Some((file, _)) if own.is_empty() || own.starts_with("{{") => first_paragraph(&read(file)?),
                _ => own,
            };
            let sentence =
                about.split_once(". ").map_or(about.as_str(), |(first, _)| first).trim_end_matches(['.', ':']);
            if sentence.is_empty() {
                bail!("{}: a page must begin with a sentence that states its purpose", path.display());
            }
            text += &format!("- [{title}]({}): {sentence}\n", path.display());
        }
    }
    Ok(text)
}

fn heading(markdown: &str) -> String {
    markdown.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned()
}

/// The words of the first paragraph.
fn first_paragraph(markdown: &str) -> String {
    let (mut text, mut inside) = (String::new(), false);
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::Paragraph) => inside = true,
            Event::End(TagEnd::Paragraph) if !text.trim().is_empty() => break,
            Event::Text(piece) | Event::Code(piece) if inside => text.push_str(&piece),
            Event::SoftBreak if inside => text.push(' '),
            _ => {}
        }
    }
    text
}

/// Copies the pages and what they include to `target/book-source`, with links that lead to pages; returns its path.
fn stage(included: &BTreeMap<PathBuf, PathBuf>) -> Result<PathBuf> {
    let root = process::root();
    let source = std::path::absolute(process::target())?.join("book-source");
    if source.exists() {
        std::fs::remove_dir_all(&source)?;
    }
    std::fs::create_dir_all(&source)?;
    std::fs::copy(root.join("book.toml"), source.join("book.toml"))?;

    let mut all = Vec::new();
    files(&root.join(PAGES), "", &mut all)?;
    let mut wanted: BTreeSet<PathBuf> = included.keys().cloned().collect();
    for file in all {
        wanted.insert(file.strip_prefix(&root)?.to_owned());
    }
    for file in wanted {
        let to = source.join(&file);
        std::fs::create_dir_all(to.parent().context("no folder")?)?;
        if is_markdown(&file) {
            let page = included.get(&file).cloned();
            let page = page.map_or_else(|| file.clone(), |page| Path::new(PAGES).join(page));
            std::fs::write(to, for_the_book(&read(&file)?, &file, &page, included))?;
        } else {
            std::fs::copy(root.join(&file), to)?;
        }
    }
    Ok(source)
}

/// The text of a document with links adapted to `page`. A link to a file that is not in the book becomes plain text.
fn for_the_book(text: &str, document: &Path, page: &Path, included: &BTreeMap<PathBuf, PathBuf>) -> String {
    let mut new = String::with_capacity(text.len());
    let mut done = 0;
    for (event, range) in Parser::new(text).into_offset_iter() {
        let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else { continue };
        let Some((file, anchor)) = target(&dest_url, document) else { continue };
        let link = &text[range.clone()];
        let Some(split) = link.rfind("](") else { continue };
        // A link may contain an image, which is handled separately.
        let label_at = range.start + split;
        let new_target = match included.get(&file) {
            Some(page) => Some(Path::new(PAGES).join(page)),
            None => file.starts_with(PAGES).then_some(file),
        };
        if range.start < done {
            continue;
        }
        new += &text[done..range.start];
        match new_target {
            Some(target) => {
                new += &text[range.start..label_at];
                new += &format!("]({}{anchor})", relative(page, &target).display());
            }
            None => new += &text[range.start + 1..label_at],
        }
        done = range.end;
    }
    new + &text[done..]
}

/// The file of the repository that a link leads to, and the anchor with its `#`; none for links to elsewhere and within the document.
fn target<'a>(link: &'a CowStr<'_>, document: &Path) -> Option<(PathBuf, &'a str)> {
    if link.starts_with('#') || link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_at(link.find('#').unwrap_or(link.len()));
    Some((normal(&document.with_file_name(file)), anchor))
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// How `to` is reached from the page at `from`.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let folder: Vec<Component<'_>> = from.parent().into_iter().flat_map(Path::components).collect();
    let target: Vec<Component<'_>> = to.components().collect();
    let common = folder.iter().zip(&target).take_while(|(one, other)| one == other).count();
    let up = folder.iter().skip(common).map(|_| Component::ParentDir);
    up.chain(target.iter().skip(common).copied()).collect()
}

fn is_markdown(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "md")
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(process::root().join(file)).with_context(|| file.display().to_string())
}

/// All files below a folder with this extension, or all of them; in a fixed order.
fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for path in entries.into_iter().map(|entry| entry.path()) {
        if path.is_dir() {
            files(&path, extension, found)?;
        } else if extension.is_empty() || path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str, document: &str, page: &str) -> String {
        let included = [("README.md", "index.md"), ("wit/connector.wit", "contract.md")]
            .map(|(one, two)| (one.into(), two.into()));
        for_the_book(text, Path::new(document), Path::new(page), &included.into())
    }

    #[test]
    fn links_of_an_included_document_lead_to_pages_of_the_book() {
        let text =
            "See [it](docs/errors.md#kinds), the [contract](wit/connector.wit) and ![a picture](docs/console/try.png).";
        let wanted = "See [it](errors.md#kinds), the [contract](contract.md) and ![a picture](console/try.png).";
        assert_eq!(rewritten(text, "README.md", "docs/index.md"), wanted);
    }

    #[test]
    fn a_link_to_a_file_that_is_not_in_the_book_becomes_text() {
        let text = "In [`lib.rs`](../../src/lib.rs), or at [home](../../README.md#top).";
        let wanted = "In `lib.rs`, or at [home](../index.md#top).";
        assert_eq!(rewritten(text, "docs/bench/page.md", "docs/bench/page.md"), wanted);
    }

    #[test]
    fn links_to_elsewhere_and_in_code_stay() {
        let text = "[a](https://example.com/x.md), [b](#here), `[c](x.md)`\n\n```\n[d](x.md)\n```\n";
        assert_eq!(rewritten(text, "README.md", "docs/index.md"), text);
    }

    #[test]
    fn the_summary_is_read_in_parts() {
        let sections = sections("# Summary\n\n[Home](index.md)\n\n# Use\n\n- [Errors](errors.md)\n  - [`x`](a/x.md)\n");
        let read: Vec<(&str, Vec<&str>)> = sections
            .iter()
            .map(|section| (section.title.as_str(), section.pages.iter().map(|page| page.0.as_str()).collect()))
            .collect();
        assert_eq!(read, [("Summary", vec!["Home"]), ("Use", vec!["Errors", "x"])]);
    }
}

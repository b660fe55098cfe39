//! Bold, emphasis, code and links within a line, written as HTML.

use super::error::Fault;
use super::names::base;

/// Text as HTML.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
    html
}

/// A line as HTML.
///
/// # Errors
/// A mark that is opened and not closed, and an address that lessons do not have.
pub fn inline(text: &str) -> Result<String, Fault> {
    let mut html = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', '`', '[']) {
        html.push_str(&escape(&rest[..at]));
        let marked = &rest[at..];
        let (mark, tag) = if marked.starts_with("**") {
            ("**", "strong")
        } else if marked.starts_with('*') {
            ("*", "em")
        } else if marked.starts_with('`') {
            ("`", "code")
        } else {
            rest = link(marked, &mut html)?;
            continue;
        };
        let after = &marked[mark.len()..];
        // A star before a space is a star: “2 * 3”.
        if mark == "*" && after.starts_with(' ') {
            html.push('*');
            rest = after;
            continue;
        }
        let end = after.find(mark).filter(|end| *end > 0).ok_or(Fault::Unclosed(mark))?;
        let inner = if mark == "**" { inline(&after[..end])? } else { escape(&after[..end]) };
        html.push_str(&format!("<{tag}>{inner}</{tag}>"));
        rest = &after[end + mark.len()..];
    }
    html.push_str(&escape(rest));
    Ok(html)
}

/// Writes `[text](address)` and returns what is behind it. Other brackets are brackets.
fn link<'a>(marked: &'a str, html: &mut String) -> Result<&'a str, Fault> {
    let Some((text, rest)) = marked[1..].split_once("](") else {
        html.push('[');
        return Ok(&marked[1..]);
    };
    let (address, rest) = rest.split_once(')').ok_or(Fault::Unclosed("]("))?;
    let words = escape(text);
    let page = address.strip_suffix(".md").filter(|page| base(page).is_some());
    match page {
        // The page goes there itself, so that a run in progress goes on.
        Some(page) => html.push_str(&format!("<a href=\"?lesson={page}\" data-lesson=\"{page}\">{words}</a>")),
        None if address.starts_with("https://") => {
            html.push_str(&format!("<a href=\"{}\" target=\"_blank\" rel=\"noreferrer\">{words}</a>", escape(address)));
        }
        None => return Err(Fault::Address(address.into())),
    }
    Ok(rest)
}

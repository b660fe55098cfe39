//! Cuts a text into objects of JSON: pasted lines, files, and what mailers and learning platforms make of them.

/// An object of JSON and the number of the line where it begins, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub line: usize,
    pub text: String,
}

/// The items of a text, one after the other. A text of many lines can be read in portions.
pub struct Lines<'a> {
    rest: std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'a>>>,
    /// The rest of a line that held several objects.
    open: Option<Item>,
}

impl<'a> Lines<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { rest: text.lines().enumerate().peekable(), open: None }
    }
}

impl Iterator for Lines<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let mut item = match self.open.take() {
            Some(item) => item,
            None => loop {
                let (index, line) = self.rest.next()?;
                let text = clean(line);
                if !between(&text).is_empty() {
                    break Item { line: index + 1, text };
                }
            },
        };
        let text = between(&item.text).to_string();
        item.text = text;
        if !item.text.starts_with('{') {
            return Some(item);
        }
        // An object may go on in the next lines: it is printed over several lines, or a mailer has broken its line.
        loop {
            if let Some(end) = end_of_object(&item.text) {
                let after = item.text.split_off(end);
                if !between(&after).is_empty() {
                    self.open = Some(Item { line: item.line, text: after });
                }
                return Some(item);
            }
            let Some((_, line)) = self.rest.next_if(|(_, line)| !begins_record(&clean(line))) else { return Some(item) };
            item.text.push_str(&clean(line));
        }
    }
}

/// Whether a new record begins here. The one before it was then cut off.
fn begins_record(line: &str) -> bool {
    line.starts_with("{\"label\"") || line.starts_with("{\"link\"")
}

/// A line without what was put around it.
fn clean(line: &str) -> String {
    let mut line = line.trim_matches(|letter: char| letter.is_whitespace() || letter == '\u{feff}');
    // Marks of quoted mail and of lists.
    while let Some(rest) = [">", "- ", "* ", "• ", "`"].iter().find_map(|mark| line.strip_prefix(mark)) {
        line = rest.trim_start();
    }
    let counted = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    if counted.len() < line.len()
        && let Some(rest) = counted.strip_prefix(". ").or(counted.strip_prefix(") "))
    {
        line = rest.trim_start();
    }
    let line = unquote(line.trim_end_matches('`').trim_end());
    // Letters that a word processor or a web page has put in their place.
    let line = line.replace("&quot;", "\"").replace("&amp;", "&");
    if line.contains("{“") || line.contains("{”") { line.replace(['“', '”', '„'], "\"") } else { line }
}

/// A line without the quotes around it: those of JSON, of a table, or plain ones.
fn unquote(line: &str) -> String {
    let inner = [('"', '"'), ('\'', '\''), ('“', '”')].iter().find_map(|&(open, close)| line.strip_prefix(open)?.strip_suffix(close));
    let Some(inner) = inner.filter(|inner| inner.trim_start().starts_with(['{', '['])) else { return line.into() };
    // A table doubles the quotes in a field.
    if inner.contains("{\"\"") {
        return inner.replace("\"\"", "\"");
    }
    serde_json::from_str(line).unwrap_or_else(|_| inner.into())
}

/// What stands between objects of a list is left out.
fn between(text: &str) -> &str {
    text.trim_start_matches(|letter: char| letter.is_whitespace() || matches!(letter, '[' | ']' | ','))
}

/// Where the object at the start of a text ends; `None` if the text ends before it.
fn end_of_object(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

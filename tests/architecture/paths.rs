//! The paths that a source file names, as `use` declarations and inline.

/// A path as written, and how many inline modules stand around it.
pub struct Named {
    pub path: Vec<String>,
    pub depth: usize,
}

/// A word, or a sign of one or two characters.
type Token = String;

/// Splits source text into words and signs; comments, strings and characters are left out.
fn tokens(text: &str) -> Vec<Token> {
    let letters: Vec<char> = text.chars().collect();
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < letters.len() {
        let rest = &letters[at..];
        match rest {
            ['/', '/', ..] => at += rest.iter().position(|letter| *letter == '\n').unwrap_or(rest.len()),
            ['"', ..] => at += string(rest),
            ['\'', '\\', ..] => at += 2 + rest[2..].iter().skip(1).position(|letter| *letter == '\'').map_or(rest.len() - 2, |end| end + 2),
            ['\'', _, '\'', ..] => at += 3,
            [':', ':', ..] => {
                tokens.push("::".into());
                at += 2;
            }
            [first, ..] if is_word(*first) => {
                let length = rest.iter().position(|letter| !is_word(*letter)).unwrap_or(rest.len());
                tokens.push(rest[..length].iter().collect());
                at += length;
            }
            [sign, ..] => {
                // The `$` of a macro's variable, which is read as a plain name.
                if !sign.is_whitespace() && *sign != '$' {
                    tokens.push(sign.to_string());
                }
                at += 1;
            }
            [] => {}
        }
    }
    tokens
}

/// The length of the string that `rest` begins with.
fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// All paths of a file.
pub fn named(text: &str) -> Vec<Named> {
    let tokens = tokens(text);
    let (mut found, mut braces, mut inline, mut at) = (Vec::new(), 0usize, Vec::new(), 0);
    while at < tokens.len() {
        let next = tokens.get(at + 1).map(String::as_str);
        match tokens[at].as_str() {
            "use" => {
                let end = at + tokens[at..].iter().position(|token| token == ";").unwrap_or(tokens.len() - at);
                let paths = tree(&tokens[at + 1..end]);
                found.extend(paths.into_iter().map(|path| Named { path, depth: inline.len() }));
                at = end;
            }
            "mod" if tokens.get(at + 2).is_some_and(|token| token == "{") => inline.push(braces),
            "{" => braces += 1,
            "}" => {
                braces = braces.saturating_sub(1);
                inline.pop_if(|opened| *opened == braces);
            }
            "crate" | "super" | "self" if next == Some("::") => {
                let length = tokens[at..]
                    .iter()
                    .take_while(|token| *token == "::" || token.chars().all(|l| l.is_alphanumeric() || l == '_'))
                    .count();
                let path = tokens[at..at + length].iter().filter(|token| *token != "::").cloned().collect();
                found.push(Named { path, depth: inline.len() });
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The paths of a `use` tree: `a::{b, c as d}` is `a::b` and `a::c`.
fn tree(tokens: &[Token]) -> Vec<Vec<String>> {
    let open = tokens.iter().position(|token| token == "{");
    let words = |tokens: &[Token]| -> Vec<String> {
        let until = tokens.iter().position(|token| token == "as").unwrap_or(tokens.len());
        tokens[..until].iter().filter(|token| !matches!(token.as_str(), "::" | "*")).cloned().collect()
    };
    let Some(open) = open else { return vec![words(tokens)] };
    let head = words(&tokens[..open]);
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0usize, open + 1);
    for (at, token) in tokens.iter().enumerate().skip(open + 1) {
        match token.as_str() {
            "{" => depth += 1,
            "}" if depth > 0 => depth -= 1,
            "," | "}" if depth == 0 => {
                parts.push(&tokens[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    let inner = parts.into_iter().filter(|part| !part.is_empty()).flat_map(tree);
    inner.map(|path| head.iter().cloned().chain(path.into_iter().filter(|word| word != "self")).collect()).collect()
}

//! Edits text files and keeps their comments and order.

/// Inserts a line into a sorted run of lines.
///
/// The run consists of the first line that `key` accepts and the accepted lines that follow
/// directly. For an accepted line, `key` returns its sort key. The new line is inserted after the
/// lines with smaller keys. Returns `None` if `key` accepts no line.
pub(super) fn insert_sorted<'a>(
    text: &'a str,
    line: &str,
    key: impl Fn(&'a str) -> Option<&'a str>,
    new_key: &str,
) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| key(line).is_some())?;
    let run = lines.iter().skip(first).take_while(|line| key(line).is_some());
    let smaller = run.filter(|line| key(line).is_some_and(|key| key < new_key)).count();
    Some(insert_at(&lines, first + smaller, line))
}

/// Inserts a line after the last line that `is_row` accepts. Returns `None` if it accepts no line.
pub(super) fn insert_after_last(
    text: &str,
    line: &str,
    is_row: impl Fn(&str) -> bool,
) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().rposition(|line| is_row(line))?;
    Some(insert_at(&lines, last + 1, line))
}

fn insert_at(lines: &[&str], position: usize, line: &str) -> String {
    let (before, after) = lines.split_at(position);
    let mut text = String::new();
    for line in before.iter().chain([&line]).chain(after) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Returns the block that starts with the line `first` and ends before an empty line. Returns
/// `None` if there is no such line.
pub(super) fn block<'a>(text: &'a str, first: &str) -> Option<&'a str> {
    let start = text.find(&format!("\n{first}\n"))? + 1;
    let rest = text.get(start..)?;
    let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
    rest.get(..end)
}

/// Replaces a text. Fails unless the text occurs exactly once.
pub(super) fn replace_once(text: &str, from: &str, to: &str) -> Result<String, String> {
    match text.matches(from).count() {
        1 => Ok(text.replacen(from, to, 1)),
        count => Err(format!("expected {from:?} once, found it {count} times")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_inserted_in_order() {
        let key = |line: &'static str| line.strip_prefix("- ");
        let text = "x\n- b\n- d\n\n- a\n";
        let insert = |line, new| insert_sorted(text, line, key, new).unwrap();
        assert_eq!(insert("- c", "c"), "x\n- b\n- c\n- d\n\n- a\n");
        assert_eq!(insert("- a", "a"), "x\n- a\n- b\n- d\n\n- a\n");
        assert_eq!(insert("- e", "e"), "x\n- b\n- d\n- e\n\n- a\n");
        assert_eq!(insert_sorted("x\n", "- a", key, "a"), None);
    }

    #[test]
    fn a_block_ends_at_an_empty_line() {
        let text = "a:\n  x\n\nb:\n  y\n  z\n\nc:\n";
        assert_eq!(block(text, "b:"), Some("b:\n  y\n  z\n"));
        assert_eq!(block(text, "d:"), None);
    }

    #[test]
    fn an_ambiguous_text_is_not_replaced() {
        assert_eq!(replace_once("a b", "b", "c"), Ok("a c".to_owned()));
        assert!(replace_once("b b", "b", "c").is_err());
        assert!(replace_once("a", "b", "c").is_err());
    }
}

//! Where a setting stands in the file.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The bytes of the value at `path` in `text`; of the innermost table that is there where the path leads nowhere. A number
/// in the path counts the tables of a list from 0.
pub(super) fn span(text: &str, path: &[&str]) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let mut table = root.get_ref();
    let mut path = path.iter().copied();
    let mut found = None;
    while let Some(key) = path.next() {
        let Some(mut value) = table.get(key) else {
            break;
        };
        if let DeValue::Array(list) = value.get_ref()
            && let Some(index) = path.next()
        {
            let Some(member) = index.parse().ok().and_then(|index: usize| list.get(index)) else {
                break;
            };
            value = member;
        }
        found = Some(value.span());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    found
}

/// Line and column, from 1, of the byte at `offset`.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_tables_and_in_lists_of_tables() {
        let text =
            "[page]\nlisten = \"x\"\n[[source]]\nname = \"a\"\n[[source]]\ndetect = { size = 3 }\n";
        let place = |path: &[&str]| span(text, path).map(|span| line_and_column(text, span.start));
        assert_eq!(place(&["page", "listen"]), Some((2, 10)));
        assert_eq!(place(&["source", "0", "name"]), Some((4, 8)));
        assert_eq!(place(&["source", "1", "detect", "size"]), Some((6, 19)));
        // What is missing is looked for where it belongs.
        assert_eq!(place(&["page", "token"]), Some((1, 1)));
        assert_eq!(place(&["source", "1", "name"]), Some((5, 1)));
        assert_eq!(place(&["mqtt"]), None);
    }
}

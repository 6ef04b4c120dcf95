//! Names that people give to vendors, keys and account holders.

use scrip::text::is_invisible;

/// Whether the text is a name: 1 to `length_max` characters, nothing that controls or hides (so that no name looks like another), no
/// space at its ends.
///
/// PostgreSQL counts characters as this does, and takes no NUL.
pub(crate) fn is_name(text: &str, length_max: usize) -> bool {
    (1..=length_max).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(|c| c.is_control() || is_invisible(c))
}

/// What to add where nothing has a code: one in lower case is the likeliest mistake.
pub(crate) fn case_reminder(code: &str) -> &'static str {
    if code.chars().any(char::is_lowercase) { "; codes are upper case" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn a_name_is_one_line_of_text() {
        for good in ["A", "Café ☕ & Söhne", &"x".repeat(9)] {
            assert!(is_name(good, 17), "{good}");
        }
        for bad in ["", " ", " A", "A\n", "A\0B", "A\u{202e}B", "A\u{200b}", &"x".repeat(18)] {
            assert!(!is_name(bad, 17), "{bad:?}");
        }
    }
}

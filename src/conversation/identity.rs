//! Whether two values name the same person. Pure.
//!
//! Every record that a search returns is compared with what was asked for. How Freshworks treats a filter it does not know, or
//! how loosely it matches one it knows, is not published; a wrong record would open one person's conversation to another.

/// The same mailbox: equal without regard to ASCII case and surrounding spaces. Other letters must be equal as they are, because
/// folding their case would join addresses that mail servers keep apart.
pub(crate) fn same_email(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    !one.is_empty() && one.eq_ignore_ascii_case(other)
}

/// The same phone number: the same digits, however they are grouped. A text with letters from A to Z is no number, and equals
/// none.
pub(crate) fn same_phone(one: &str, other: &str) -> bool {
    let is_number = |text: &str| !text.bytes().any(|byte| byte.is_ascii_alphabetic()) && digits(text).next().is_some();
    is_number(one) && is_number(other) && digits(one).eq(digits(other))
}

fn digits(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_the_same_in_any_case_and_in_nothing_else() {
        assert!(same_email(" Ana@Example.com", "ana@example.COM "));
        for (one, other) in [
            ("ana@example.com", "ana@example.co"),
            ("ana@example.com", "anna@example.com"),
            ("ana+x@example.com", "ana@example.com"),
            ("ÄNA@example.com", "äna@example.com"),
            ("", ""),
            (" ", ""),
        ] {
            assert!(!same_email(one, other), "{one} {other}");
        }
    }

    #[test]
    fn phone_numbers_are_the_same_by_their_digits() {
        assert!(same_phone("+1 (555) 01-00", "+15550100"));
        assert!(same_phone("15550100", "+1.555.0100"));
        for (one, other) in
            [("+15550100", "+1555010"), ("+15550100", "5550100"), ("+1555 ext 1", "+15551"), ("", ""), ("-", "+")]
        {
            assert!(!same_phone(one, other), "{one} {other}");
        }
    }
}

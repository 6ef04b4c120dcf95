//! Text that people give, and what it may hide.

/// Characters that change the direction of the text or take no room: what a payee's name is forged with, and a formula hidden.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

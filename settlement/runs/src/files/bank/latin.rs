//! The letters that banks take: the Latin character set of SEPA, `a-z A-Z 0-9 / - ? : ( ) . , ' +` and the space.
//!
//! The schemas take any text, the banks behind them do not. What is another script becomes Latin letters, `&` becomes `+`, and what has
//! no letters becomes `.`, as the European Payments Council recommends (EPC217-08).

use deunicode::deunicode_char;

/// No name that a bank takes is longer.
const CHARACTERS_MAX: usize = 70;

/// The text in these letters, cut to what a bank takes, without spaces around it.
pub(crate) fn latin(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push('+'),
            _ if is_taken(character) => out.push(character),
            _ if character.is_ascii() => out.push('.'),
            _ => {
                let letters = deunicode_char(character).unwrap_or(".");
                out.extend(letters.chars().map(|letter| if is_taken(letter) { letter } else { '.' }));
            }
        }
    }
    out.trim().chars().take(CHARACTERS_MAX).collect::<String>().trim_end().to_owned()
}

fn is_taken(character: char) -> bool {
    character.is_ascii_alphanumeric() || "/-?:().,'+ ".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_scripts_become_latin() {
        for (text, expected) in [
            ("Bean Counter Ltd", "Bean Counter Ltd"),
            ("Müller & Söhne", "Muller + Sohne"),
            ("Crème brûlée S.à r.l.", "Creme brulee S.a r.l."),
            ("Ελλάδα", "Ellada"),
            ("Иван", "Ivan"),
            ("A_B<C>", "A.B.C."),
            ("tab\there", "tab.here"),
            (" spaces ", "spaces"),
            ("\u{301}", ""),
        ] {
            assert_eq!(latin(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_is_longer_than_a_bank_takes() {
        assert_eq!(latin(&"x".repeat(140)), "x".repeat(70));
        assert_eq!(latin(&format!("{} y", "x".repeat(69))), "x".repeat(69));
        assert!(latin(&"ß".repeat(140)).len() <= 70);
    }

    proptest::proptest! {
        #[test]
        fn any_text_becomes_one_that_banks_take(text in ".{0,140}") {
            let latin = latin(&text);
            proptest::prop_assert!(latin.len() <= CHARACTERS_MAX && latin.chars().all(is_taken) && latin.trim() == latin);
        }
    }
}

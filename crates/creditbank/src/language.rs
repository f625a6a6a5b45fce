//! The two languages of what is said to people: every phrase exists in both.
//!
//! The phrases stand in `language/phrase.rs`, one closed list; a phrase has places `{0}`, `{1}` … for what differs from
//! case to case, the same ones in both languages.

mod phrase;

pub(crate) use phrase::Phrase;

use clap::ValueEnum;
use credit_types::Text;
use std::fmt::Display;

/// A language that the product speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// English.
    En,
    /// 中文.
    Zh,
}

impl Language {
    /// The language of a locale such as `zh_CN.UTF-8`; English for all that is not Chinese.
    pub(crate) fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("zh") { Self::Zh } else { Self::En }
    }

    /// The text in this language, or in the other one where it has none.
    pub(crate) fn of(self, text: &Text) -> &str {
        let (first, second) = match self {
            Self::En => (&text.en, &text.zh),
            Self::Zh => (&text.zh, &text.en),
        };
        if first.is_empty() { second } else { first }
    }
}

impl Phrase {
    /// The phrase in both languages with its places filled.
    pub(crate) fn with(self, places: &[&dyn Display]) -> Text {
        let (zh, en) = self.pair();
        Text { zh: fill(zh, places), en: fill(en, places) }
    }

    /// The phrase in both languages, for one that has no places.
    pub(crate) fn text(self) -> Text {
        self.with(&[])
    }
}

fn fill(pattern: &str, places: &[&dyn Display]) -> String {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (number, behind) = after.split_once('}').unwrap_or((after, ""));
        if let Some(place) = number.parse().ok().and_then(|number: usize| places.get(number)) {
            filled.push_str(&place.to_string());
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn places(pattern: &str) -> BTreeSet<String> {
        pattern.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0.to_owned()).collect()
    }

    #[test]
    fn every_phrase_exists_in_both_languages_with_the_same_places() {
        for phrase in Phrase::ALL {
            let (zh, en) = phrase.pair();
            assert!(!en.trim().is_empty() && en.is_ascii(), "{phrase:?}: {en}");
            assert!(zh.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter)), "{phrase:?}: {zh}");
            assert_eq!(places(zh), places(en), "{phrase:?}");
            for (number, place) in places(en).iter().enumerate() {
                assert_eq!(*place, number.to_string(), "{phrase:?}");
            }
        }
    }

    #[test]
    fn a_phrase_is_filled_in_the_order_of_its_language() {
        assert_eq!(fill("{1} of {0}", &[&7, &"x"]), "x of 7");
        assert_eq!(fill("no places", &[&7]), "no places");
        assert_eq!(fill("{0}", &[]), "");
    }

    #[test]
    fn a_locale_is_chinese_or_english() {
        for (locale, language) in
            [("zh_CN.UTF-8", Language::Zh), ("ZH", Language::Zh), ("C", Language::En), ("", Language::En)]
        {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
        let only = Text { zh: "甲".to_owned(), en: String::new() };
        assert_eq!(Language::En.of(&only), "甲");
    }
}

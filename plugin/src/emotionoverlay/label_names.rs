//! The names of emotions as people read them.

use std::sync::Arc;

use emotion_models::Emotion;
use gst::glib;

use crate::face::UNCERTAIN;

/// The language of labels and bars.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstEmotionOverlayLanguage")]
#[repr(u32)]
pub enum Language {
    /// English, as in the metadata.
    #[default]
    #[enum_value(name = "English", nick = "en")]
    English,
    /// Arabic, from right to left.
    #[enum_value(name = "العربية (Arabic)", nick = "ar")]
    Arabic,
    /// Chinese, in simplified characters.
    #[enum_value(name = "中文 (Chinese, simplified)", nick = "zh")]
    Chinese,
    /// Dutch.
    #[enum_value(name = "Nederlands (Dutch)", nick = "nl")]
    Dutch,
    /// French.
    #[enum_value(name = "Français (French)", nick = "fr")]
    French,
    /// German.
    #[enum_value(name = "Deutsch (German)", nick = "de")]
    German,
    /// Hebrew, from right to left.
    #[enum_value(name = "עברית (Hebrew)", nick = "he")]
    Hebrew,
    /// Italian.
    #[enum_value(name = "Italiano (Italian)", nick = "it")]
    Italian,
    /// Japanese.
    #[enum_value(name = "日本語 (Japanese)", nick = "ja")]
    Japanese,
    /// Persian, from right to left.
    #[enum_value(name = "فارسی (Persian)", nick = "fa")]
    Persian,
    /// Polish.
    #[enum_value(name = "Polski (Polish)", nick = "pl")]
    Polish,
    /// Portuguese.
    #[enum_value(name = "Português (Portuguese)", nick = "pt")]
    Portuguese,
    /// Russian.
    #[enum_value(name = "Русский (Russian)", nick = "ru")]
    Russian,
    /// Spanish.
    #[enum_value(name = "Español (Spanish)", nick = "es")]
    Spanish,
    /// Turkish.
    #[enum_value(name = "Türkçe (Turkish)", nick = "tr")]
    Turkish,
}

impl Language {
    /// The names of FER-2013's emotions in its order, and last that of an uncertain one: nouns where a language would
    /// have to know somebody's gender for an adjective.
    fn names(self) -> [&'static str; 8] {
        match self {
            Self::English => [
                "angry",
                "disgust",
                "fear",
                "happy",
                "sad",
                "surprise",
                "neutral",
                "uncertain",
            ],
            Self::Arabic => [
                "غضب",
                "اشمئزاز",
                "خوف",
                "سعادة",
                "حزن",
                "دهشة",
                "حياد",
                "غير مؤكد",
            ],
            Self::Chinese => [
                "愤怒",
                "厌恶",
                "恐惧",
                "高兴",
                "悲伤",
                "惊讶",
                "平静",
                "不确定",
            ],
            Self::Dutch => [
                "boos",
                "afkeer",
                "angst",
                "blij",
                "verdrietig",
                "verrast",
                "neutraal",
                "onzeker",
            ],
            Self::French => [
                "colère",
                "dégoût",
                "peur",
                "joie",
                "tristesse",
                "surprise",
                "neutre",
                "incertain",
            ],
            Self::German => [
                "wütend",
                "angewidert",
                "ängstlich",
                "fröhlich",
                "traurig",
                "überrascht",
                "neutral",
                "unsicher",
            ],
            Self::Hebrew => [
                "כעס",
                "גועל",
                "פחד",
                "שמחה",
                "עצב",
                "הפתעה",
                "ניטרלי",
                "לא ודאי",
            ],
            Self::Italian => [
                "rabbia",
                "disgusto",
                "paura",
                "gioia",
                "tristezza",
                "sorpresa",
                "neutro",
                "incerto",
            ],
            Self::Japanese => [
                "怒り",
                "嫌悪",
                "恐れ",
                "喜び",
                "悲しみ",
                "驚き",
                "無表情",
                "不明",
            ],
            Self::Persian => [
                "خشم",
                "انزجار",
                "ترس",
                "شادی",
                "غم",
                "تعجب",
                "خنثی",
                "نامشخص",
            ],
            Self::Polish => [
                "złość",
                "wstręt",
                "strach",
                "radość",
                "smutek",
                "zdziwienie",
                "spokój",
                "niepewne",
            ],
            Self::Portuguese => [
                "raiva", "nojo", "medo", "alegria", "tristeza", "surpresa", "neutro", "incerto",
            ],
            Self::Russian => [
                "злость",
                "отвращение",
                "страх",
                "радость",
                "грусть",
                "удивление",
                "спокойствие",
                "неясно",
            ],
            Self::Spanish => [
                "enfado", "asco", "miedo", "alegría", "tristeza", "sorpresa", "neutral", "incierto",
            ],
            Self::Turkish => [
                "kızgın",
                "tiksinti",
                "korku",
                "mutlu",
                "üzgün",
                "şaşkın",
                "nötr",
                "belirsiz",
            ],
        }
    }
}

/// Why a list of names cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{entry:?}: expected LABEL=NAME, several of them with commas between, such as happy=joyful,angry=cross"
)]
pub(super) struct Error {
    entry: String,
}

/// The labels and their names in a list such as `happy=joyful,angry=cross`.
pub(super) fn parse(list: &str) -> Result<Vec<(String, String)>, Error> {
    let entries = list.split(',').map(str::trim);
    entries
        .filter(|entry| !entry.is_empty())
        .map(|entry| match entry.split_once('=') {
            Some((label, name)) if !label.trim().is_empty() && !name.trim().is_empty() => {
                Ok((label.trim().to_owned(), name.trim().to_owned()))
            }
            _ => Err(Error {
                entry: entry.to_owned(),
            }),
        })
        .collect()
}

/// Finds the names of labels.
#[derive(Debug)]
pub(super) struct Names {
    language: Language,
    own: Vec<(String, String)>,
    /// A model's labels with their names; one model is the rule.
    of_model: Option<(Vec<String>, Arc<[String]>)>,
}

impl Names {
    /// With names of the user's own before those of the language; an unusable list counts as none.
    pub(super) fn new(language: Language, own: &str) -> Self {
        Self {
            language,
            own: parse(own).unwrap_or_default(),
            of_model: None,
        }
    }

    /// The name of a label, which is the label itself if there is no other.
    pub(super) fn of<'a>(&'a self, label: &'a str) -> &'a str {
        if let Some((_, name)) = self.own.iter().find(|(own, _)| own == label) {
            return name;
        }
        let index = match label {
            UNCERTAIN => Some(Emotion::ALL.len()),
            label => Emotion::from_name(label).map(Emotion::label_id),
        };
        index.map_or(label, |index| self.language.names()[index])
    }

    /// The names of all labels of a model.
    pub(super) fn of_all(&mut self, labels: &[String]) -> Arc<[String]> {
        if let Some((known, names)) = &self.of_model
            && known == labels
        {
            return names.clone();
        }
        let names: Arc<[String]> = labels
            .iter()
            .map(|label| self.of(label).to_owned())
            .collect();
        self.of_model = Some((labels.to_vec(), names.clone()));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glib::prelude::*;
    use std::collections::HashSet;

    fn all_languages() -> Vec<Language> {
        let class = glib::EnumClass::with_type(Language::static_type()).unwrap();
        let values = class.values().iter();
        values
            .map(|value| class.to_value(value.value()).unwrap().get().unwrap())
            .collect()
    }

    #[test]
    fn in_every_language_all_names_differ() {
        assert!(all_languages().len() >= 15);
        for language in all_languages() {
            let names: HashSet<_> = language.names().into_iter().collect();
            assert_eq!(names.len(), 8, "{language:?}");
        }
    }

    #[test]
    fn english_names_are_the_labels() {
        let names = Names::new(Language::English, "");
        for label in Emotion::ALL
            .map(Emotion::name)
            .into_iter()
            .chain([UNCERTAIN])
        {
            assert_eq!(names.of(label), label);
        }
    }

    #[test]
    fn names_of_ones_own_go_first_and_unknown_labels_stay() {
        let mut names = Names::new(Language::German, " happy = vergnügt, contempt=Verachtung,");
        let labels = ["happy", "sad", "contempt", "bored"].map(String::from);
        let expected = ["vergnügt", "traurig", "Verachtung", "bored"];
        assert_eq!(*names.of_all(&labels), expected);
        assert_eq!(*names.of_all(&labels), expected);
        assert_eq!(names.of(UNCERTAIN), "unsicher");
    }

    #[test]
    fn an_entry_that_is_no_pair_is_named() {
        for list in ["happy", "happy=", "=joy", "sad=down,happy:joy"] {
            let error = parse(list).unwrap_err().to_string();
            assert!(error.contains("expected LABEL=NAME"), "{error}");
        }
    }
}

//! Languages and their names of emotions.

use gst::glib;

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
    /// The name of the emotion that has the index `id` in FER-2013; seven is “uncertain”.
    pub(super) fn name(self, id: usize) -> &'static str {
        self.names().split(", ").nth(id).unwrap_or_default()
    }

    /// The names in FER-2013's order, and last “uncertain”. Nouns where an adjective would depend on a person's gender.
    fn names(self) -> &'static str {
        match self {
            Self::English => "angry, disgust, fear, happy, sad, surprise, neutral, uncertain",
            Self::Arabic => "غضب, اشمئزاز, خوف, سعادة, حزن, دهشة, حياد, غير مؤكد",
            Self::Chinese => "愤怒, 厌恶, 恐惧, 高兴, 悲伤, 惊讶, 平静, 不确定",
            Self::Dutch => "boos, afkeer, angst, blij, verdrietig, verrast, neutraal, onzeker",
            Self::French => "colère, dégoût, peur, joie, tristesse, surprise, neutre, incertain",
            Self::German => {
                "wütend, angewidert, ängstlich, fröhlich, traurig, überrascht, neutral, unsicher"
            }
            Self::Hebrew => "כעס, גועל, פחד, שמחה, עצב, הפתעה, ניטרלי, לא ודאי",
            Self::Italian => "rabbia, disgusto, paura, gioia, tristezza, sorpresa, neutro, incerto",
            Self::Japanese => "怒り, 嫌悪, 恐れ, 喜び, 悲しみ, 驚き, 無表情, 不明",
            Self::Persian => "خشم, انزجار, ترس, شادی, غم, تعجب, خنثی, نامشخص",
            Self::Polish => "złość, wstręt, strach, radość, smutek, zdziwienie, spokój, niepewne",
            Self::Portuguese => "raiva, nojo, medo, alegria, tristeza, surpresa, neutro, incerto",
            Self::Russian => {
                "злость, отвращение, страх, радость, грусть, удивление, спокойствие, неясно"
            }
            Self::Spanish => "enfado, asco, miedo, alegría, tristeza, sorpresa, neutral, incierto",
            Self::Turkish => "kızgın, tiksinti, korku, mutlu, üzgün, şaşkın, nötr, belirsiz",
        }
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
            let names: Vec<_> = language.names().split(", ").collect();
            let different: HashSet<_> = names.iter().collect();
            assert_eq!((names.len(), different.len()), (8, 8), "{language:?}");
        }
    }
}

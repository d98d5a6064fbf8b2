//! Starts the elements of the analysis once, because some settings show only then whether they are right.

use super::config::{Config, EMOTIONCLASSIFY, ElementProperties, Error, FACEDETECT, make_element};
use super::element_chain::ElementChain;
use super::preview::PreviewEncoder;

/// Starts each element with the settings of `config`.
pub(super) fn check(config: &Config) -> Result<(), Error> {
    let mut checked_shared = [false; 2];
    for (index, source) in config.sources.iter().enumerate() {
        let elements = [
            (FACEDETECT, "detect", &config.detect, &source.detect),
            (
                EMOTIONCLASSIFY,
                "classify",
                &config.classify,
                &source.classify,
            ),
        ];
        for (checked, (element, table, shared, own)) in checked_shared.iter_mut().zip(elements) {
            let index = index.to_string();
            let path = ["source", index.as_str(), table];
            let path = match own.is_empty() {
                true if std::mem::replace(checked, true) => continue,
                true => &path[2..],
                false => &path,
            };
            start(element, &[shared, own]).map_err(|error| config.wrong(path, error))?;
        }
    }
    if let Some(page) = &config.page {
        let started = PreviewEncoder::new(page, None);
        started.map_err(|error| config.wrong(&["page"], format!("{error:#}")))?;
    }
    Ok(())
}

fn start(name: &str, properties: &[&ElementProperties]) -> Result<(), String> {
    let element = make_element(name, properties).map_err(|error| error.to_string())?;
    ElementChain::new(&[element]).map_err(|error| format!("{error:#}"))?;
    Ok(())
}

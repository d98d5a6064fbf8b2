//! What Home Assistant needs to know of a source to show it by itself: the messages of its MQTT discovery
//! (<https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery>).

use serde_json::{Value, json};

/// The topics of a source.
#[derive(Debug)]
pub(super) struct Topics<'a> {
    pub(super) records: &'a str,
    pub(super) status: &'a str,
    pub(super) availability: &'a str,
}

/// The topic and the message of each entity of `source`.
pub(super) fn entities(prefix: &str, source: &str, topics: &Topics<'_>) -> Vec<(String, Value)> {
    let id = format!("emotion_crowd_{}", identifier(source));
    let entity = |component: &str, key: &str, own: Value| {
        let mut all = json!({
            "unique_id": format!("{id}_{key}"),
            "availability_topic": topics.availability,
            "device": {
                "identifiers": [id],
                "name": source,
                "manufacturer": "emotion-crowd",
                "sw_version": env!("CARGO_PKG_VERSION"),
            },
        });
        if let (Value::Object(all), Value::Object(own)) = (&mut all, own) {
            all.extend(own);
        }
        (format!("{prefix}/{component}/{id}/{key}/config"), all)
    };
    vec![
        entity(
            "sensor",
            "people",
            json!({
                "name": "People",
                "state_topic": topics.records,
                "value_template": "{{ value_json.faces | count }}",
                "state_class": "measurement",
                "icon": "mdi:account-group",
            }),
        ),
        entity(
            "binary_sensor",
            "picture",
            json!({
                "name": "Picture",
                "device_class": "problem",
                "entity_category": "diagnostic",
                "state_topic": topics.status,
                "value_template": "{{ 'ON' if value_json.picture else 'OFF' }}",
            }),
        ),
        entity(
            "binary_sensor",
            "connected",
            json!({
                "name": "Camera",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "state_topic": topics.status,
                "value_template": "{{ 'ON' if value_json.status == 'playing' else 'OFF' }}",
            }),
        ),
    ]
}

/// `name` in letters, digits, `-` and `_`, which is all that Home Assistant takes. Other characters are their numbers.
fn identifier(name: &str) -> String {
    let mut identifier = String::new();
    for c in name.chars() {
        match c.is_ascii_alphanumeric() || c == '-' {
            true => identifier.push(c),
            // A single _ would make a_b and a.b the same.
            false => identifier += &format!("_{:x}_", u32::from(c)),
        }
    }
    identifier
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_plain_and_those_of_different_names_differ() {
        let names = ["hall", "hall.1", "hall-1", "hall_1", "büro"];
        let mut all = names.map(identifier).to_vec();
        assert!(
            all.iter().all(|id| id.is_ascii() && !id.contains('.')),
            "{all:?}"
        );
        all.dedup();
        assert_eq!(all.len(), names.len());
    }
}

//! Addresses of brokers and topics.

#![no_main]

use gstemotion::mqtt::{BrokerAddress, is_topic};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(address) = text.parse::<BrokerAddress>() {
        assert!(!address.host.is_empty() && address.port > 0);
    }
    if is_topic(text) {
        assert!(!text.is_empty() && !text.contains(['+', '#', '\0']));
    }
});

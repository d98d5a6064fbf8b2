//! Records: what is read is written the same way again.

#![no_main]

use gstemotion::record::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(record) = serde_json::from_slice::<Record>(bytes) else {
        return;
    };
    let text = serde_json::to_string(&record).expect("a record is JSON");
    let again: Record = serde_json::from_str(&text).expect("it was written by us");
    assert_eq!(
        text,
        serde_json::to_string(&again).expect("a record is JSON")
    );
});

//! Whether a JPEG file is whole (ITU-T T.81, annex B).

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// Whether the JPEG image in `bytes` ends with its marker. What follows it, and other images inside its segments, do not count.
pub fn has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    let mut is_in_scan = false;
    while let Some([first, kind]) = bytes.get(at..at + 2) {
        match (first, *kind) {
            (0xff, END_OF_IMAGE) => return true,
            // A fill byte before a marker.
            (0xff, 0xff) => at += 1,
            // An escaped byte of the scan, a restart marker or another one without a length.
            (0xff, 0x00 | 0x01 | 0xd0..=0xd7) => at += 2,
            (0xff, kind) => {
                let Some([high, low]) = bytes.get(at + 2..at + 4) else {
                    return false;
                };
                at += 2 + usize::from(u16::from_be_bytes([*high, *low])).max(2);
                is_in_scan |= kind == START_OF_SCAN;
            }
            _ if is_in_scan => at += 1,
            // No marker where one has to be: not a question of the length.
            _ => return true,
        }
    }
    false
}

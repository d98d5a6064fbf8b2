use super::*;

fn checked(bytes: &[u8]) -> Option<u64> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    missing_end(&path).unwrap()
}

fn mp4(large: bool) -> Vec<u8> {
    let mut bytes = b"\0\0\0\x10ftypisom\0\0\0\0".to_vec();
    if large {
        bytes.extend(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x18");
    } else {
        bytes.extend(b"\0\0\0\x18mdat\0\0\0\0\0\0\0\0");
    }
    bytes.extend([0; 8]);
    bytes
}

#[test]
fn a_complete_file_misses_nothing() {
    for large in [false, true] {
        assert_eq!(checked(&mp4(large)), None);
    }
    assert_eq!(
        checked(b"\x1a\x45\xdf\xa3\x81\0\x18\x53\x80\x67\x84\0\0\0\0"),
        None
    );
    assert_eq!(checked(b"RIFF\x04\0\0\0AVI "), None);
}

#[test]
fn a_cut_file_states_its_length() {
    for large in [false, true] {
        assert_eq!(checked(&mp4(large)[..36]), Some(40));
    }
    assert_eq!(
        checked(b"\x1a\x45\xdf\xa3\x81\0\x18\x53\x80\x67\x84\0\0"),
        Some(15)
    );
    assert_eq!(checked(b"RIFF\xff\0\0\0AVI "), Some(0x107));
}

#[test]
fn a_file_without_a_stated_length_is_accepted() {
    for bytes in [
        b"".as_slice(),
        b"no container at all",
        // A live recording: a segment of unknown size.
        b"\x1a\x45\xdf\xa3\x81\0\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff",
        b"RIFF\0\0\0\0AVI ",
        // The last box extends to the end of the file.
        b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\0mdat",
        // Zeros follow the last box.
        b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        assert_eq!(checked(bytes), None, "{bytes:?}");
    }
}

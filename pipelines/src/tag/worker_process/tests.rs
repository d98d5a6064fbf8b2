use super::*;

#[test]
fn only_what_a_worker_says_is_a_message() {
    let tagged = |suffixes: &str| {
        format!(
            r#"{{"type":"tagged","suffixes":{suffixes},"frames":1,"persons":1,"duration":1.0,"incomplete":null}}"#
        )
    };
    let rows = [
        (r#"{"type":"ready"}"#.to_owned(), true),
        (tagged(r#"["jsonl","summary.json"]"#), true),
        (tagged(r#"["summary.json","jsonl"]"#), false),
        (tagged("[]"), false),
        (r#"{"type":"ready""#.to_owned(), false),
        ("a library prints to the wrong file\n".to_owned(), false),
    ];
    for (line, is_message) in rows {
        let found = matches!(message(line.as_bytes()), Incoming::Message(_));
        assert_eq!(found, is_message, "{line}");
    }
    assert!(matches!(message(b"\xff\xfe"), Incoming::Unknown));
}

#[test]
fn a_line_without_end_is_divided() {
    let mut lengths = Vec::new();
    for_each_line(&[&[b'x'; 2500], &b"\nend"[..]].concat()[..], 1000, |line| {
        lengths.push(line.len());
        true
    });
    assert_eq!(lengths, [1000, 1000, 501, 3]);
    let mut count = 0;
    for_each_line(BufReader::new(io::repeat(b'\n')), 10, |_| {
        count += 1;
        count < 5
    });
    assert_eq!(count, 5);
}

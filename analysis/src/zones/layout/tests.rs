use super::*;

#[test]
fn zones_and_lines_are_read_and_written_as_the_same_text() {
    let zones =
        "hall=0,0.5 0.6,0.5 0.6,1 0,1 limit=20; till two=0.7,0.1 1,0.1 1,0.30000000000000004";
    let lines = "door=0.5,0.2 0.5,0.9 in=entering; gate=0,0 1,1";
    let layout = ZoneLayout::parse(zones, lines).unwrap();

    let written = |parts: Vec<String>| parts.join("; ");
    let zones_written = written(layout.zones().iter().map(Zone::to_string).collect());
    let lines_written = written(layout.lines().iter().map(Line::to_string).collect());
    assert_eq!((&*zones_written, &*lines_written), (zones, lines));
    assert_eq!(layout.zones()[0].limit(), Some(20));
    let door = &layout.lines()[0];
    assert_eq!((door.inwards(), door.outwards()), ("entering", "out"));
}

#[test]
fn an_empty_text_has_no_zones() {
    for text in ["", "  ", ";", " ; ;"] {
        assert!(
            ZoneLayout::parse(text, text).unwrap().is_empty(),
            "{text:?}"
        );
    }
}

#[test]
fn what_is_no_zone_is_named() {
    for (zones, part) in [
        ("hall", "hall"),
        ("a=0,0 1,0 1,1; b=0,0 1;0 1,1", "b=0,0 1"),
        ("hall=0,0 1,0 1,x", "hall=0,0 1,0 1,x"),
        ("hall=0,0 1,0 1,1 limit=-1", "hall=0,0 1,0 1,1 limit=-1"),
        ("hall=0,0 1,0 1,1 colour=red", "hall=0,0 1,0 1,1 colour=red"),
    ] {
        let error = ZoneLayout::parse(zones, "").unwrap_err();
        assert_eq!(error, ZoneLayoutError::Zone(part.into()));
    }
    let error = ZoneLayout::parse("", "door=0,0 0,1 limit=3").unwrap_err();
    assert_eq!(error, ZoneLayoutError::Line("door=0,0 0,1 limit=3".into()));
}

#[test]
fn the_name_of_a_wrong_shape_and_of_one_that_is_there_twice_is_told() {
    let triangle = "0,0 1,0 1,1";
    for (zones, lines, expected) in [
        (
            "hall=0,0 1,1",
            "",
            "hall: expected 3 to 100 corners, found 2",
        ),
        (
            "hall=0,0 1,0 1,2",
            "",
            "hall: expected fractions of the frame from 0 to 1, found 1,2",
        ),
        (
            "",
            "door=0,0 1,0 1,1",
            "door: expected the two ends of a line, found 3 points",
        ),
        (
            &format!("hall={triangle};hall={triangle}"),
            "",
            "hall is there twice; give each a name of its own",
        ),
        (
            "",
            "door=0,0 1,0; door=0,0 1,1",
            "door is there twice; give each a name of its own",
        ),
    ] {
        let error = ZoneLayout::parse(zones, lines).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    // A zone and a line may share a name.
    assert!(ZoneLayout::parse(&format!("hall={triangle}"), "hall=0,0 1,1").is_ok());
}

#[test]
fn a_file_has_a_zone_or_a_line_in_each_line() {
    let text = "# hall\n\n  zone hall=0,0.5 0.6,0.5 0.6,1 limit=20\r\nline\tdoor=0.5,0.2 0.5,0.9 in=a\nzone till two=0.7,0.1 1,0.1 1,0.3";
    let layout = ZoneLayout::parse_file(text).unwrap();
    let same = ZoneLayout::parse(
        "hall=0,0.5 0.6,0.5 0.6,1 limit=20; till two=0.7,0.1 1,0.1 1,0.3",
        "door=0.5,0.2 0.5,0.9 in=a",
    );
    assert_eq!(Ok(layout), same);
    assert!(ZoneLayout::parse_file("").unwrap().is_empty());
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_the_line() {
    for (text, expected) in [
        ("hall=0,0 1,0 1,1", "line 1: expected `zone NAME="),
        ("\nzone", "line 2: expected NAME="),
        (
            "zone a=0,0 1,0 1,1; b=0,0 1,0 1,1",
            "line 1: expected NAME=",
        ),
        (
            "#\nline door=0,0",
            "line 2: door: expected the two ends of a line, found 1 points",
        ),
        (
            "zone a=0,0 1,0 1,1\nzone a=0,0 1,0 0,1",
            "line 2: a is there twice",
        ),
    ] {
        let error = ZoneLayout::parse_file(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
}

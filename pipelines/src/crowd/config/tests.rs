use gst::prelude::*;

use std::path::Path;

use super::*;
use crate::crowd::zones::make_zone_counter;

fn parse(text: &str) -> Result<Config, Error> {
    crate::init().expect("GStreamer starts");
    Config::parse(text, Path::new("my.toml"))
}

fn error(text: &str) -> String {
    parse(text).expect_err(text).to_string()
}

#[test]
fn the_example_is_valid_as_it_is_and_with_every_setting_uncommented() {
    let config = parse(EXAMPLE).expect("the example is right");
    assert_eq!(config.sources.len(), 1);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| folder.path().join(name).display().to_string();
    let texts = [
        "talk.mp4",
        "broker.password",
        "page.token",
        "control.token",
        "webhook.token",
        "kafka.password",
    ];
    for name in texts {
        std::fs::write(file(name), format!("text of {name}\n")).expect("it is writable");
    }
    std::fs::write(file("page.token"), "text\n").expect("it is writable");
    std::fs::write(file("control.token"), "other\n").expect("it is writable");
    certificate(&file("crowd.pem"), &file("crowd.key"));
    certificate(&file("page.pem"), &file("page.key"));
    std::fs::copy(file("crowd.pem"), file("authority.pem")).expect("it is writable");
    let whole: String = EXAMPLE
        .lines()
        // A commented setting follows the # directly, prose after a space.
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let certificates = [
        "authority.pem",
        "crowd.pem",
        "crowd.key",
        "page.pem",
        "page.key",
    ];
    let whole = texts
        .iter()
        .chain(&certificates)
        .fold(whole, |text, name| {
            text.replace(&format!("\"{name}\""), &format!("\"{}\"", file(name)))
        })
        .replace("{ env = \"HALL_PASSWORD\" }", "\"text\"")
        // Certificates need an address with TLS.
        .replace("rtsp://camera.lan/stream", "rtsps://camera.lan/stream");
    let whole = match cfg!(feature = "kafka") {
        true => whole,
        false => {
            let refused = error(&whole);
            assert!(
                refused.contains("build it with the cargo feature kafka"),
                "{refused}"
            );
            let (before, kafka) = whole.split_once("[kafka]").expect("it is there");
            let (_, after) = kafka.split_once("[webhook]").expect("it follows");
            format!("{before}[webhook]{after}")
        }
    };
    let config = parse(&whole).expect("its comments are right");
    assert_eq!(config.kafka.is_some(), cfg!(feature = "kafka"));
    assert_eq!(config.sources.len(), 5);
    assert!(config.mqtt.is_some() && config.page.is_some());
    assert!(config.webhook.is_some() && config.api.is_some());
}

/// Makes a certificate and its key.
fn certificate(certificate: &str, key: &str) {
    let made = std::process::Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test",
        ])
        .args(["-out", certificate, "-keyout", key])
        .output()
        .expect("openssl is installed");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

#[test]
fn commented_values_of_the_example_are_the_defaults() {
    let whole: String = EXAMPLE.lines().map(|line| format!("{line}\n")).collect();
    let shown = |key: &str| {
        let line = whole
            .lines()
            .find(|line| line.starts_with(&format!("#{key} = ")));
        let value = line.and_then(|line| line.split(" = ").nth(1)).expect(key);
        value
            .split('#')
            .next()
            .expect(key)
            .trim()
            .trim_matches('"')
            .to_owned()
    };
    let config = parse("[[source]]\nname='a'\nlaunch='videotestsrc'").expect("it is right");
    let (reconnect, page) = (config.reconnect, PageSettings::default());
    let mqtt = parse("[mqtt]\naddress='x'\n[page]")
        .expect("it is right")
        .mqtt;
    let mqtt = mqtt.expect("it is set");
    assert_eq!(
        shown("stall-seconds"),
        reconnect.stall.as_secs().to_string()
    );
    assert_eq!(
        shown("first-pause-seconds"),
        reconnect.first_pause.as_secs().to_string()
    );
    assert_eq!(
        shown("longest-pause-seconds"),
        reconnect.longest_pause.as_secs().to_string()
    );
    assert_eq!(shown("listen"), page.listen.to_string());
    assert_eq!(shown("picture-width"), page.picture_width.to_string());
    assert_eq!(shown("queue-size"), mqtt.queue_size.to_string());
    assert_eq!(shown("topic"), mqtt.topic);
    assert_eq!(shown("status-topic"), mqtt.status_topic);
    assert_eq!(shown("availability-topic"), mqtt.availability_topic);
    let counter = gst::ElementFactory::make("emotionzones").build();
    let counter = counter.expect("the element is there");
    for (property, key) in [
        ("max-absence", "max-absence-seconds"),
        ("emotion-window", "emotion-window-seconds"),
    ] {
        let seconds = counter.property::<u64>(property) / 1_000_000_000;
        assert_eq!(shown(key), seconds.to_string());
    }
}

#[test]
fn zones_and_lines_of_a_source_are_read() {
    let config = parse(
        "[[source]]\nname='a'\nlaunch='videotestsrc'\n\
         [[source.zone]]\nname='hall'\ncorners=[[0,0.5],[1,0.5],[1,1]]\nlimit=3\n\
         [[source.zone]]\nname='till'\ncorners=[[0,0],[0.5,0],[0.5,0.5]]\n\
         [[source.line]]\nname='door'\nfrom=[0.2,0.9]\nto=[0.2,0.1]\nin='entering'\n\
         [[source]]\nname='b'\nlaunch='videotestsrc'\n",
    )
    .expect("it is right");
    let [a, b] = &config.sources[..] else {
        panic!("expected two sources");
    };
    let layout = &a.zones;
    let names: Vec<_> = layout
        .zones()
        .iter()
        .map(|zone| (zone.name(), zone.limit()))
        .collect();
    assert_eq!(names, [("hall", Some(3)), ("till", None)]);
    let door = &layout.lines()[0];
    assert_eq!((door.inwards(), door.outwards()), ("entering", "out"));
    assert!(b.zones.is_empty());
}

#[test]
fn the_times_of_zones_are_those_of_the_source_before_those_of_all() {
    let config = parse(
        "[zones]\nmax-absence-seconds = 2\nemotion-window-seconds = 0.5\n\
         [[source]]\nname='a'\nlaunch='videotestsrc'\nzones={max-absence-seconds=30}\n\
         [[source.zone]]\nname='hall'\ncorners=[[0,0.5],[1,0.5],[1,1]]\n",
    );
    let config = config.expect("it is right");
    let times = config.sources[0].zone_times.or(config.zones);
    let expected = [30_000, 500].map(|ms| Some(Duration::from_millis(ms)));
    assert_eq!([times.max_absence, times.emotion_window], expected);
    let counter = make_zone_counter(&config.sources[0].zones, times);
    let counter = counter.expect("the element is there");
    assert_eq!(counter.property::<u64>("max-absence"), 30_000_000_000);
    assert_eq!(counter.property::<u64>("emotion-window"), 500_000_000);

    let default = make_zone_counter(&config.sources[0].zones, ZoneTimes::default());
    let default = default.expect("the element is there");
    assert_eq!(default.property::<u64>("max-absence"), 5_000_000_000);
    let wrong = error("[page]\n[zones]\nmax-absence-seconds = 3601\n");
    assert!(
        wrong.starts_with("my.toml:3:23: expected seconds from 0 to 3600, found 3601"),
        "{wrong}"
    );
}

#[test]
fn errors_in_zones_and_lines_have_a_position() {
    let source = "[[source]]\nname='a'\nlaunch='videotestsrc'\n";
    for (part, place, said) in [
        (
            "[[source.zone]]\nname='hall'\ncorners=[[0,0],[1,1]]\n",
            "4:1",
            "the zone hall: expected 3 to 100 corners, found 2",
        ),
        (
            "[[source.zone]]\nname='hall'\ncorners=[[0,0],[1,1],[1,0],[0,1]]\n",
            "4:1",
            "the zone hall: edges must not cross",
        ),
        (
            "[[source.zone]]\nname='hall'\ncorners=[[0,0],[1,1,1],[1,0]]\n",
            "6:9",
            "expected a point as [x, y], found 3 numbers",
        ),
        (
            "[[source.zone]]\nname='hall'\ncorners=[[0,0],[1,0],[1,1]]\nlimit=-1\n",
            "7:7",
            "-1",
        ),
        (
            "[[source.zone]]\nname='hall'\ncorner=[]\n",
            "6:1",
            "unknown field `corner`",
        ),
        (
            "[[source.line]]\nname='door'\nfrom=[0.5,0]\nto=[0.5,7]\n",
            "4:1",
            "the line door: expected fractions of the frame from 0 to 1, found 0.5,7",
        ),
        (
            "[[source.line]]\nname='door'\nfrom=[0,0]\nto=[0,1]\n[[source.line]]\nname='door'\nfrom=[0,0]\nto=[1,1]\n",
            "1:1",
            "zones and lines of the source a: door is there twice",
        ),
    ] {
        let error = error(&[source, part].concat());
        assert!(
            error.starts_with(&format!("my.toml:{place}: ")) && error.contains(said),
            "{part}{error}"
        );
    }
}

#[test]
fn errors_have_a_position() {
    for (text, place, said) in [
        ("[analysis\n", "1:10", "expected `]`"),
        ("\n[page]\nlisten = \"nowhere\"", "3:10", "socket address"),
        ("[page]\ncolour = 1", "2:1", "unknown field `colour`"),
        ("[analysis]\nworkers = 0", "2:11", "from 1 to 256"),
        ("[analysis]\nworkers = 100000", "2:11", "found 100000"),
        (
            "[reconnect]\nstall-seconds = 0",
            "2:17",
            "expected seconds from 0.1",
        ),
        (
            "[reconnect]\nfirst-pause-seconds = 0",
            "2:23",
            "expected seconds from 0.1",
        ),
        ("[page]\npicture-width = -1", "2:17", "from 16 to 7680"),
        (
            "[mqtt]\naddress = \"http://x\"",
            "2:11",
            "expected mqtt://HOST",
        ),
        (
            "[mqtt]\naddress = \"x\"\ntopic = \"a/#\"",
            "3:9",
            "without + and #",
        ),
        (
            "[page]\ntoken = { fil = \"x\" }",
            "2:9",
            "{ file = \"PATH\" }",
        ),
        (
            "[page]\ntoken = { file = \"/nowhere\" }",
            "2:9",
            "/nowhere: No such file",
        ),
        (
            "[page]\ntoken = { env = \"EMOTION_UNSET\" }",
            "2:9",
            "EMOTION_UNSET",
        ),
        ("[page]\npictures = \"naked\"", "2:12", "`pixelate`"),
        ("[page]\nlisten = \"0.0.0.0:80\"", "2:10", "set a token"),
        ("[page]\ntoken = \"päss\"", "2:9", "expected letters"),
        (
            "[page]\n[mqtt]\naddress = \"x\"\npassword = \"y\"",
            "4:12",
            "password is set without username",
        ),
        (
            "[page]\n[mqtt]\naddress = \"mqtts://x\"\ntls-ca-file = \"/nope.pem\"",
            "4:15",
            "/nope.pem: ",
        ),
        (
            "[page]\n[records]\njsonl = \"/nope/x.jsonl\"",
            "3:9",
            "there is no folder /nope",
        ),
        ("[page]\n[records]\njsonl = \"/\"", "3:9", "it is a folder"),
        (
            "[page]\n[records]\njsonl = \"-\"\nrotate-hours = 1",
            "2:1",
            "a rotation needs a file",
        ),
        (
            "[page]\n[reconnect]\nlongest-pause-seconds = 0.5",
            "3:25",
            "the longest pause is 0.5 s",
        ),
        (
            "[webhook]\nurl = \"ftp://x\"",
            "2:7",
            "expected an address of a web server",
        ),
        (
            "[[source]]\nname=\"a\"\nlaunch=\"fakesrc\"\n[api]",
            "4:1",
            "expected a [page]",
        ),
        (
            "[page]\ntoken = \"a\"\n[api]\ntoken = \"a\"",
            "4:9",
            "another token than that of the page",
        ),
    ] {
        let error = error(text);
        assert!(
            error.starts_with(&format!("my.toml:{place}: ")),
            "{text}: {error}"
        );
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn sources_that_cannot_be_opened_are_rejected_with_their_position() {
    let source = |rest: &str| format!("[[source]]\nname = \"a\"\n{rest}");
    for (rest, place, said) in [
        ("uri = \"camera\"", "3:7", "expected SCHEME://"),
        ("uri = \"rtsp://x:port/y\"", "3:7", "expected a port"),
        ("latency-ms = 100000", "3:14", "from 0 to 60000"),
        (
            "launch = \"souphttpsrc location=http://me:secret@x nosuch=1\"",
            "3:10",
            "no part of a pipeline",
        ),
        ("uri = \"foo://me:secret@camera\"", "3:7", "foo"),
        (
            "file = \"/nowhere.mp4\"",
            "3:8",
            "/nowhere.mp4: there is no such file",
        ),
        ("launch = \"nosuchelement\"", "3:10", "nosuchelement"),
        ("frames-per-second = 0", "3:21", "from 0.01 to 1000"),
        ("", "1:1", "exactly one of uri, device, file and launch"),
        (
            "uri = \"rtsp://x\"\ndevice = \"/dev/video0\"",
            "1:1",
            "exactly one",
        ),
        ("uri = \"rtsp://x\"\npassword = \"y\"", "1:1", "no username"),
        (
            "uri = \"rtsp://x\"\ndevice-rate = 5",
            "1:1",
            "device-rate, which needs a device",
        ),
        (
            "device = \"/dev/video0\"\ndevice-size = \"big\"",
            "4:15",
            "expected WIDTHxHEIGHT",
        ),
        (
            "device = \"/dev/video0\"\ndevice-rate = 0",
            "4:15",
            "from 0.1 to 1000",
        ),
    ] {
        let error = error(&source(rest));
        assert!(
            error.starts_with(&format!("my.toml:{place}: ")),
            "{rest}: {error}"
        );
        assert!(
            error.contains(said) && !error.contains("secret"),
            "{rest}: {error}"
        );
    }
    assert!(error("").contains("at least one [[source]]"));
    let twice = source("launch = \"fakesrc\"\n").repeat(2);
    assert!(error(&twice).starts_with("my.toml:4:1: a second source named a"));
    let unnamed = error("[[source]]\nname = \"a/b\"");
    assert!(
        unnamed.contains("2:8") && unnamed.contains("expected letters"),
        "{unnamed}"
    );
}

#[test]
fn properties_are_checked_by_their_element() {
    for (text, place, said) in [
        ("[detect]\nmin-sise = 3", "2:12", "no property min-sise"),
        (
            "[detect]\nmin-size = \"large\"",
            "2:12",
            "does not take \"large\" for min-size",
        ),
        (
            "[detect]\nscale-factor = 0.5",
            "2:16",
            "does not take \"0.5\"",
        ),
        (
            "[classify]\nsmoothing = \"much\"",
            "2:13",
            "does not take \"much\"",
        ),
        ("[detect]\nstats = 1", "2:9", "no property stats to be set"),
        ("[detect]\nmin-size = [1]", "2:12", "found array"),
        (
            "[detect]\nmin-size = -3",
            "2:12",
            "expected a number from 0",
        ),
        (
            "[detect]\nmin-size = 30.5",
            "2:12",
            "expected a number from 0",
        ),
    ] {
        let error = error(text);
        assert!(
            error.starts_with(&format!("my.toml:{place}: ")),
            "{text}: {error}"
        );
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[test]
fn properties_of_a_source_take_precedence() {
    let config = parse(
        "[detect]\nmin-size = 50\nmin-neighbors = 3\n[[source]]\nname='a'\nlaunch='fakesrc'\ndetect={min-size=70}",
    )
    .expect("it is right");
    let of_source = &config.sources[0].detect;
    let element = make_element(FACEDETECT, &[&config.detect, of_source]).expect("it exists");
    assert_eq!(element.property::<u32>("min-size"), 70);
    assert_eq!(element.property::<u32>("min-neighbors"), 3);
}

#[test]
fn secrets_are_read_and_never_printed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "s3cret\nmore\n").expect("it is writable");
    let text = format!(
        "[page]\ntoken = {{ file = {:?} }}\n[[source]]\nname='a'\nlaunch='fakesrc'",
        file
    );
    let config = parse(&text).expect("it is right");
    let token = config.page.as_ref().and_then(|page| page.token.as_ref());
    assert_eq!(token.map(Secret::reveal), Some("s3cret"));
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn texts_about_a_source_lose_its_secrets() {
    let config =
        parse("[[source]]\nname='a'\nuri='rtsp://me:pa55@camera/?pwd=qu3ry'\nusername='me'\npassword='other'")
            .expect("it is right");
    let source = &config.sources[0];
    assert_eq!(
        source.without_secrets("cannot open rtsp://me:pa55@camera/?pwd=qu3ry with other, qu3ry"),
        "cannot open rtsp://…@camera/?… with …, …"
    );
    let shown = format!("{config:?}");
    assert!(
        !shown.contains("pa55") && !shown.contains("qu3ry"),
        "{shown}"
    );
}

#[test]
fn the_parts_of_a_file_have_all_its_sources_between_them() {
    let sources: String = (0..20)
        .map(|number| {
            format!("[[source]]\nname = \"camera-{number}\"\nuri = \"rtsp://h/{number}\"\n")
        })
        .collect();
    let of_part = |part: &str| {
        let mut config = parse(&sources).expect("it is right");
        config.keep_shard(part.parse().expect("a part"));
        let names = config.sources.into_iter().map(|source| source.name);
        names.collect::<Vec<_>>()
    };
    let [first, second] = ["1/2", "2/2"].map(of_part);
    assert!(!first.is_empty() && !second.is_empty());
    let mut all = [first, second].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 20);
}

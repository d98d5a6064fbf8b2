//! What a browser shows of the page, also when connections break and programs end.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use emotion_tests::free_port;

use super::browser::Browser;
use super::portrait;
use super::running::Running;

/// How many pictures of a source the page has shown.
fn pictures(source: &str) -> String {
    format!("Number(document.querySelector('[data-source={source}]')?.dataset.pictures ?? 0)")
}

/// Forwards connections to the page, until they are cut.
struct Proxy {
    port: u16,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let open = Arc::<Mutex<Vec<TcpStream>>>::default();
        let all = open.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // While the program is away, its clients are turned away.
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else {
                    continue;
                };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let clone = |stream: &TcpStream| stream.try_clone().expect("a clone");
                    let (mut from, mut to) = (clone(from), clone(to));
                    all.lock().expect("no panic").push(clone(&from));
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { port, open }
    }

    /// Cuts all connections.
    fn cut(&self) {
        for stream in self.open.lock().expect("no panic").drain(..) {
            // The other side may have closed it.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn every_source_has_its_picture_its_faces_and_its_charts() {
    let page = "[page]\nlisten = \"127.0.0.1:0\"\n";
    let mut running = Running::start(&[page, &portrait("hall"), &portrait("door")].concat());
    let page = running.page();
    let mut browser = Browser::start(1100, 900);
    browser.open(&format!("http://{}/", page.0));
    browser.wait_for(
        "document.querySelector('#summary').textContent === '2 of 2 sources playing, 2 faces now'",
    );
    for source in ["hall", "door"] {
        browser.wait_for(&format!("{} > 2", pictures(source)));
    }
    browser.wait_for("document.querySelectorAll('.emotions path').length >= 2");
    browser.wait_for("document.querySelectorAll('.count path').length >= 2");
    assert_eq!(
        browser.value(
            "document.querySelector('[data-source=hall] canvas').getAttribute('aria-label')"
        ),
        "Live picture of hall"
    );
    assert_eq!(
        browser.value("document.querySelectorAll('article.down').length"),
        0
    );
    for hidden in ["#alarm", "#down", "#logout", ".reason", ".age"] {
        let is_visible = format!("document.querySelector('{hidden}').checkVisibility()");
        assert_eq!(browser.value(&is_visible), false, "{hidden}");
    }
    browser.screenshot("emotion-crowd.png");
}

#[test]
fn twenty_four_sources_stay_up_to_date_through_cuts_and_restarts() {
    let port = free_port();
    let gone = free_port();
    let mut settings = format!(
        "[page]\nlisten = \"127.0.0.1:{port}\"\n[reconnect]\nfirst-pause-seconds = 30\n\
         [[source]]\nname = \"gone\"\nuri = \"rtsp://127.0.0.1:{gone}/live\"\n"
    );
    for number in 1..24 {
        settings += &format!(
            "[[source]]\nname = \"cam{number:02}\"\nlaunch = \"videotestsrc is-live=true pattern=ball \
             ! video/x-raw,width=160,height=90,framerate=5/1\"\n"
        );
    }
    let mut running = Running::start(&settings);
    running.page();
    let proxy = Proxy::start(port);
    let mut browser = Browser::start(1000, 700);
    browser.open(&format!("http://127.0.0.1:{}/", proxy.port));

    // What is visible has pictures, what is not has none, and all have states.
    let summary =
        "document.querySelector('#summary').textContent.startsWith('23 of 24 sources playing')";
    browser.wait_for(summary);
    browser.wait_for(&format!("{} > 2", pictures("cam01")));
    assert_eq!(browser.value(&pictures("cam23")), 0);
    assert_eq!(
        browser.value("document.querySelector('#down a').innerText"),
        "gone"
    );
    let card = browser.value("document.querySelector('[data-source=gone] .reason').innerText");
    let card = card.as_str().expect("text");
    assert!(
        card.contains("Down since ") && card.contains("Next attempt in "),
        "{card}"
    );
    browser.screenshot("emotion-crowd-24.png");
    browser.value("document.querySelector('[data-source=cam23]').scrollIntoView()");
    browser.wait_for(&format!("{} > 2", pictures("cam23")));

    // A cut: the pictures come back.
    proxy.cut();
    let before = browser.value(&pictures("cam23"));
    browser.wait_for(&format!("{} > {before} + 2", pictures("cam23")));

    // A dead program is seen, and its end too.
    running.signal("-KILL");
    running.end();
    browser.wait_for("document.body.classList.contains('stale')");
    let alarm = browser.value("document.querySelector('#alarm').innerText");
    let alarm = alarm.as_str().expect("text");
    assert!(
        alarm.starts_with("No news from emotion-crowd for "),
        "{alarm}"
    );
    assert!(alarm.contains("Everything below is old."), "{alarm}");
    browser.screenshot("emotion-crowd-dead.png");
    let before = browser.value(&pictures("cam23"));
    let _restarted = Running::start(&settings);
    browser.wait_for(&format!("{} > {before} + 2", pictures("cam23")));
    browser.wait_for(&format!(
        "document.querySelector('#alarm').hidden && {summary}"
    ));
}

#[test]
fn a_visitor_logs_in_once_and_is_asked_again_when_the_token_has_changed() {
    let port = free_port();
    let settings = |token: &str| {
        format!(
            "[page]\nlisten = \"127.0.0.1:{port}\"\ntoken = \"{token}\"\n{}",
            portrait("hall")
        )
    };
    let mut running = Running::start(&settings("long-enough-for-all"));
    running.page();
    let mut browser = Browser::start(600, 400);
    browser.open(&format!("http://127.0.0.1:{port}/"));
    let log_in = |browser: &mut Browser, token: &str| {
        browser.wait_for("document.querySelector('#token') !== null");
        browser.value(&format!(
            "document.querySelector('#token').value = '{token}'; document.querySelector('button').click()"
        ));
    };
    log_in(&mut browser, "wrong");
    browser.wait_for("document.querySelector('.problem')?.innerText === 'This is not the token.'");
    browser.screenshot("emotion-crowd-login.png");
    log_in(&mut browser, "long-enough-for-all");
    browser.wait_for(&format!("{} > 1", pictures("hall")));
    assert_eq!(browser.value("document.cookie"), "");

    running.signal("-KILL");
    running.end();
    let mut restarted = Running::start(&settings("another-one-for-all"));
    restarted.page();
    log_in(&mut browser, "another-one-for-all");
    browser.wait_for(&format!("{} > 1", pictures("hall")));
    browser.value("document.querySelector('#logout button').click()");
    browser.wait_for("document.querySelector('#token') !== null");
}

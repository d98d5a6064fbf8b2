//! Programs that are killed at random instants.

use std::env;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often a test kills its program: `EMOTION_KILLS`, or 10 times.
///
/// # Panics
///
/// When `EMOTION_KILLS` is no number.
pub fn kills() -> usize {
    let asked = env::var("EMOTION_KILLS").ok();
    asked.map_or(10, |asked| {
        asked.parse().expect("EMOTION_KILLS is a number")
    })
}

/// Kills programs, each after a random time.
#[derive(Debug)]
pub struct Killer {
    state: u64,
    longest: Duration,
}

impl Killer {
    /// Kills within `longest` after the start.
    pub fn new(seed: u64, longest: Duration) -> Self {
        Self {
            state: seed,
            longest,
        }
    }

    /// A number from 0 to 1, by Knuth's linear congruential generator.
    fn share(&mut self) -> f64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 32) as f64 / f64::from(u32::MAX)
    }

    /// Runs the program until it is killed, or until it has ended by itself, which is told.
    ///
    /// # Panics
    ///
    /// When it does not start, or ends by itself with an error.
    pub fn run(&mut self, command: &mut Command) -> bool {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let end = Instant::now() + self.longest.mul_f64(self.share());
        let mut program = command.spawn().expect("it starts");
        while Instant::now() < end {
            if let Some(status) = program.try_wait().expect("it is ours") {
                assert!(status.success(), "{command:?}: {status}");
                return true;
            }
            thread::sleep(Duration::from_millis(2));
        }
        program.kill().expect("it is ours");
        program.wait().expect("it was killed");
        false
    }
}

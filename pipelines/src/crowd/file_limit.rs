//! The limit of open files, which sockets count in too.
//!
//! A camera that cannot get a socket cannot be opened again. So the page gets only what the sources leave.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files of a source: sockets, and the wake-up descriptors of its elements. Counted for RTSP: 12 over TCP, 34 over UDP with
/// sound.
const PER_SOURCE: u64 = 36;
/// Open files of the program itself: outputs, event loops, libraries.
const OF_PROGRAM: u64 = 64;

/// Raises the soft limit of open files to the hard one and returns it.
pub(super) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    now.unwrap_or(u64::MAX)
}

/// How many of the files that `limit` allows are left for the page beside this number of sources.
pub(super) fn left_for_page(limit: u64, sources: usize) -> u64 {
    let sources = u64::try_from(sources).unwrap_or(u64::MAX);
    limit.saturating_sub(OF_PROGRAM.saturating_add(PER_SOURCE.saturating_mul(sources)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_gets_what_the_sources_leave() {
        assert_eq!(left_for_page(1024, 24), 1024 - 64 - 24 * 36);
        assert_eq!(left_for_page(1024, 100), 0);
        assert_eq!(left_for_page(u64::MAX, 2), u64::MAX - 64 - 2 * 36);
    }

    #[test]
    fn the_limit_is_raised_to_the_hard_one() {
        let hard = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        assert_eq!(raise(), hard);
        assert_eq!(
            getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
            hard
        );
    }
}

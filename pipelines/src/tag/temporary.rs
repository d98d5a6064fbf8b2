//! Tells failures that may pass from those of the file itself: another attempt, later or on another machine, may then succeed.

use std::io::{self, ErrorKind};

use gst::glib;

/// Numbers of errors that have no [`ErrorKind`]; the same on all Unix systems.
const EIO: i32 = 5;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

/// A failure that has nothing to do with the content of the file: a full disk, no memory, a server that does not answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct TemporaryError(pub(super) String);

/// Whether one of the causes of an error may pass.
pub(super) fn is_temporary(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<TemporaryError>()
            || cause
                .downcast_ref::<io::Error>()
                .is_some_and(is_temporary_io)
    })
}

/// Whether a failure of the system may pass.
pub(super) fn is_temporary_io(error: &io::Error) -> bool {
    let by_kind = matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::OutOfMemory
            | ErrorKind::ResourceBusy
            | ErrorKind::StaleNetworkFileHandle
            | ErrorKind::TimedOut
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionAborted
    );
    let number = error.raw_os_error();
    // Too many open files; a disk or a network share that fails.
    by_kind || number.is_some_and(|number| [EMFILE, ENFILE, EIO].contains(&number))
}

/// Whether an error of an element may pass: it cannot write because the disk is full, or cannot read what it had opened.
pub(super) fn is_temporary_in_element(error: &glib::Error) -> bool {
    matches!(
        error.kind::<gst::ResourceError>(),
        Some(gst::ResourceError::NoSpaceLeft | gst::ResourceError::Read | gst::ResourceError::Busy)
    )
}

/// Whether an error of a source that reads from a server may pass: all but a file that is not there or not allowed.
pub(super) fn is_temporary_of_server(error: &glib::Error) -> bool {
    !matches!(
        error.kind::<gst::ResourceError>(),
        Some(gst::ResourceError::NotFound | gst::ResourceError::NotAuthorized)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_full_disk_passes_and_a_broken_file_does_not() {
        let full = io::Error::from_raw_os_error(28);
        let full = Err::<(), _>(full).context("clip.mp4.jsonl: cannot write");
        assert!(is_temporary(&full.unwrap_err()));
        let damaged = anyhow::anyhow!("it is damaged");
        assert!(!is_temporary(&damaged));
        let missing = io::Error::from(ErrorKind::NotFound);
        assert!(!is_temporary(&missing.into()));
        for number in [EMFILE, ENFILE, EIO] {
            assert!(is_temporary_io(&io::Error::from_raw_os_error(number)));
        }
        let unreachable = TemporaryError("the server does not answer".into());
        assert!(is_temporary(
            &anyhow::Error::from(unreachable).context("copying")
        ));
    }

    #[test]
    fn a_server_may_answer_later_but_a_file_that_it_lacks_stays_missing() {
        let error = |kind| glib::Error::new(kind, "text");
        assert!(is_temporary_of_server(&error(gst::ResourceError::OpenRead)));
        assert!(!is_temporary_of_server(&error(
            gst::ResourceError::NotFound
        )));
        assert!(is_temporary_in_element(&error(
            gst::ResourceError::NoSpaceLeft
        )));
        assert!(!is_temporary_in_element(&glib::Error::new(
            gst::StreamError::Demux,
            "text"
        )));
    }
}

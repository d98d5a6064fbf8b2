//! Processes several files in parallel.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::inputs::InputFile;
use crate::runner::StopFlag;

/// Calls `work` with the index of each input and the input, in order, in at most `jobs` threads, until `stop` is set.
///
/// Returns the results in the order in which they were finished.
pub(super) fn run<T: Send>(
    inputs: &[InputFile],
    jobs: NonZeroUsize,
    stop: &StopFlag,
    work: impl Fn(usize, &InputFile) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(inputs.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(inputs.len()) {
            scope.spawn(|| {
                while !stop.is_set() {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(input) = inputs.get(number) else {
                        break;
                    };
                    let outcome = work(number, input);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(outcome);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    fn inputs(count: usize) -> Vec<InputFile> {
        (0..count)
            .map(|number| InputFile {
                path: number.to_string().into(),
                absolute: number.to_string().into(),
                name: number.to_string().into(),
                size: 0,
                modified_ns: 0,
            })
            .collect()
    }

    fn jobs(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).expect("not zero")
    }

    #[test]
    fn each_file_is_processed_once() {
        let mut done = run(&inputs(50), jobs(4), &StopFlag::default(), |number, _| {
            number
        });
        done.sort_unstable();
        assert_eq!(done, (0..50).collect::<Vec<_>>());
        assert!(run(&[], jobs(4), &StopFlag::default(), |number, _| number).is_empty());
    }

    #[test]
    fn as_many_files_are_processed_in_parallel_as_there_are_jobs() {
        // Each waits for two others.
        let barrier = Barrier::new(3);
        run(&inputs(6), jobs(3), &StopFlag::default(), |_, _| {
            barrier.wait();
        });
    }

    #[test]
    fn after_a_stop_no_other_file_is_started() {
        let stop = StopFlag::default();
        let done = run(&inputs(50), jobs(1), &stop, |number, _| {
            if number == 3 {
                stop.set();
            }
        });
        assert_eq!(done.len(), 4);
    }
}

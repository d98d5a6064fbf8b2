//! Processes several files in parallel.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tracing::info_span;

use super::inputs::InputFile;
use crate::runner::StopFlag;

/// Calls `work` with the index of each input and the input, in order, in at most `jobs` threads, until `stop` is set or a
/// call fails. Each thread has a state of its own, which begins as `S::default()`.
///
/// Returns the results in the order in which they were finished.
///
/// # Errors
///
/// The first error of `work`.
pub(super) fn run<S: Default, T: Send, E: Send>(
    inputs: &[InputFile],
    jobs: NonZeroUsize,
    stop: &StopFlag,
    work: impl Fn(&mut S, usize, &InputFile) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Ok(Vec::with_capacity(inputs.len())));
    let done_so_far = || done.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(inputs.len()) {
            scope.spawn(|| {
                let mut state = S::default();
                while !stop.is_set() && done_so_far().is_ok() {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(input) = inputs.get(number) else {
                        break;
                    };
                    let span = info_span!("file", source = input.source());
                    let outcome = span.in_scope(|| work(&mut state, number, input));
                    let mut done = done_so_far();
                    match (&mut *done, outcome) {
                        (Ok(done), Ok(outcome)) => done.push(outcome),
                        (Ok(_), Err(error)) => *done = Err(error),
                        (Err(_), _) => {}
                    }
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::inputs::InputOrigin;
    use std::sync::Barrier;

    fn inputs(count: usize) -> Vec<InputFile> {
        (0..count)
            .map(|number| InputFile {
                path: number.to_string().into(),
                absolute: number.to_string().into(),
                name: number.to_string().into(),
                captions: number.to_string().into(),
                size: 0,
                origin: InputOrigin::Local,
            })
            .collect()
    }

    fn jobs(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).expect("not zero")
    }

    #[test]
    fn each_file_is_processed_once() {
        let numbers = |count, jobs_at_a_time| {
            run(
                &inputs(count),
                jobs(jobs_at_a_time),
                &StopFlag::default(),
                |(): &mut (), number, _| Ok::<_, ()>(number),
            )
        };
        let mut done = numbers(50, 4).unwrap();
        done.sort_unstable();
        assert_eq!(done, (0..50).collect::<Vec<_>>());
        assert!(numbers(0, 4).unwrap().is_empty());
    }

    #[test]
    fn as_many_files_are_processed_in_parallel_as_there_are_jobs() {
        // Each waits for two others.
        let barrier = Barrier::new(3);
        let waited = run(
            &inputs(6),
            jobs(3),
            &StopFlag::default(),
            |(): &mut (), _, _| {
                barrier.wait();
                Ok::<_, ()>(())
            },
        );
        assert_eq!(waited.map(|done| done.len()), Ok(6));
    }

    #[test]
    fn a_thread_keeps_its_state_from_file_to_file() {
        let counts = run(
            &inputs(5),
            jobs(1),
            &StopFlag::default(),
            |count: &mut usize, _, _| {
                *count += 1;
                Ok::<_, ()>(*count)
            },
        );
        assert_eq!(counts, Ok(vec![1, 2, 3, 4, 5]));
    }

    #[test]
    fn after_a_stop_no_other_file_is_started() {
        let stop = StopFlag::default();
        let done = run(&inputs(50), jobs(1), &stop, |(): &mut (), number, _| {
            if number == 3 {
                stop.set();
            }
            Ok::<_, ()>(())
        });
        assert_eq!(done.map(|done| done.len()), Ok(4));
    }

    #[test]
    fn after_an_error_no_other_file_is_started() {
        let calls = AtomicUsize::new(0);
        let done = run(
            &inputs(50),
            jobs(1),
            &StopFlag::default(),
            |(): &mut (), number, _| {
                calls.fetch_add(1, Ordering::SeqCst);
                if number == 3 { Err(number) } else { Ok(()) }
            },
        );
        assert_eq!(done, Err(3));
        assert_eq!(calls.into_inner(), 4);
    }
}

//! The open connections of the page: how many there may be, and which of them gives way.
//!
//! When all places are taken, the oldest connection that has not been granted access gives way to a new one. So clients that
//! only hold connections open keep nobody out. A connection with access keeps its place.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

/// The requests that a connection may send at once, and how many a second after that.
const BURST: u32 = 50;
const PERIOD: Duration = Duration::from_millis(50);

/// All open connections.
#[derive(Debug)]
pub(super) struct ConnectionTable {
    most: usize,
    state: Mutex<TableState>,
}

#[derive(Debug, Default)]
struct TableState {
    next: u64,
    /// By number, so the oldest is the first.
    open: BTreeMap<u64, OpenConnection>,
}

#[derive(Debug)]
struct OpenConnection {
    has_access: Arc<AtomicBool>,
    task: Option<AbortHandle>,
}

/// A place in the table. Dropping the last clone frees it.
#[derive(Debug)]
pub(super) struct Connection {
    number: u64,
    /// The address of the client, or of its proxy.
    pub(super) peer: IpAddr,
    has_access: Arc<AtomicBool>,
    due: Mutex<Instant>,
    table: Arc<ConnectionTable>,
}

impl ConnectionTable {
    /// A table with `most` places.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            state: Mutex::default(),
        })
    }

    /// A place for a new connection; `None` if all are taken by connections with access.
    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Arc<Connection>> {
        let mut state = self.lock();
        if state.open.len() >= self.most {
            let mut open = state.open.iter();
            let (&oldest, _) = open.find(|(_, one)| !one.has_access.load(Ordering::Relaxed))?;
            if let Some(task) = state.open.remove(&oldest).and_then(|one| one.task) {
                task.abort();
            }
        }
        let (number, has_access) = (state.next, Arc::<AtomicBool>::default());
        state.next += 1;
        let open = OpenConnection {
            has_access: has_access.clone(),
            task: None,
        };
        state.open.insert(number, open);
        Some(Arc::new(Connection {
            number,
            peer,
            has_access,
            due: Mutex::new(Instant::now()),
            table: self.clone(),
        }))
    }

    /// Names the task that serves the connection with this number, so that it can be ended.
    pub(super) fn set_task(&self, number: u64, task: AbortHandle) {
        if let Some(open) = self.lock().open.get_mut(&number) {
            open.task = Some(task);
        }
    }

    fn lock(&self) -> MutexGuard<'_, TableState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether its last request was granted access.
    pub(super) fn has_access(&self) -> bool {
        self.has_access.load(Ordering::Relaxed)
    }

    /// Sets whether its last request was granted access.
    pub(super) fn set_access(&self, has_access: bool) {
        self.has_access.store(has_access, Ordering::Relaxed);
    }

    /// How long the request that arrives at `now` has to wait, if requests come faster than a client of the page sends them.
    pub(super) fn pause(&self, now: Instant) -> Duration {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        *due = (*due).max(now) + PERIOD;
        due.saturating_duration_since(now + PERIOD * BURST)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.table.lock().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn places(table: &Arc<ConnectionTable>) -> Vec<u64> {
        table.lock().open.keys().copied().collect()
    }

    #[test]
    fn the_oldest_connection_without_access_gives_way() {
        let table = ConnectionTable::new(2);
        let first = table.admit(PEER).expect("a place");
        first.set_access(true);
        let _second = table.admit(PEER).expect("a place");
        let third = table.admit(PEER).expect("the place of the second");
        assert_eq!(places(&table), [0, 2]);
        third.set_access(true);
        assert!(table.admit(PEER).is_none());
        drop(first);
        assert!(table.admit(PEER).is_some());
    }

    #[test]
    fn a_connection_that_gave_way_frees_no_place_of_another() {
        let table = ConnectionTable::new(1);
        let first = table.admit(PEER).expect("a place");
        let _second = table.admit(PEER).expect("the place of the first");
        drop(first);
        assert_eq!(places(&table), [1]);
    }

    #[test]
    fn requests_above_the_rate_wait() {
        let table = ConnectionTable::new(1);
        let connection = table.admit(PEER).expect("a place");
        let now = Instant::now();
        let pauses: Vec<_> = (0..BURST + 3).map(|_| connection.pause(now)).collect();
        let (burst, after) = pauses.split_at(BURST as usize);
        assert!(burst.iter().all(Duration::is_zero), "{burst:?}");
        assert_eq!(after, [PERIOD, 2 * PERIOD, 3 * PERIOD]);
        let later = now + Duration::from_secs(60);
        assert_eq!(connection.pause(later), Duration::ZERO);
    }
}

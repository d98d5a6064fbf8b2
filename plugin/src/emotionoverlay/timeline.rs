//! The latest emotions of a face.

use std::collections::VecDeque;
use std::time::Duration;

use super::palette::Colour;

/// Cells of a timeline.
pub(super) const CELLS: usize = 24;

/// The duration of a cell.
const CELL: Duration = Duration::from_millis(500);

/// The colours of a face's emotions in cells of half a second.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    cells: VecDeque<Option<Colour>>,
    /// Number of the last cell since time 0.
    last: u64,
}

impl Timeline {
    /// Adds the emotion at `now`. The last emotion of a cell stays in it; a cell without one stays empty.
    pub(super) fn add(&mut self, now: Duration, colour: Colour) {
        let cell = (now.as_millis() / CELL.as_millis()) as u64;
        if self.cells.is_empty() {
            self.last = cell;
            self.cells.push_back(None);
        }
        let passed = cell.saturating_sub(self.last).min(CELLS as u64);
        self.cells.extend((0..passed).map(|_| None));
        self.last = self.last.max(cell);
        if let Some(last) = self.cells.back_mut() {
            *last = Some(colour);
        }
        let surplus = self.cells.len().saturating_sub(CELLS);
        self.cells.drain(..surplus);
    }

    /// The last [`CELLS`] cells, the newest at the end.
    pub(super) fn cells(&self) -> Vec<Option<Colour>> {
        let missing = CELLS.saturating_sub(self.cells.len());
        let missing = std::iter::repeat_n(None, missing);
        missing.chain(self.cells.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_emotion_ends_the_timeline_and_absence_leaves_a_gap() {
        const RED: Colour = Colour(255, 0, 0);
        const BLUE: Colour = Colour(0, 0, 255);
        let ms = Duration::from_millis;
        let mut timeline = Timeline::default();
        assert_eq!(timeline.cells(), [None; CELLS]);
        timeline.add(ms(700), RED);
        timeline.add(ms(900), BLUE);
        timeline.add(ms(2100), RED);
        let cells = timeline.cells();
        assert_eq!(cells.len(), CELLS);
        assert_eq!(cells[CELLS - 4..], [Some(BLUE), None, None, Some(RED)]);
        timeline.add(ms(3_600_000), BLUE);
        assert_eq!(timeline.cells()[..CELLS - 1], [None; CELLS - 1]);
        assert_eq!(timeline.cells()[CELLS - 1], Some(BLUE));
    }
}

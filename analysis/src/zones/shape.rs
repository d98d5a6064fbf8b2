//! Zones and lines in fractions of the frame.

use std::fmt;

/// The largest number of corners of a zone.
const MAX_CORNERS: usize = 100;

/// The largest number of characters of a name.
const MAX_NAME: usize = 64;

/// A point in fractions of the frame: 0, 0 is its upper left corner and 1, 1 its lower right one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FramePoint {
    /// From left to right.
    pub x: f64,
    /// From top to bottom.
    pub y: f64,
}

/// A part of the frame: a polygon whose edges do not cross.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    name: String,
    corners: Vec<FramePoint>,
    limit: Option<u32>,
}

/// A line that people cross.
///
/// Who looks from its first to its second point has one side at the right and one at the left. A crossing to the right is
/// inwards, one to the left is outwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    name: String,
    from: FramePoint,
    to: FramePoint,
    inwards: String,
    outwards: String,
}

/// What is wrong with a zone or a line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// The name, given here, is empty, too long, or has characters with a meaning in the text of zones.
    #[error("{0:?} is no name: expected 1 to 64 characters, none of them = ; or a line break")]
    Name(String),
    /// The name of a direction, given here, is not one word.
    #[error("{0:?} is no direction: expected one word of at most 64 characters, without = and ;")]
    Direction(String),
    /// A zone has this number of corners.
    #[error("expected 3 to 100 corners, found {0}")]
    Corners(usize),
    /// A line has this number of points.
    #[error("expected the two ends of a line, found {0} points")]
    Ends(usize),
    /// A point lies outside the frame or is not a number.
    #[error("expected fractions of the frame from 0 to 1, found {},{}", .0.x, .0.y)]
    Outside(FramePoint),
    /// Two points in a row are the same.
    #[error("{},{} is there twice in a row; leave one out", .0.x, .0.y)]
    Repeated(FramePoint),
    /// Two edges of a zone, counted from 1, touch or cross each other.
    #[error(
        "edges must not cross or touch each other: edge {0} and edge {1} do; give the corners in the order in which one walks \
         around the zone"
    )]
    Crossing(usize, usize),
}

impl FramePoint {
    fn is_in_frame(self) -> bool {
        (0.0..=1.0).contains(&self.x) && (0.0..=1.0).contains(&self.y)
    }
}

impl fmt::Display for FramePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.x, self.y)
    }
}

impl Zone {
    /// A zone with these corners in the order of the border, and the largest number of people that may be in it.
    ///
    /// # Errors
    ///
    /// If the name is not one, there are fewer than three corners or more than a hundred, one lies outside the frame, or edges
    /// cross.
    pub fn new(
        name: &str,
        corners: Vec<FramePoint>,
        limit: Option<u32>,
    ) -> Result<Self, ShapeError> {
        let name = checked_name(name)?;
        if !(3..=MAX_CORNERS).contains(&corners.len()) {
            return Err(ShapeError::Corners(corners.len()));
        }
        check_points(&corners, true)?;
        let zone = Self {
            name,
            corners,
            limit,
        };
        match zone.crossing_edges() {
            Some((first, second)) => Err(ShapeError::Crossing(first + 1, second + 1)),
            None => Ok(zone),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its corners.
    pub fn corners(&self) -> &[FramePoint] {
        &self.corners
    }

    /// The largest number of people that may be in it, if there is a limit.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Whether the point lies in the zone. Points on a border between two zones lie in one of them.
    pub fn contains(&self, point: FramePoint) -> bool {
        let is_left_of = |(a, b): (FramePoint, FramePoint)| {
            let reaches = (a.y > point.y) != (b.y > point.y);
            reaches && point.x < (b.x - a.x) * (point.y - a.y) / (b.y - a.y) + a.x
        };
        self.edges().filter(|edge| is_left_of(*edge)).count() % 2 == 1
    }

    /// How far the point is from the border, in units of `unit` (width and height). The border of the frame does not count: nobody
    /// can be seen beyond it.
    pub(super) fn border_distance(&self, point: FramePoint, unit: (f64, f64)) -> f64 {
        let is_of_frame = |(a, b): &(FramePoint, FramePoint)| {
            let on = |a: f64, b: f64| a == b && (a == 0.0 || a == 1.0);
            on(a.x, b.x) || on(a.y, b.y)
        };
        self.edges()
            .filter(|edge| !is_of_frame(edge))
            .map(|(a, b)| distance(point, a, b, unit))
            .fold(f64::INFINITY, f64::min)
    }

    fn edges(&self) -> impl Iterator<Item = (FramePoint, FramePoint)> {
        let next = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(next.copied())
    }

    /// Two edges that have a point in common, apart from the corner between neighbours.
    fn crossing_edges(&self) -> Option<(usize, usize)> {
        let edges: Vec<_> = self.edges().collect();
        let count = edges.len();
        let pairs = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j)));
        pairs.into_iter().find(|&(i, j)| {
            let ((a, b), (c, d)) = (edges[i], edges[j]);
            // Neighbours have a corner in common, and cross where one runs back along the other.
            if j == i + 1 {
                runs_back(a, b, d)
            } else if i == 0 && j == count - 1 {
                runs_back(c, a, b)
            } else {
                touch(a, b, c, d)
            }
        })
    }
}

/// The zone as [`ZoneLayout::parse`](super::ZoneLayout::parse) reads it.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.name)?;
        for (index, corner) in self.corners.iter().enumerate() {
            write!(f, "{}{corner}", if index > 0 { " " } else { "" })?;
        }
        match self.limit {
            Some(limit) => write!(f, " limit={limit}"),
            None => Ok(()),
        }
    }
}

impl Line {
    /// The names of the directions of a line that gets none.
    pub const DIRECTIONS: [&str; 2] = ["in", "out"];

    /// A line between two points; `inwards` and `outwards` are the names of the directions, a word each.
    ///
    /// # Errors
    ///
    /// If a name is not one, or the points are the same or lie outside the frame.
    pub fn new(
        name: &str,
        [from, to]: [FramePoint; 2],
        [inwards, outwards]: [&str; 2],
    ) -> Result<Self, ShapeError> {
        check_points(&[from, to], false)?;
        Ok(Self {
            name: checked_name(name)?,
            from,
            to,
            inwards: checked_direction(inwards)?,
            outwards: checked_direction(outwards)?,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its two points.
    pub fn ends(&self) -> [FramePoint; 2] {
        [self.from, self.to]
    }

    /// The name of the direction to the right.
    pub fn inwards(&self) -> &str {
        &self.inwards
    }

    /// The name of the direction to the left.
    pub fn outwards(&self) -> &str {
        &self.outwards
    }

    /// Whether the way between two points crosses the line: `Some(true)` for inwards.
    pub(super) fn crossing(&self, before: FramePoint, after: FramePoint) -> Option<bool> {
        // A point on the line belongs to its left side, so that a stop on it does not count twice.
        let is_right = |point| cross(self.from, self.to, point) > 0.0;
        let (was, is) = (is_right(before), is_right(after));
        let (start, end) = (
            cross(before, after, self.from),
            cross(before, after, self.to),
        );
        let passes = start == 0.0 || end == 0.0 || (start > 0.0) != (end > 0.0);
        (was != is && passes).then_some(is)
    }

    /// How far the point is from the line, in units of `unit` (width and height).
    pub(super) fn distance(&self, point: FramePoint, unit: (f64, f64)) -> f64 {
        distance(point, self.from, self.to, unit)
    }
}

/// The line as [`ZoneLayout::parse`](super::ZoneLayout::parse) reads it.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} {}", self.name, self.from, self.to)?;
        let names = [&self.inwards, &self.outwards];
        for ((option, default), name) in ["in", "out"].iter().zip(Self::DIRECTIONS).zip(names) {
            if name != default {
                write!(f, " {option}={name}")?;
            }
        }
        Ok(())
    }
}

fn checked_name(name: &str) -> Result<String, ShapeError> {
    let name = name.trim();
    let is_plain = |c: char| !c.is_control() && c != '=' && c != ';';
    let is_name = !name.is_empty() && name.chars().count() <= MAX_NAME;
    if is_name && name.chars().all(is_plain) {
        return Ok(name.to_owned());
    }
    Err(ShapeError::Name(name.to_owned()))
}

fn checked_direction(name: &str) -> Result<String, ShapeError> {
    let checked = checked_name(name).ok();
    let word = checked.filter(|checked| !checked.contains(char::is_whitespace));
    word.ok_or_else(|| ShapeError::Direction(name.to_owned()))
}

fn check_points(points: &[FramePoint], is_closed: bool) -> Result<(), ShapeError> {
    if let Some(outside) = points.iter().find(|point| !point.is_in_frame()) {
        return Err(ShapeError::Outside(*outside));
    }
    let next = points.iter().cycle().skip(1);
    let count = points.len() - usize::from(!is_closed);
    let mut pairs = points.iter().zip(next).take(count);
    match pairs.find(|(a, b)| a == b) {
        Some((point, _)) => Err(ShapeError::Repeated(*point)),
        None => Ok(()),
    }
}

/// Twice the area of the triangle, positive if `p` is at the right of who looks from `a` to `b`.
fn cross(a: FramePoint, b: FramePoint, p: FramePoint) -> f64 {
    (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)
}

/// Whether the edge from `b` to `c` runs back along the one from `a` to `b`.
fn runs_back(a: FramePoint, b: FramePoint, c: FramePoint) -> bool {
    let ahead = (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y);
    cross(a, b, c) == 0.0 && ahead < 0.0
}

/// Whether two segments have a point in common.
fn touch(a: FramePoint, b: FramePoint, c: FramePoint, d: FramePoint) -> bool {
    let lies_between = |p: FramePoint, a: FramePoint, b: FramePoint| {
        (a.x.min(b.x)..=a.x.max(b.x)).contains(&p.x) && (a.y.min(b.y)..=a.y.max(b.y)).contains(&p.y)
    };
    let [ab_c, ab_d, cd_a, cd_b] = [
        cross(a, b, c),
        cross(a, b, d),
        cross(c, d, a),
        cross(c, d, b),
    ];
    let crosses = ab_c * ab_d < 0.0 && cd_a * cd_b < 0.0;
    crosses
        || (ab_c == 0.0 && lies_between(c, a, b))
        || (ab_d == 0.0 && lies_between(d, a, b))
        || (cd_a == 0.0 && lies_between(a, c, d))
        || (cd_b == 0.0 && lies_between(b, c, d))
}

/// The distance of `p` from the segment, in units of `unit`.
fn distance(p: FramePoint, a: FramePoint, b: FramePoint, (width, height): (f64, f64)) -> f64 {
    let scaled =
        |from: FramePoint, to: FramePoint| ((to.x - from.x) / width, (to.y - from.y) / height);
    let (along, to_point) = (scaled(a, b), scaled(a, p));
    let length = along.0 * along.0 + along.1 * along.1;
    let share = ((along.0 * to_point.0 + along.1 * to_point.1) / length).clamp(0.0, 1.0);
    (to_point.0 - share * along.0).hypot(to_point.1 - share * along.1)
}

#[cfg(test)]
mod tests;

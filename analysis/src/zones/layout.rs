//! The zones and lines of a picture, and their text.

use super::shape::{FramePoint, Line, ShapeError, Zone};

/// The zones and lines of a picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ZoneLayout {
    zones: Vec<Zone>,
    lines: Vec<Line>,
}

/// What is wrong with zones and lines.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ZoneLayoutError {
    /// A part of the text, which is given here, is not a zone.
    #[error(
        "expected NAME=X,Y X,Y X,Y …, several separated by semicolons, found {0:?}; for example \
         hall=0,0.5 0.6,0.5 0.6,1 0,1 limit=20"
    )]
    Zone(String),
    /// A part of the text, which is given here, is not a line.
    #[error(
        "expected NAME=X,Y X,Y, several separated by semicolons, found {0:?}; for example \
         door=0.5,0.2 0.5,0.9 in=entering out=leaving"
    )]
    Line(String),
    /// The zone or line with this name is wrong.
    #[error("{0}: {1}")]
    Shape(String, ShapeError),
    /// This name is there twice.
    #[error("{0} is there twice; give each a name of its own")]
    Twice(String),
}

/// What is wrong with a file of zones and lines.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ZoneFileError {
    /// A line of the file begins with neither word.
    #[error(
        "line {number}: expected `zone NAME=X,Y X,Y X,Y …`, `line NAME=X,Y X,Y`, or a comment that begins with #, found {found:?}"
    )]
    Line {
        /// Its number, from 1.
        number: usize,
        /// What stands there.
        found: String,
    },
    /// A zone or line is wrong.
    #[error("line {number}: {error}")]
    Layout {
        /// The number of the line of the file, from 1.
        number: usize,
        /// What is wrong with it.
        error: ZoneLayoutError,
    },
}

impl ZoneLayout {
    /// These zones and lines.
    ///
    /// # Errors
    ///
    /// If two zones, or two lines, have the same name.
    pub fn new(zones: Vec<Zone>, lines: Vec<Line>) -> Result<Self, ZoneLayoutError> {
        check_names(zones.iter().map(Zone::name))?;
        check_names(lines.iter().map(Line::name))?;
        Ok(Self { zones, lines })
    }

    /// Reads zones and lines, several of each separated by semicolons:
    ///
    /// - `NAME=X,Y X,Y X,Y …`, and `limit=PEOPLE` behind the corners;
    /// - `NAME=X,Y X,Y`, and `in=NAME` and `out=NAME` behind the ends, for the names of the directions.
    ///
    /// ```
    /// use emotion_analysis::zones::ZoneLayout;
    ///
    /// let layout = ZoneLayout::parse(
    ///     "hall=0,0.5 0.6,0.5 0.6,1 0,1 limit=20; till=0.7,0.5 1,0.5 1,1",
    ///     "door=0.5,0.2 0.5,0.9",
    /// )?;
    /// assert_eq!(layout.zones()[0].limit(), Some(20));
    /// assert_eq!(layout.lines()[0].inwards(), "in");
    /// # Ok::<(), emotion_analysis::zones::ZoneLayoutError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a part has another form, a shape is wrong, or a name is there twice.
    pub fn parse(zones: &str, lines: &str) -> Result<Self, ZoneLayoutError> {
        let zones = parts(zones).map(parse_zone).collect::<Result<_, _>>()?;
        let lines = parts(lines).map(parse_line).collect::<Result<_, _>>()?;
        Self::new(zones, lines)
    }

    /// Reads the text of a file: a zone or a line in each line of it, in the form of [`parse`](Self::parse) behind the word `zone` or
    /// `line`. Empty lines and those that begin with `#` mean nothing.
    ///
    /// ```
    /// use emotion_analysis::zones::ZoneLayout;
    ///
    /// let layout = ZoneLayout::parse_file(
    ///     "# The hall\nzone hall=0,0.5 0.6,0.5 0.6,1 0,1 limit=20\nline door=0.5,0.2 0.5,0.9\n",
    /// )?;
    /// assert_eq!(layout.zones()[0].name(), "hall");
    /// # Ok::<(), emotion_analysis::zones::ZoneFileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a line has another form, a shape is wrong, or a name is there twice.
    pub fn parse_file(text: &str) -> Result<Self, ZoneFileError> {
        let mut whole = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (kind, shape) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let one = match kind {
                "zone" => parse_zone(shape).and_then(|zone| Self::new(vec![zone], Vec::new())),
                "line" => parse_line(shape).and_then(|line| Self::new(Vec::new(), vec![line])),
                _ => {
                    let found = line.to_owned();
                    return Err(ZoneFileError::Line { number, found });
                }
            };
            whole = one
                .and_then(|one| whole.with(one))
                .map_err(|error| ZoneFileError::Layout { number, error })?;
        }
        Ok(whole)
    }

    /// These zones and lines, and then those of `other`.
    ///
    /// # Errors
    ///
    /// If a name is in both.
    pub fn with(mut self, other: Self) -> Result<Self, ZoneLayoutError> {
        self.zones.extend(other.zones);
        self.lines.extend(other.lines);
        Self::new(self.zones, self.lines)
    }

    /// The zones.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The lines.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Whether there is neither a zone nor a line.
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty() && self.lines.is_empty()
    }
}

fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), ZoneLayoutError> {
    let mut known = std::collections::BTreeSet::new();
    for name in names {
        if !known.insert(name) {
            return Err(ZoneLayoutError::Twice(name.to_owned()));
        }
    }
    Ok(())
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn parse_zone(text: &str) -> Result<Zone, ZoneLayoutError> {
    let wrong = || ZoneLayoutError::Zone(text.to_owned());
    let (name, words) = text.split_once('=').ok_or_else(wrong)?;
    let (mut corners, mut limit) = (Vec::new(), None);
    for word in words.split_whitespace() {
        match word.split_once('=') {
            Some(("limit", number)) => limit = Some(number.parse().map_err(|_| wrong())?),
            Some(_) => return Err(wrong()),
            None => corners.push(parse_point(word).ok_or_else(wrong)?),
        }
    }
    Zone::new(name, corners, limit)
        .map_err(|error| ZoneLayoutError::Shape(name.trim().to_owned(), error))
}

fn parse_line(text: &str) -> Result<Line, ZoneLayoutError> {
    let wrong = || ZoneLayoutError::Line(text.to_owned());
    let (name, words) = text.split_once('=').ok_or_else(wrong)?;
    let (mut ends, mut directions) = (Vec::new(), Line::DIRECTIONS);
    for word in words.split_whitespace() {
        match word.split_once('=') {
            Some(("in", name)) => directions[0] = name,
            Some(("out", name)) => directions[1] = name,
            Some(_) => return Err(wrong()),
            None => ends.push(parse_point(word).ok_or_else(wrong)?),
        }
    }
    let ends = <[FramePoint; 2]>::try_from(ends).map_err(|ends| ShapeError::Ends(ends.len()));
    ends.and_then(|ends| Line::new(name, ends, directions))
        .map_err(|error| ZoneLayoutError::Shape(name.trim().to_owned(), error))
}

fn parse_point(word: &str) -> Option<FramePoint> {
    let (x, y) = word.split_once(',')?;
    Some(FramePoint {
        x: x.parse().ok()?,
        y: y.parse().ok()?,
    })
}

#[cfg(test)]
mod tests;

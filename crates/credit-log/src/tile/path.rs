//! The names of tiles: `tile/<level>/<index>[.p/<width>]`.

use super::TILE_WIDTH;
use crate::decimal;

/// The highest level a path may name (C2SP); a tree of ours ends at 7.
pub const LEVEL_MAX: u8 = 63;

/// Digits in one group of an index.
const GROUP: u64 = 1000;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileKind {
    /// Hashes of this tile level, 0 to [`LEVEL_MAX`].
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// The name of a tile or of an entry bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilePath {
    /// What it holds.
    pub kind: TileKind,
    /// The position in its level, from 0.
    pub index: u64,
    /// The count of hashes or entries: 1 to 256, where 256 is a full tile.
    pub width: u16,
}

/// The text is not the one name of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a tile")]
pub struct PathError;

impl TilePath {
    /// The path below the log's prefix, e.g. `tile/0/x001/x234/067.p/112`.
    pub fn encode(&self) -> String {
        let kind = match self.kind {
            TileKind::Hashes(level) => level.to_string(),
            TileKind::Entries => "entries".to_owned(),
        };
        // Divisions and remainders are by the constant 1000.
        let mut index = format!("{:03}", self.index % GROUP);
        let mut rest = self.index / GROUP;
        while rest > 0 {
            index = format!("x{:03}/{index}", rest % GROUP);
            rest /= GROUP;
        }
        let partial = if self.width == TILE_WIDTH { String::new() } else { format!(".p/{}", self.width) };
        format!("tile/{kind}/{index}{partial}")
    }

    /// Reads a path; every tile has one name, and all else is refused.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let path = Self::read(text).ok_or(PathError)?;
        // What reads back to the same text has no spare zero, sign or group.
        if path.encode() == text { Ok(path) } else { Err(PathError) }
    }

    fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok().filter(|level| *level <= LEVEL_MAX)?),
        };
        let (groups, width) = match rest.split_once(".p/") {
            Some((groups, width)) => {
                let width = decimal::parse(width).and_then(|width| u16::try_from(width).ok())?;
                (groups, Some(width).filter(|width| (1..TILE_WIDTH).contains(width))?)
            }
            None => (rest, TILE_WIDTH),
        };
        let mut index = 0u64;
        for group in groups.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            index = index.checked_mul(GROUP)?.checked_add(digits.parse().ok()?)?;
        }
        Some(Self { kind, index, width })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(level: u8, index: u64, width: u16) -> TilePath {
        TilePath { kind: TileKind::Hashes(level), index, width }
    }

    #[test]
    fn every_tile_has_one_name() {
        let entries = |index, width| TilePath { kind: TileKind::Entries, index, width };
        for (path, text) in [
            (hashes(0, 1_234_067, 256), "tile/0/x001/x234/067"),
            (hashes(0, 1_234_067, 1), "tile/0/x001/x234/067.p/1"),
            (hashes(1, 0, 255), "tile/1/000.p/255"),
            (hashes(63, 999, 256), "tile/63/999"),
            (hashes(2, 1000, 256), "tile/2/x001/000"),
            (hashes(0, u64::MAX, 256), "tile/0/x018/x446/x744/x073/x709/x551/615"),
            (entries(0, 3), "tile/entries/000.p/3"),
            (entries(4, 256), "tile/entries/004"),
        ] {
            assert_eq!(path.encode(), text);
            assert_eq!(TilePath::parse(text), Ok(path));
        }
    }

    #[test]
    fn any_other_name_is_refused() {
        for bad in [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/123/456/078",
            "tile/0/x123/x456/x078",
            "tile/0/x000/001",
            "tile/-1/000",
            "tile/00/000",
            "tile/+1/000",
            "tile/64/000",
            "tile/256/000",
            "tile/0/+01",
            "tile/0/-01",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p/1/",
            "tile/0/000.p/1.p/1",
            "tile/0/000/",
            "tile/entries/",
            "tile/Entries/000",
            "tile/8/0/000",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/x999/x018/x446/x744/x073/x709/x551/615",
        ] {
            assert_eq!(TilePath::parse(bad), Err(PathError), "{bad:?}");
        }
    }
}

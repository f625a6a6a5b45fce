//! What a path names. Every thing has one name; all else is refused.

use super::reply::Refused;
use credit_log::tile::{TileKind, TilePath};

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    /// The published checkpoint.
    Checkpoint,
    /// A tile or a bundle.
    Tile(TilePath),
    /// A public blob by its SHA-256.
    Blob([u8; 32]),
}

impl Resource {
    /// Reads the path of a request: no percent-encoding, no spare slash, no second name of anything.
    pub(super) fn parse(path: &str) -> Result<Self, Refused> {
        let Some(path) = path.strip_prefix('/') else { return Err(Refused::Malformed) };
        if path == "checkpoint" {
            return Ok(Self::Checkpoint);
        }
        if path.starts_with("tile/") {
            return TilePath::parse(path).map(Self::Tile).map_err(|_| Refused::Malformed);
        }
        match path.strip_prefix("blob/") {
            Some(digest) => digest_of(digest).map(Self::Blob).ok_or(Refused::Malformed),
            None => Err(Refused::NotFound),
        }
    }

    /// The label of its metric.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Tile(path) if is_bundle(&path) => "entries",
            Self::Tile(_) => "tile",
            Self::Blob(_) => "blob",
        }
    }
}

/// Whether a path names a bundle of entries.
pub(super) fn is_bundle(path: &TilePath) -> bool {
    match path.kind {
        TileKind::Entries => true,
        TileKind::Hashes(_) => false,
    }
}

/// 64 lower-case hexadecimal digits.
fn digest_of(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    crate::hex::unhex(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thing_has_one_name() {
        let tile = |text: &str| Ok(Resource::Tile(TilePath::parse(text).unwrap()));
        let digest = format!("/blob/{}", "0a".repeat(32));
        for (path, want) in [
            ("/checkpoint", Ok(Resource::Checkpoint)),
            ("/tile/0/000", tile("tile/0/000")),
            ("/tile/1/x001/000.p/7", tile("tile/1/x001/000.p/7")),
            ("/tile/entries/000.p/3", tile("tile/entries/000.p/3")),
            (&digest, Ok(Resource::Blob([10; 32]))),
            ("/tile/0/0", Err(Refused::Malformed)),
            ("/tile/0/000.p/0", Err(Refused::Malformed)),
            ("/tile/0/000.p/256", Err(Refused::Malformed)),
            ("/tile/64/000", Err(Refused::Malformed)),
            ("/tile/", Err(Refused::Malformed)),
            ("/tile/0/%300", Err(Refused::Malformed)),
            ("/tile/0/../0/000", Err(Refused::Malformed)),
            ("/blob/", Err(Refused::Malformed)),
            (&digest.to_uppercase().replace("/BLOB", "/blob"), Err(Refused::Malformed)),
            (&digest[..69], Err(Refused::Malformed)),
            ("/", Err(Refused::NotFound)),
            ("/checkpoint/", Err(Refused::NotFound)),
            ("//checkpoint", Err(Refused::NotFound)),
            ("/tile", Err(Refused::NotFound)),
            ("/metrics", Err(Refused::NotFound)),
            ("*", Err(Refused::Malformed)),
        ] {
            assert_eq!(Resource::parse(path), want, "{path}");
        }
    }
}

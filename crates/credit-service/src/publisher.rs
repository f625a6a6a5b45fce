//! Published checkpoints. Every group commit signs a head; of those the newest is published, at most once a second, and
//! published again after a while even if nothing was added, so that who watches can tell a quiet log from a dead one.
//! Tiles are owed for published sizes only.

use crate::clock::{Clock, instant};
use crate::head_signer::SignedHead;
use credit_log::note::{self, Note};
use credit_types::Digest;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout_at};

/// The shortest time between two published checkpoints.
pub const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// How long a checkpoint stands before it is published again.
pub const REPUBLISH_EVERY: Duration = Duration::from_secs(30);

/// A checkpoint that everybody may see.
#[derive(Debug, Clone)]
pub struct PublishedCheckpoint {
    /// Count of entries.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// The signed note; with cosignatures once there are any.
    pub note: String,
    /// When it was published, or published again, in microseconds UTC.
    pub published_at_us: i64,
    /// The head with the edge of its tiles.
    pub(crate) head: Arc<SignedHead>,
}

/// A note that can't take the place of a published checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// It is not a note.
    #[error("the cosigned note cannot be read")]
    Note(#[from] note::Error),
    /// It is another text than the checkpoint of that size.
    #[error("the cosigned note is of another checkpoint")]
    OtherText,
    /// The log's own signature is not in it as it was.
    #[error("the cosigned note lacks a signature of the log")]
    OwnSignature,
}

/// Publishes checkpoints, and tells who watches.
#[derive(Debug)]
pub struct Publisher {
    current: watch::Sender<Arc<PublishedCheckpoint>>,
}

impl Publisher {
    /// A publisher that has published a first head.
    pub(crate) fn new(first: Arc<SignedHead>, now_us: i64) -> Self {
        let (current, _) = watch::channel(Arc::new(published(first, now_us)));
        Self { current }
    }

    /// The checkpoint that is published.
    pub fn current(&self) -> Arc<PublishedCheckpoint> {
        Arc::clone(&self.current.borrow())
    }

    /// Follows what is published, from the current checkpoint on. Who is slow misses some and sees the newest.
    pub fn watch(&self) -> watch::Receiver<Arc<PublishedCheckpoint>> {
        self.current.subscribe()
    }

    /// Puts a cosigned note in the place of the plain one. Says whether it did: not where a newer size is published
    /// already, or where the note adds nothing to the one that stands.
    pub fn cosigned(&self, size: u64, cosigned: &str) -> Result<bool, CosignError> {
        let offered = Note::parse(cosigned)?;
        let mut outcome = Ok(false);
        self.current.send_if_modified(|current| {
            if current.size != size {
                return false;
            }
            outcome = replaces(&current.note, &current.head.checkpoint, &offered);
            if outcome == Ok(true) {
                let next =
                    PublishedCheckpoint { note: cosigned.to_owned(), ..PublishedCheckpoint::clone(current) };
                *current = Arc::new(next);
            }
            outcome == Ok(true)
        });
        outcome
    }

    /// Publishes a head, or the same again; never an older one than what is published.
    pub(crate) fn publish(&self, head: &Arc<SignedHead>, now_us: i64) {
        self.current.send_if_modified(|current| {
            let next = match head.edge.size().cmp(&current.size) {
                std::cmp::Ordering::Less => return false,
                std::cmp::Ordering::Equal => {
                    PublishedCheckpoint { published_at_us: now_us, ..PublishedCheckpoint::clone(current) }
                }
                std::cmp::Ordering::Greater => published(Arc::clone(head), now_us),
            };
            *current = Arc::new(next);
            true
        });
    }
}

fn published(head: Arc<SignedHead>, now_us: i64) -> PublishedCheckpoint {
    PublishedCheckpoint {
        size: head.edge.size(),
        root: Digest(head.root),
        note: head.checkpoint.clone(),
        published_at_us: now_us,
        head,
    }
}

/// Whether an offered note may stand for the same checkpoint: the same text, the log's own signatures as they were, and
/// no fewer lines than what stands.
fn replaces(standing: &str, own: &str, offered: &Note) -> Result<bool, CosignError> {
    let (standing, own) = (Note::parse(standing)?, Note::parse(own)?);
    if offered.text != own.text {
        return Err(CosignError::OtherText);
    }
    if !own.signatures.iter().all(|line| offered.signatures.contains(line)) {
        return Err(CosignError::OwnSignature);
    }
    Ok(offered.signatures.len() >= standing.signatures.len() && *offered != standing)
}

/// Publishes what is signed until the signer has gone.
pub(crate) async fn run(
    publisher: Arc<Publisher>,
    mut signed: watch::Receiver<Arc<SignedHead>>,
    clock: Clock,
) {
    let after = |last: std::time::Instant, wait| last.checked_add(wait).unwrap_or(last).into();
    let mut last = instant();
    loop {
        match timeout_at(after(last, REPUBLISH_EVERY), signed.changed()).await {
            Ok(Ok(())) => sleep_until(after(last, PUBLISH_EVERY)).await,
            Ok(Err(_gone)) => return,
            Err(_elapsed) => {}
        }
        let head = Arc::clone(&signed.borrow_and_update());
        publisher.publish(&head, clock.now_us());
        last = instant();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::checkpoint::{self, Checkpoint};
    use credit_log::envelope::SigningKey;
    use credit_log::note::NoteSigner;
    use credit_log::tile::TileEdge;

    const ORIGIN: &str = "dev.test/published";

    fn signer(name: &str, seed: u8) -> NoteSigner {
        NoteSigner::new(name, SigningKey::from_seed([seed; 32])).unwrap()
    }

    fn head(size: u8) -> Arc<SignedHead> {
        let mut edge = TileEdge::new();
        for leaf in 0..size {
            edge.append([leaf; 32]);
        }
        let (size, root) = (edge.size(), edge.root());
        let head = Checkpoint { origin: ORIGIN.to_owned(), size, root };
        let checkpoint = checkpoint::sign(&head, &signer(ORIGIN, 1)).unwrap();
        Arc::new(SignedHead { edge, root, checkpoint, recorded_at_us: 0 })
    }

    fn cosign(note: &str, names: &[&str]) -> String {
        let mut note = Note::parse(note).unwrap();
        for name in names {
            let line = signer(name, 2).sign(&note.text);
            note.signatures.push(line);
        }
        note.format().unwrap()
    }

    #[test]
    fn a_newer_head_is_published_the_same_again_and_an_older_one_never() {
        let publisher = Publisher::new(head(3), 10);
        let watch = publisher.watch();
        assert_eq!((publisher.current().size, publisher.current().published_at_us), (3, 10));
        publisher.publish(&head(2), 11);
        assert!(!watch.has_changed().unwrap());
        publisher.publish(&head(3), 12);
        assert!(watch.has_changed().unwrap());
        assert_eq!((publisher.current().size, publisher.current().published_at_us), (3, 12));
        publisher.publish(&head(5), 13);
        let current = publisher.current();
        assert_eq!(
            (current.size, current.root, &current.note),
            (5, Digest(head(5).root), &head(5).checkpoint)
        );
    }

    #[test]
    fn a_cosigned_note_takes_the_place_of_the_plain_one_and_stays_when_published_again() {
        let publisher = Publisher::new(head(3), 10);
        let plain = head(3).checkpoint.clone();
        let (one, two) = (cosign(&plain, &["w1"]), cosign(&plain, &["w1", "w2"]));
        assert_eq!(publisher.cosigned(3, &one), Ok(true));
        assert_eq!(publisher.current().note, one);
        assert_eq!(publisher.cosigned(3, &two), Ok(true));
        assert_eq!(publisher.cosigned(3, &one), Ok(false), "it would lose a cosignature");
        assert_eq!(publisher.cosigned(3, &two), Ok(false), "it stands already");
        publisher.publish(&head(3), 11);
        assert_eq!((publisher.current().note.clone(), publisher.current().published_at_us), (two, 11));
        publisher.publish(&head(4), 12);
        assert_eq!(publisher.current().note, head(4).checkpoint);
        assert_eq!(publisher.cosigned(3, &one), Ok(false), "another size is published");
    }

    #[test]
    fn a_note_that_is_not_the_checkpoint_with_more_lines_is_refused() {
        let publisher = Publisher::new(head(3), 10);
        let plain = head(3).checkpoint.clone();
        assert!(matches!(publisher.cosigned(3, "no note"), Err(CosignError::Note(_))));
        assert_eq!(publisher.cosigned(3, &cosign(&head(4).checkpoint, &["w"])), Err(CosignError::OtherText));
        let mut without = Note::parse(&cosign(&plain, &["w"])).unwrap();
        without.signatures.remove(0);
        assert_eq!(publisher.cosigned(3, &without.format().unwrap()), Err(CosignError::OwnSignature));
        let mut bent = Note::parse(&cosign(&plain, &["w"])).unwrap();
        bent.signatures[0].signature[7] ^= 1;
        assert_eq!(publisher.cosigned(3, &bent.format().unwrap()), Err(CosignError::OwnSignature));
        assert_eq!(publisher.current().note, plain);
    }
}

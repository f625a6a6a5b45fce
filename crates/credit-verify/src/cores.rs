//! What everybody can check of a log: its cores, in order, under its signed head.

use credit_log::tree::Frontier;
use credit_log::{checkpoint, hash};
use credit_proto::entry::decode_core;
use credit_types::Digest;

use crate::log::Head;
use crate::report::{Broken, Stop, Verdict, ensure};
use crate::rule::Rule;
use crate::trust::Trust;

/// What was checked of a log's cores, and the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoresReport {
    /// Count of cores.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// What they are worth. That each entry's content follows from signatures and rules is not in it: that takes parts.
    pub verdict: Verdict,
}

/// Checks the cores of a log from entry 0 on. It grows neither with the log nor with its entries.
#[derive(Debug, Clone)]
pub struct CoreVerifier {
    trust: Trust,
    /// The heads that are still ahead, or that differ.
    heads: Vec<Head>,
    tree: Frontier,
    recorded_at_us: i64,
    /// The first core of a format that isn't known here.
    newer: Option<(u64, String)>,
    broken: Option<Broken>,
}

impl CoreVerifier {
    /// Begins with what is pinned of the log.
    pub fn new(trust: Trust) -> Self {
        Self { trust, heads: Vec::new(), tree: Frontier::new(), recorded_at_us: 0, newer: None, broken: None }
    }

    /// Goes on behind cores that were checked before: with their tree, and the time of the last of them in microseconds
    /// UTC.
    pub fn resumed(trust: Trust, tree: Frontier, recorded_at_us: i64) -> Self {
        Self { tree, recorded_at_us, ..Self::new(trust) }
    }

    /// Count of cores so far.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// When the last core was recorded, in microseconds UTC; 0 before the first.
    pub fn recorded_at_us(&self) -> i64 {
        self.recorded_at_us
    }

    /// Holds the log against heads that were seen before.
    #[must_use]
    pub fn with_heads(mut self, heads: impl IntoIterator<Item = Head>) -> Self {
        self.heads.extend(heads);
        self
    }

    /// Checks the next core. Once a rule is broken nothing more is looked at; what it was is said again.
    pub fn push(&mut self, core: &[u8]) -> Result<(), Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let index = self.tree.size();
        let checked = self.check(index, core).and_then(|()| {
            self.tree.append(hash::leaf_hash(core));
            self.passes()
        });
        match checked {
            Ok(()) => Ok(()),
            Err(Stop::Broken(rule, detail)) => {
                let broken = Broken { index, rule, detail };
                self.broken = Some(broken.clone());
                Err(broken)
            }
            // Whether it was announced stands in parts, which are not shown here.
            Err(Stop::Newer(what)) => {
                self.tree.append(hash::leaf_hash(core));
                self.newer.get_or_insert((index, what));
                Ok(())
            }
            Err(Stop::Failed(_)) => unreachable!("cores are checked without scratch files"),
        }
    }

    /// Closes the books: the signed checkpoint must be of exactly these cores, and every head seen before one of theirs.
    pub fn finish(&self, checkpoint: &str) -> CoresReport {
        let (size, root) = (self.tree.size(), Digest(self.tree.root()));
        let closed = || {
            ensure(size > 0, Rule::GenesisMissing, "no entry was given")?;
            if let Some(Head { size, root: _ }) = self.heads.first() {
                return Err(Stop::broken(
                    Rule::HeadInconsistent,
                    format!("a head of {size} entries was seen"),
                ));
            }
            self.under(checkpoint)
        };
        let verdict = match (&self.broken, closed(), &self.newer) {
            (Some(broken), _, _) => Verdict::Broken(broken.clone()),
            (None, Err(Stop::Broken(rule, detail)), _) => {
                Verdict::Broken(Broken { index: size, rule, detail })
            }
            (None, Err(Stop::Newer(what)), _) => Verdict::NeedsNewer { index: size, what },
            (None, Err(Stop::Failed(_)), _) => unreachable!("cores are checked without scratch files"),
            (None, Ok(()), Some((index, what))) => Verdict::NeedsNewer { index: *index, what: what.clone() },
            (None, Ok(()), None) => Verdict::Ok,
        };
        CoresReport { size, root, verdict }
    }

    fn check(&mut self, index: u64, core: &[u8]) -> Result<(), Stop> {
        let pinned = &self.trust.log_id;
        let is_ours = index > 0 || hash::leaf_hash(core) == pinned.0;
        ensure(is_ours, Rule::LogIdWrong, &format!("{pinned} is pinned"))?;
        let core = decode_core(core).map_err(|error| Stop::unread(Rule::CoreNotCanonical, error))?;
        ensure(core.index == index, Rule::IndexWrong, &format!("it says {}", core.index))?;
        ensure(core.recorded_at_us >= self.recorded_at_us, Rule::TimeBackwards, "the time decreases")?;
        self.recorded_at_us = core.recorded_at_us;
        Ok(())
    }

    /// Holds the head of these cores against one of that size that was seen.
    fn passes(&mut self) -> Result<(), Stop> {
        let (size, root) = (self.tree.size(), Digest(self.tree.root()));
        let differs = self.heads.iter().find(|head| head.size == size && head.root != root);
        if let Some(Head { size, root: seen }) = differs {
            let detail = format!("at size {size} the root is {root}, {seen} was seen");
            return Err(Stop::broken(Rule::HeadInconsistent, detail));
        }
        self.heads.retain(|head| head.size != size);
        Ok(())
    }

    fn under(&self, note: &str) -> Result<(), Stop> {
        let Trust { log_id: _, origin, checkpoint_keys, statement_keys: _, witness_policy: _ } = &self.trust;
        let head = checkpoint::open(note, checkpoint_keys, origin)
            .map_err(|error| Stop::broken(Rule::CheckpointInvalid, error.to_string()))?;
        let (size, root) = (self.tree.size(), self.tree.root());
        ensure(head.size == size, Rule::SizeWrong, &format!("{} entries are signed", head.size))?;
        ensure(head.root == root, Rule::RootWrong, &format!("{} is signed", Digest(head.root)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::checkpoint::Checkpoint;
    use credit_log::envelope::SigningKey;
    use credit_log::note::NoteSigner;
    use credit_types::{EntryCore, LogId};

    const ORIGIN: &str = "dev.test/cores";

    fn signer(seed: u8) -> NoteSigner {
        NoteSigner::new(ORIGIN, SigningKey::from_seed([seed; 32])).unwrap()
    }

    fn core(index: u64, recorded_at_us: i64) -> Vec<u8> {
        credit_proto::entry::encode_core(&EntryCore { index, recorded_at_us, parts_root: Digest([7; 32]) })
    }

    fn cores(count: u64) -> Vec<Vec<u8>> {
        (0..count).map(|index| core(index, i64::try_from(index).unwrap())).collect()
    }

    fn trust(cores: &[Vec<u8>]) -> Trust {
        Trust {
            witness_policy: None,
            log_id: LogId(hash::leaf_hash(&cores[0])),
            origin: ORIGIN.to_owned(),
            checkpoint_keys: vec![signer(1).verifier().clone()],
            statement_keys: Vec::new(),
        }
    }

    fn head(cores: &[Vec<u8>]) -> Head {
        let mut tree = Frontier::new();
        for core in cores {
            tree.append(hash::leaf_hash(core));
        }
        Head { size: tree.size(), root: Digest(tree.root()) }
    }

    fn signed(head: Head, seed: u8) -> String {
        let Head { size, root } = head;
        let head = Checkpoint { origin: ORIGIN.to_owned(), size, root: root.0 };
        checkpoint::sign(&head, &signer(seed)).unwrap()
    }

    /// The rule that a log breaks, and where.
    fn verdict(pinned: &[Vec<u8>], shown: &[Vec<u8>], heads: &[Head], note: &str) -> Option<(u64, Rule)> {
        let mut verifier = CoreVerifier::new(trust(pinned)).with_heads(heads.iter().copied());
        for core in shown {
            if verifier.push(core).is_err() {
                break;
            }
        }
        match verifier.finish(note).verdict {
            Verdict::Ok => None,
            Verdict::Broken(broken) => Some((broken.index, broken.rule)),
            Verdict::NeedsNewer { .. } => panic!("nothing here is newer"),
        }
    }

    #[test]
    fn cores_in_order_under_their_head_hold() {
        let all = cores(9);
        let heads: Vec<Head> = [1, 4, 9].map(|size| head(&all[..size])).to_vec();
        assert_eq!(verdict(&all, &all, &heads, &signed(head(&all), 1)), None);
    }

    #[test]
    fn a_verifier_goes_on_where_an_earlier_one_ended() {
        let all = cores(9);
        for at in 0..=9usize {
            let mut first = CoreVerifier::new(trust(&all));
            let mut tree = Frontier::new();
            for core in &all[..at] {
                first.push(core).unwrap();
                tree.append(hash::leaf_hash(core));
            }
            let mut resumed = CoreVerifier::resumed(trust(&all), tree, first.recorded_at_us());
            assert_eq!(resumed.size(), first.size());
            for core in &all[at..] {
                resumed.push(core).unwrap();
            }
            let note = signed(head(&all), 1);
            assert_eq!(resumed.finish(&note), CoresReport { verdict: Verdict::Ok, ..resumed.finish(&note) });
            assert_eq!(Digest(head(&all).root.0), resumed.finish(&note).root);
        }
        let mut resumed =
            CoreVerifier::resumed(trust(&all), Frontier::from_parts(1, vec![[7; 32]]).unwrap(), 5);
        assert_eq!(resumed.push(&core(1, 4)).unwrap_err().rule, Rule::TimeBackwards);
    }

    #[test]
    fn each_lie_is_named_at_its_entry() {
        let all = cores(9);
        let note = signed(head(&all), 1);
        let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut shown = all.clone();
            change(&mut shown);
            shown
        };
        let lies: [(Vec<Vec<u8>>, u64, Rule); 6] = [
            (with(&|cores| cores[0] = core(0, 5)), 0, Rule::LogIdWrong),
            (with(&|cores| drop(cores.remove(3))), 3, Rule::IndexWrong),
            (with(&|cores| cores.swap(4, 5)), 4, Rule::IndexWrong),
            (with(&|cores| cores[6] = core(6, 4)), 6, Rule::TimeBackwards),
            (with(&|cores| cores[2].push(0)), 2, Rule::CoreNotCanonical),
            (with(&|cores| drop(cores.pop())), 8, Rule::SizeWrong),
        ];
        for (shown, index, rule) in lies {
            assert_eq!(verdict(&all, &shown, &[], &note), Some((index, rule)));
        }
        let rewritten = with(&|cores| cores[7] = core(7, 8));
        assert_eq!(verdict(&all, &rewritten, &[], &note), Some((9, Rule::RootWrong)));
        assert_eq!(verdict(&all, &rewritten, &[head(&all[..8])], &note), Some((7, Rule::HeadInconsistent)));
        assert_eq!(
            verdict(&all, &all[..8], &[head(&all)], &signed(head(&all[..8]), 1)),
            Some((8, Rule::HeadInconsistent))
        );
        assert_eq!(verdict(&all, &all, &[], &signed(head(&all), 2)), Some((9, Rule::CheckpointInvalid)));
        assert_eq!(verdict(&all, &[], &[], &note), Some((0, Rule::GenesisMissing)));
    }
}

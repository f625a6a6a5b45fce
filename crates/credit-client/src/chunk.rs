//! What became of a chunk: what the bank tells, and what its entry must then hold.

use credit_proto::entry::{StatementPart, WireEvent};
use credit_proto::v1;
use credit_types::{AccountRef, LeafType, Reason};
use credit_verify::VerifiedReceipt;
use std::collections::BTreeMap;

use crate::account::opens;
use crate::builder::Language;
use crate::error::{BadReceipt, ClientError, Refusal};
use crate::plan::BatchPlan;
use crate::receipt::{Told, of_entry, told};

/// The call that chunks are answered by.
pub(crate) const CALL: &str = "SubmitBatch";

/// What the bank told of a chunk, by position in the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChunkAnswer {
    pub(crate) told: Told,
    pub(crate) replayed: bool,
    pub(crate) refused: BTreeMap<u32, Refusal>,
    pub(crate) opened: BTreeMap<u32, (AccountRef, String)>,
    pub(crate) closed: bool,
}

impl ChunkAnswer {
    /// Reads the answer to a chunk: the very chunk, positions within it, and an account for each accepted opening.
    pub(crate) fn read(
        plan: &BatchPlan,
        chunk: u32,
        outcome: v1::ChunkOutcome,
        language: Language,
    ) -> Result<Self, ClientError> {
        let v1::ChunkOutcome { chunk: answered, position, refused: refusals, opened: openings, closed } =
            outcome;
        let wrong = |problem: &str| ClientError::answer(CALL, format!("chunk {chunk}: {problem}"));
        if answered != chunk {
            return Err(wrong("another chunk is answered"));
        }
        let positions = plan.positions(chunk);
        let (told, replayed, _) = told(CALL, position)?;
        let mut refused = BTreeMap::new();
        for v1::RefusedPosition { position, refusal } in refusals {
            let refusal = refusal.ok_or_else(|| wrong("a refused position has no reason"))?;
            let again = refused.insert(position, Refusal::of_element(refusal, language));
            if again.is_some() || !positions.contains(&position) {
                return Err(wrong("a refused position stands twice or belongs to another chunk"));
            }
        }
        let mut opened = BTreeMap::new();
        for v1::OpenedPosition { position, account_ref, account_number } in openings {
            let account_ref = AccountRef::from_slice(&account_ref);
            let account_ref = account_ref.map_err(|error| wrong(&format!("account_ref {error}")))?;
            opened.insert(position, (account_ref, account_number));
        }
        let accepted = positions.filter(|position| !refused.contains_key(position));
        let right = match plan.leaf_type() {
            LeafType::Record => opened.is_empty(),
            LeafType::Opening => accepted.eq(opened.keys().copied()),
        };
        if right {
            Ok(Self { told, replayed, refused, opened, closed })
        } else {
            Err(wrong("the accounts opened are not those of the accepted positions"))
        }
    }

    /// Checks that an entry holds what was told of the chunk: each accepted leaf as it was sent, each refusal, and the
    /// accounts that were opened.
    pub(crate) fn stands(
        &self,
        plan: &BatchPlan,
        chunk: u32,
        manifest_index: u64,
        receipt: &VerifiedReceipt,
    ) -> Result<(), BadReceipt> {
        of_entry(self.told, receipt)?;
        let index = self.told.index;
        let differs = |problem: &str| BadReceipt::OtherStatement { index, problem: problem.to_owned() };
        let manifest = plan.manifest();
        if (&receipt.head.actor, receipt.head.command_id) != (&manifest.signer, manifest.statement_id) {
            return Err(differs("it belongs to another batch"));
        }
        let told = self.refused.iter().map(|(position, refusal)| (*position, refusal.known()));
        if !refusals(chunk, manifest_index, receipt.events.get(&0))
            .is_some_and(|logged| logged.into_iter().eq(told))
        {
            return Err(differs("its chunk, or the refusals in it, are others than were told"));
        }
        let positions = plan.positions(chunk);
        let accepted: Vec<u32> = positions.filter(|position| !self.refused.contains_key(position)).collect();
        let held = receipt.statements.values().map(|statement| match statement {
            StatementPart::Leaf { manifest_index: of, position, facts } if *of == manifest_index => {
                Some((*position, facts.as_slice()))
            }
            StatementPart::Leaf { .. } | StatementPart::Signed(_) => None,
        });
        let sent = accepted.iter().map(|position| plan.facts(*position).map(|facts| (*position, facts)));
        if !held.eq(sent) || usize::try_from(receipt.head.statements) != Ok(accepted.len()) {
            return Err(differs("it holds other leaves than were sent"));
        }
        for (event, position) in (1..).zip(&accepted) {
            if let Some((account_ref, _)) = self.opened.get(position) {
                opens(index, receipt.events.get(&event), *account_ref)?;
            }
        }
        Ok(())
    }
}

/// The refused positions of a chunk as they stand in the log, with their reasons; `None` of another chunk.
fn refusals(
    chunk: u32,
    manifest_index: u64,
    event: Option<&WireEvent>,
) -> Option<Vec<(u32, Option<Reason>)>> {
    let logged = event?.batch_chunk.as_ref()?;
    let same = (logged.chunk, logged.manifest_index) == (chunk, manifest_index);
    let refused = logged.refused.iter().map(|leaf| (leaf.position, Reason::from_number(leaf.reason)));
    same.then(|| refused.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_log::checkpoint::Checkpoint;
    use credit_types::{Digest, EntryCore, EntryHead};

    const MANIFEST: u64 = 40;

    fn outcome() -> v1::ChunkOutcome {
        let refusal = v1::Refusal {
            reason: "RECORD_EXISTS".to_owned(),
            message_en: "seen before".to_owned(),
            message_zh: "成果编号已存在".to_owned(),
            field: String::new(),
            retryable: false,
        };
        let position = v1::Position { index: 42, leaf_hash: vec![6; 32], replayed: true, receipt: None };
        v1::ChunkOutcome {
            chunk: 1,
            position: Some(position),
            refused: vec![v1::RefusedPosition { position: 65, refusal: Some(refusal) }],
            opened: Vec::new(),
            closed: true,
        }
    }

    fn read(plan: &BatchPlan, outcome: v1::ChunkOutcome) -> Result<ChunkAnswer, ClientError> {
        ChunkAnswer::read(plan, 1, outcome, Language::Chinese)
    }

    #[test]
    fn an_answer_is_about_its_own_chunk_and_positions() {
        let plan = crate::plan::tests::plan(67);
        let answer = read(&plan, outcome()).unwrap();
        assert_eq!((answer.told.index, answer.replayed, answer.closed), (42, true, true));
        assert_eq!(answer.refused[&65].message, "成果编号已存在");
        let refused = |bend: fn(&mut v1::ChunkOutcome)| {
            let mut bent = outcome();
            bend(&mut bent);
            matches!(read(&plan, bent), Err(ClientError::BadAnswer { call: CALL, .. }))
        };
        assert!(refused(|bent| bent.chunk = 0));
        assert!(refused(|bent| bent.position = None));
        assert!(refused(|bent| bent.refused[0].position = 63));
        assert!(refused(|bent| bent.refused[0].position = 67));
        assert!(refused(|bent| bent.refused.push(bent.refused[0].clone())));
        assert!(refused(|bent| bent.refused[0].refusal = None));
        // A batch of records opens no accounts.
        assert!(refused(|bent| bent.opened.push(v1::OpenedPosition {
            position: 64,
            account_ref: vec![1; 16],
            account_number: String::new()
        })));
    }

    fn receipt(plan: &BatchPlan) -> VerifiedReceipt {
        let leaf = |position| StatementPart::Leaf {
            manifest_index: MANIFEST,
            position,
            facts: plan.facts(position).unwrap().to_vec(),
        };
        let exists = Reason::RecordExists.number();
        let chunk = v1::BatchChunk {
            manifest_index: MANIFEST,
            chunk: 1,
            path: Vec::new(),
            refused: vec![v1::RefusedLeaf { position: 65, leaf_hash: vec![1; 32], reason: exists }],
        };
        let event = v1::Event { batch_chunk: Some(chunk), ..v1::Event::default() };
        let manifest = plan.manifest();
        let (actor, command_id) = (manifest.signer.clone(), manifest.statement_id);
        VerifiedReceipt {
            core: EntryCore { index: 42, recorded_at_us: 1, parts_root: Digest([0; 32]) },
            leaf_hash: Digest([6; 32]),
            head: EntryHead { actor, command_id, links: 2, statements: 2, events: 3 },
            links: BTreeMap::new(),
            statements: BTreeMap::from([(0, leaf(64)), (1, leaf(66))]),
            events: BTreeMap::from([(0, event)]),
            checkpoint: Checkpoint { origin: "dev.example".to_owned(), size: 43, root: [3; 32] },
            witnesses: credit_verify::Witnesses::NotPinned { claimed: false },
        }
    }

    #[test]
    fn an_entry_holds_the_leaves_that_were_sent_and_the_refusals_that_were_told() {
        let plan = crate::plan::tests::plan(67);
        let answer = read(&plan, outcome()).unwrap();
        assert_eq!(answer.stands(&plan, 1, MANIFEST, &receipt(&plan)), Ok(()));
        let refused = |bend: fn(&mut VerifiedReceipt)| {
            let mut bent = receipt(&plan);
            bend(&mut bent);
            answer.stands(&plan, 1, MANIFEST, &bent).is_err()
        };
        assert!(refused(|bent| bent.core.index = 41));
        assert!(refused(|bent| bent.leaf_hash = Digest([7; 32])));
        assert!(refused(|bent| bent.head.actor = credit_types::SignerId::Authority));
        assert!(refused(|bent| bent.head.command_id = credit_types::CommandId([0; 16])));
        assert!(refused(|bent| bent.head.statements = 3));
        assert!(refused(|bent| {
            bent.statements.remove(&1);
        }));
        assert!(refused(|bent| {
            let Some(StatementPart::Leaf { facts, .. }) = bent.statements.get_mut(&0) else {
                panic!("a leaf")
            };
            facts[0] ^= 1;
        }));
        assert!(refused(|bent| {
            let Some(StatementPart::Leaf { position, .. }) = bent.statements.get_mut(&0) else {
                panic!("a leaf")
            };
            *position = 65;
        }));
        let chunk = |bent: &mut VerifiedReceipt, bend: fn(&mut v1::BatchChunk)| {
            bend(bent.events.get_mut(&0).unwrap().batch_chunk.as_mut().unwrap());
        };
        for bend in [
            (|chunk| chunk.chunk = 0) as fn(&mut v1::BatchChunk),
            |chunk| chunk.manifest_index = 41,
            |chunk| chunk.refused.clear(),
            |chunk| chunk.refused[0].position = 66,
            |chunk| chunk.refused[0].reason = Reason::AccountUnknown.number(),
        ] {
            let mut bent = receipt(&plan);
            chunk(&mut bent, bend);
            assert!(answer.stands(&plan, 1, MANIFEST, &bent).is_err());
        }
        assert!(answer.stands(&plan, 1, MANIFEST + 1, &receipt(&plan)).is_err());
    }
}

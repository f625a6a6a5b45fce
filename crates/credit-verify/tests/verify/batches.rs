//! Batches: chunks that do not lead to their manifest, and leaves where none may be.

use credit_proto::entry::StatementPart;
use credit_types::{Command, Digest, Event, RecordFacts};

use crate::bank::{Bank, Draft};
use crate::breaks;
use crate::story::{Batch, UNIV};

/// A bank with a batch of 70 records, of which the first chunk is in if `chunks` is 1.
fn with_batch(chunks: u32) -> (Bank, Batch) {
    let mut bank = Bank::founded();
    let ann = bank.open_account("ann");
    let batch = bank.record_batch(ann, 70);
    for chunk in 0..chunks {
        bank.submit(&batch, chunk, &[2]).unwrap_or_else(|refusal| panic!("{refusal:?}"));
    }
    (bank, batch)
}

/// The entry of a chunk, to be bent before it is written.
fn drafted(bank: &Bank, batch: &Batch, chunk: u32, refused: &[u32]) -> Draft {
    let (command, statements) = bank.chunk(batch, chunk, refused);
    let command = Command::SubmitChunk(command);
    let events = bank.decide(&command).unwrap();
    bank.draft(&command, statements, events)
}

fn bent(chunk: u32, change: impl Fn(&mut Draft)) -> (Bank, u64) {
    let (mut bank, batch) = with_batch(chunk);
    let mut draft = drafted(&bank, &batch, chunk, if chunk == 0 { &[1, 2] } else { &[] });
    change(&mut draft);
    let index = bank.append_lie(&draft);
    (bank, index)
}

/// The chunk's own event.
fn refused_of(draft: &mut Draft) -> &mut Vec<credit_types::RefusedLeaf> {
    let Event::BatchChunk { refused, .. } = &mut draft.events[0] else { panic!() };
    refused
}

#[test]
fn a_chunk_leads_to_the_root_that_was_signed() {
    let (bank, index) = bent(0, |draft| {
        let Event::BatchChunk { path, .. } = &mut draft.events[0] else { panic!() };
        path[0] = Digest([1; 32]);
    });
    breaks(&bank, index, "CHUNK_ROOT_WRONG");
    let (bank, index) = bent(0, |draft| {
        let Event::BatchChunk { path, .. } = &mut draft.events[0] else { panic!() };
        path.clear();
    });
    breaks(&bank, index, "CHUNK_ROOT_WRONG");
    // A leaf that was refused is only known by its hash, but it is known.
    let (bank, index) = bent(0, |draft| refused_of(draft)[0].leaf_hash = Digest([1; 32]));
    breaks(&bank, index, "CHUNK_ROOT_WRONG");
    let (bank, index) = bent(0, |draft| {
        let refused = refused_of(draft);
        let hash = refused[0].leaf_hash;
        refused[0].leaf_hash = refused[1].leaf_hash;
        refused[1].leaf_hash = hash;
    });
    breaks(&bank, index, "CHUNK_ROOT_WRONG");
}

#[test]
fn a_leaf_is_the_one_that_was_signed() {
    let (bank, index) = bent(0, |draft| {
        let StatementPart::Leaf { facts, .. } = &mut draft.statements[7] else { panic!() };
        let mut read = <RecordFacts as credit_proto::Leaf>::leaf(facts).unwrap();
        read.credit_eligible = false;
        *facts = credit_proto::Leaf::leaf_payload(&read);
        let Event::RecordDeposited { facts, .. } = &mut draft.events[8] else { panic!() };
        **facts = read;
    });
    breaks(&bank, index, "CHUNK_ROOT_WRONG");
    let (bank, index) = bent(0, |draft| {
        let StatementPart::Leaf { facts, .. } = &mut draft.statements[7] else { panic!() };
        facts.truncate(20);
    });
    breaks(&bank, index, "STATEMENT_NOT_CANONICAL");
}

#[test]
fn a_leaf_left_out_is_missed() {
    let (bank, index) = bent(0, |draft| {
        draft.statements.pop();
        draft.events.pop();
        draft.links[0].events.pop();
    });
    breaks(&bank, index, "CHUNK_ROOT_WRONG");
    let (bank, index) = bent(0, |draft| {
        draft.statements.remove(0);
        draft.events.remove(1);
        draft.links[0].events.pop();
    });
    breaks(&bank, index, "EVENTS_WRONG");
}

#[test]
fn a_chunk_rests_on_a_manifest() {
    let (mut bank, batch) = with_batch(0);
    let other = Batch { manifest_index: 4, ..batch };
    let (command, statements) = bank.chunk(&other, 0, &[]);
    let Command::SubmitChunk(good) = Command::SubmitChunk(command) else { panic!() };
    // The events of the true batch, under the index of an entry that opens none.
    let true_batch = credit_types::ChunkCommand { manifest_index: 6, ..good };
    let mut events = bank.decide(&Command::SubmitChunk(true_batch.clone())).unwrap();
    let Event::BatchChunk { manifest_index, .. } = &mut events[0] else { panic!() };
    *manifest_index = 4;
    for event in &mut events[1..] {
        let Event::RecordDeposited { manifest_index, .. } = event else { panic!() };
        *manifest_index = Some(4);
    }
    // Only the name of the command is taken from the true batch.
    let decided = bank.decide(&Command::SubmitChunk(true_batch.clone())).unwrap();
    let mut draft = bank.draft(&Command::SubmitChunk(true_batch), statements, decided);
    draft.events = events;
    let index = bank.append_lie(&draft);
    breaks(&bank, index, "REFUSED_BY_RULES (BATCH_UNKNOWN)");
}

#[test]
fn no_leaf_enters_a_closed_batch() {
    let (mut bank, batch) = with_batch(1);
    let draft = drafted(&bank, &batch, 1, &[]);
    bank.close_batch(&batch, UNIV, "records");
    let mut draft = draft;
    draft.links[0].sequence += 0;
    let index = bank.append_lie(&draft);
    breaks(&bank, index, "REFUSED_BY_RULES (BATCH_CLOSED)");
}

#[test]
fn no_leaf_enters_late_or_under_a_compromised_key() {
    let (mut late, batch) = with_batch(1);
    let draft = drafted(&late, &batch, 1, &[]);
    late.now_us += 8 * 86_400_000_000;
    let index = late.append_lie(&draft);
    breaks(&late, index, "REFUSED_BY_RULES (BATCH_EXPIRED)");
    let (mut bank, batch) = with_batch(1);
    let draft = drafted(&bank, &batch, 1, &[]);
    let from = bank.size();
    bank.report_key(UNIV, "cn.univ/records", from);
    let index = bank.append_lie(&draft);
    breaks(&bank, index, "REFUSED_BY_RULES (KEY_COMPROMISED)");
}

#[test]
fn chunks_enter_once_and_in_order() {
    let (mut bank, batch) = with_batch(0);
    let first = drafted(&bank, &batch, 0, &[2]);
    bank.append(&first);
    let again = bank.append_lie(&first);
    breaks(&bank, again, "REFUSED_BY_RULES (COMMAND_ID_REUSED)");
    let (mut bank, batch) = with_batch(1);
    let second = drafted(&bank, &batch, 1, &[]);
    let (mut fresh, _) = with_batch(0);
    let index = fresh.append_lie(&second);
    breaks(&fresh, index, "REFUSED_BY_RULES (CHUNK_OUT_OF_ORDER)");
    bank.append(&second);
    assert_eq!(crate::verified(&bank).verdict, credit_verify::Verdict::Ok);
}

#[test]
fn a_closing_counts_what_was_taken_in() {
    let (bank, index) = bent(1, |draft| {
        let Some(Event::BatchClosed { accepted, refused, .. }) = draft.events.last_mut() else { panic!() };
        (*accepted, *refused) = (*accepted + 1, *refused - 1);
    });
    breaks(&bank, index, "DECISION_DIFFERS");
    let (bank, index) = bent(1, |draft| drop(draft.events.pop()));
    breaks(&bank, index, "DECISION_DIFFERS");
}

#[test]
fn a_record_refused_by_the_rules_is_not_accepted_in_a_chunk() {
    let (mut bank, batch) = with_batch(0);
    // The first leaf was deposited alone before the chunk came: its position must be refused.
    let draft = drafted(&bank, &batch, 0, &[]);
    let facts = <RecordFacts as credit_proto::Leaf>::leaf(&batch.payloads[0]).unwrap();
    let check = Box::new(bank.check(&facts));
    bank.act(UNIV, facts, &["cn.univ/records"], |s| Command::DepositRecord(Box::new(s), check));
    let index = bank.append_lie(&draft);
    breaks(&bank, index, "DECISION_DIFFERS");
}

//! Checks evidence against a log without any server: both signatures, and what the two heads show of each other.

use super::super::Context;
use super::super::connect::trust;
use super::super::evidence::{EVIDENCE_BYTES_MAX, Evidence, EvidenceFault, Judged, Judgement, head_document};
use super::super::labels::instant;
use super::receipt::bounded;
use crate::ending::{CommandError, Ending, Exit};
use crate::language::Phrase;
use credit_types::Digest;
use std::path::Path;

/// Checks a file of evidence.
pub(super) fn run(context: &Context, path: &Path, trust_file: Option<&Path>) -> Ending {
    let trust = trust(context, trust_file)?;
    let bytes = bounded(path, EVIDENCE_BYTES_MAX)?;
    let evidence = Evidence::parse(&bytes)
        .map_err(|cause| CommandError::usage(Phrase::NotEvidence, &[&path.display()]).because(cause))?;
    let Judged { seen, shown, judgement } = evidence.judge(&trust).map_err(|cause| match cause {
        EvidenceFault::Form => CommandError::usage(Phrase::NotEvidence, &[&path.display()]).because(cause),
        EvidenceFault::OtherLog | EvidenceFault::NotSigned(..) | EvidenceFault::ProofFalse => {
            CommandError::new(Exit::Broken, Phrase::EvidenceFalse, &[]).because(cause)
        }
    })?;
    let (exit, phrase) = match judgement {
        Judgement::TwoHistories => (Exit::Done, Phrase::EvidenceHolds),
        Judgement::OneHistory => (Exit::Refused, Phrase::EvidenceOneHistory),
        Judgement::Open => (Exit::Refused, Phrase::EvidenceOpen),
    };
    let output = &context.output;
    output.line(phrase, &[&trust.origin]);
    for (head, at) in [(&seen, &evidence.seen), (&shown, &evidence.shown)] {
        let time = instant(at.at_us, 480);
        output.line(Phrase::EvidenceHead, &[&head.size, &Digest(head.root), &time, &at.from]);
    }
    let text = phrase.with(&[&trust.origin]);
    output.json(&serde_json::json!({
        "verdict": judgement.code(),
        "log_id": evidence.log_id,
        "origin": trust.origin,
        "seen": head_document(&seen),
        "shown": head_document(&shown),
        "message_zh": text.zh,
        "message_en": text.en,
    }));
    Ok(exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evidence_file_reaches_its_limit_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.json");
        let most = usize::try_from(EVIDENCE_BYTES_MAX).unwrap();
        for (bytes, ok) in [(most, true), (most + 1, false)] {
            std::fs::write(&path, vec![b'{'; bytes]).unwrap();
            assert_eq!(bounded(&path, EVIDENCE_BYTES_MAX).is_ok(), ok);
        }
    }
}

//! Random values of what is not signed by institutions: secret parts, the bank's own statements, entries' parts.

use std::collections::BTreeSet;

use credit_types::*;

use crate::random::{KINDS, Random};

impl Random {
    pub(crate) fn details(&mut self) -> RecordDetails {
        use DeliveryMode::{Blended, FaceToFace, Online, SelfStudy};
        use PassState::{Failed, NotAssessed, Passed};
        let score_milli = self.maybe(|random| random.next().cast_signed());
        RecordDetails {
            catalogue_ref: self.ascii(1, 64),
            title: self.text(),
            score_scale_id: if score_milli.is_some() { self.ascii(1, 32) } else { String::new() },
            score_milli,
            grade: self.words(0, 32),
            grade_scale_id: self.ascii(0, 32),
            pass_state: self.maybe(|random| random.pick(&[Passed, Failed, NotAssessed])),
            attendance_permille: self.maybe(|random| random.int(0, 1_000)),
            start_on: self.maybe(Self::date),
            end_on: self.maybe(Self::date),
            term: self.ascii(0, 16),
            certificate_no: self.words(0, 64),
            attempt: self.count(0, 99),
            mode: self.maybe(|random| random.pick(&[FaceToFace, Online, Blended, SelfStudy])),
            assessor_id: self.maybe(Self::institution),
            lineage_key: self.ascii(0, 64),
            language: self.pick(&["", "zh", "zh-Hans-CN", "en-GB"]).to_owned(),
            contact_minutes: self.int(0, 10_000_000),
            notional_minutes: self.int(0, 10_000_000),
            evidence: self.list(0, 16, |random| Evidence {
                sha256: random.digest(),
                media_type: random.ascii(1, 64),
                size_bytes: random.big(),
                location: random.ascii(0, 256),
            }),
        }
    }

    pub(crate) fn identity(&mut self) -> AccountIdentity {
        use DocumentKind::{Passport, PermanentResidence, ResidencePermit, ResidentId};
        let document_kind =
            self.maybe(|random| random.pick(&[ResidentId, Passport, ResidencePermit, PermanentResidence]));
        let institutions: BTreeSet<InstitutionId> = self.list(0, 8, Self::institution).into_iter().collect();
        AccountIdentity {
            name: self.words(0, 128),
            document_country: document_kind.map_or_else(String::new, |_| "CHN".to_owned()),
            document_number: document_kind.map_or_else(String::new, |_| self.ascii(1, 32)),
            document_kind,
            birth_date: self.maybe(Self::date),
            phone: self.pick(&["", "+8", "+861380013800012"]).to_owned(),
            district_code: self.pick(&["", "500112"]).to_owned(),
            employer_usci: self.pick(&["", "91500000MA5U5FL23X"]).to_owned(),
            student_numbers: institutions
                .into_iter()
                .map(|institution_id| StudentNumber { institution_id, number: self.ascii(1, 64) })
                .collect(),
        }
    }

    pub(crate) fn subject(&mut self) -> Subject {
        match self.below(4) {
            0 => Subject::Account(AccountRef(self.bytes())),
            1 => Subject::Institution(self.institution()),
            2 => Subject::Log,
            _ => Subject::Book(self.framework()),
        }
    }

    pub(crate) fn subject_head(&mut self) -> SubjectHead {
        let leaf_hash = self.maybe(Self::digest);
        SubjectHead {
            log_id: LogId(self.bytes()),
            subject: self.subject(),
            sequence: if leaf_hash.is_some() { self.big().max(1) } else { 0 },
            leaf_hash,
            size: self.big().max(1),
            root: self.digest(),
        }
    }

    pub(crate) fn file_manifest(&mut self) -> FileManifest {
        let kind = self.pick(&[FileManifestKind::Export, FileManifestKind::Bundle]);
        let names: BTreeSet<String> =
            self.list(1, 20, |random| format!("keys/{:08}", random.count(0, 1_000))).into_iter().collect();
        let file = |name| ManifestFile { name, bytes: self.big().max(1), sha256: self.digest() };
        let files = names.into_iter().map(file).collect();
        FileManifest {
            log_id: LogId(self.bytes()),
            kind,
            size: self.big().max(1),
            root: self.digest(),
            files,
        }
    }

    pub(crate) fn balance(&mut self) -> BalanceStatement {
        use Bucket::{Available, Expired, KeySuspect, Redeemed, Reserved, Revoked, Suspended};
        let mut lines = self.list(0, 40, |random| {
            let scheme = random.maybe(Self::scheme);
            let hour_kind = random.maybe(|random| random.pick(&[HourKind::Contact, HourKind::Practice]));
            BalanceLine {
                kind: random.pick(&KINDS),
                bucket: random
                    .pick(&[Available, Expired, KeySuspect, Redeemed, Reserved, Revoked, Suspended]),
                credits_milli: if scheme.is_some() { random.range(0, 1 << 50) } else { 0 },
                scheme,
                minutes: if hour_kind.is_some() { random.range(0, 1 << 40) } else { 0 },
                hour_kind,
                records: random.count(1, 65_536),
            }
        });
        let key = |line: &BalanceLine| (line.scheme.clone(), line.kind, line.bucket, line.hour_kind);
        lines.sort_by_key(key);
        lines.dedup_by_key(|line| key(line));
        let account = Subject::Account(AccountRef(self.bytes()));
        BalanceStatement {
            head: SubjectHead { subject: account, ..self.subject_head() },
            as_of: self.date(),
            lines,
        }
    }

    pub(crate) fn postings(&mut self) -> Vec<Posting> {
        use Bucket::{Available, Issued, Redeemed, Reserved, Revoked, Suspended};
        self.list(0, 8, |random| {
            let to = random.pick(&[Available, Redeemed, Reserved, Revoked, Suspended]);
            let from = random.pick(&[Issued, Available, Suspended]);
            Posting {
                from: if from == to { Issued } else { from },
                to,
                amount: Amount {
                    scheme: random.scheme(),
                    credits: Credits::from_milli(random.range(1, 1_000_000_000)).unwrap(),
                },
            }
        })
    }

    pub(crate) fn aliases(&mut self) -> Vec<AliasAsserted> {
        let mut kinds = Vec::new();
        kinds.extend(self.maybe(|_| AliasKind::AccountNumber));
        kinds.extend(self.maybe(|_| AliasKind::Document));
        kinds.extend(self.list(0, 8, |_| AliasKind::StudentNumber));
        let asserted = |kind| AliasAsserted { kind, pepper_version: self.count(1, u32::MAX) };
        kinds.into_iter().map(asserted).collect()
    }

    pub(crate) fn links(&mut self, events: u32) -> Vec<Link> {
        let subjects: BTreeSet<Subject> = self.list(0, 4, Self::subject).into_iter().collect();
        subjects
            .into_iter()
            .map(|subject| {
                let previous = self.maybe(Self::digest);
                let sequence = if previous.is_some() { self.big().max(2) } else { 1 };
                let numbers: BTreeSet<u32> =
                    self.list(1, 4, |random| random.count(0, events - 1)).into_iter().collect();
                Link { subject, sequence, previous, events: numbers.into_iter().collect() }
            })
            .collect()
    }
}

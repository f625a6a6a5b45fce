//! What is said to the bank of rule books and conversions: each statement as it should be, but for what a test changes.

use super::bank::{Bank, Outcome, digest};
use super::book::version;
use super::say::*;
use credit_ledger::assess::check_of;
use credit_types::*;

impl Bank {
    pub(super) fn publish(&mut self, text: &str) -> Outcome {
        self.publish_with(text, |_, _| {})
    }

    pub(super) fn publish_with(
        &mut self,
        text: &str,
        change: impl FnOnce(&mut Signed<RuleBookPublication>, &mut BookCheck),
    ) -> Outcome {
        let named = self.shelve(text);
        let mut check = check_of(self.program(&named).book(), text.len()).unwrap();
        let body = RuleBookPublication {
            book: check.book.clone(),
            digest: digest(text),
            size_bytes: check.size_bytes,
            effective_from: check.effective_from,
            effective_until: check.effective_until,
            select_by: check.select_by,
        };
        let mut statement = self.signed("authority", &["auth.1", "auth.2"], body);
        change(&mut statement, &mut check);
        self.submit(&Command::PublishRuleBook(Box::new(statement), Box::new(check)))
    }

    pub(super) fn book_last(&self, number: u32) -> u64 {
        match self.rows.get(&credit_ledger::RowId::Book(book(number).book_id)) {
            Some(credit_ledger::Row::Book(row)) => row.version(number).map_or(0, |row| row.last_index),
            _ => 0,
        }
    }

    pub(super) fn change_book(&mut self, number: u32, action: RuleBookAction) -> Outcome {
        self.change_book_with(number, action, |_| {})
    }

    pub(super) fn change_book_with(
        &mut self,
        number: u32,
        action: RuleBookAction,
        change: impl FnOnce(&mut Signed<RuleBookChange>),
    ) -> Outcome {
        let body = RuleBookChange { after: self.after(self.book_last(number)), book: book(number), action };
        let mut statement = self.signed("authority", &["auth.1", "auth.2", "auth.3"], body);
        change(&mut statement);
        self.submit(&Command::ChangeRuleBook(Box::new(statement)))
    }

    /// A newer version of the book comes into force.
    pub(super) fn bring(&mut self, number: u32) {
        self.publish(&version(number)).unwrap();
        self.wait_days(NOTICE_DAYS);
        self.change_book(number, RuleBookAction::Activate).unwrap();
    }

    pub(super) fn allow(&mut self, by: &str, rules: &[&str], until: &str) -> Outcome {
        self.allow_with(by, rules, until, |_| {})
    }

    pub(super) fn allow_with(
        &mut self,
        by: &str,
        rules: &[&str],
        until: &str,
        change: impl FnOnce(&mut Signed<AutoApproval>),
    ) -> Outcome {
        let rules = rules.iter().map(|rule| name(rule)).collect();
        let key = format!("{by}.one");
        let mut statement =
            self.signed(by, &[&key], AutoApproval { book: book(1), rules, until: day(until) });
        change(&mut statement);
        self.submit(&Command::GiveAutoApproval(Box::new(statement)))
    }

    pub(super) fn apply(&mut self, who: &str, target: &str, records: &[&str]) -> Outcome {
        self.apply_with(who, target, records, |_, _| {})
    }

    pub(super) fn apply_with(
        &mut self,
        who: &str,
        target: &str,
        records: &[&str],
        change: impl FnOnce(&mut Signed<ConversionRequest>, &mut Assessment),
    ) -> Outcome {
        let records: Vec<RecordName> = records.iter().map(|name| record(name)).collect();
        let body = request(who, target, &records);
        self.ask(body, change)
    }

    /// Applies; what is reckoned is reckoned of what is said unless a test changes it afterwards.
    pub(super) fn ask(
        &mut self,
        body: ConversionRequest,
        change: impl FnOnce(&mut Signed<ConversionRequest>, &mut Assessment),
    ) -> Outcome {
        let mut statement = self.signed("r", &["r.registry"], body);
        let mut assessment = self.reckon(&statement);
        change(&mut statement, &mut assessment);
        self.submit(&Command::RequestConversion(Box::new(statement), Box::new(assessment)))
    }

    pub(super) fn reckon(&self, statement: &Signed<ConversionRequest>) -> Assessment {
        let empty = Assessment {
            owner: None,
            items: Vec::new(),
            automatic: false,
            refusal: None,
            explanation_commitment: digest(""),
        };
        let asked = Command::RequestConversion(Box::new(statement.clone()), Box::new(empty));
        self.assess(&statement.body, &self.view(&asked))
    }

    pub(super) fn decide(&mut self, application: u64, outcome: DecisionOutcome) -> Outcome {
        self.decide_with(application, outcome, |_| {})
    }

    /// Decided by the institution's first key for it.
    pub(super) fn decide_with(
        &mut self,
        application: u64,
        outcome: DecisionOutcome,
        change: impl FnOnce(&mut Signed<ConversionDecision>),
    ) -> Outcome {
        let row = self.application(application);
        let granting = [DecisionOutcome::Approve, DecisionOutcome::Partly].contains(&outcome);
        let by = String::from(row.request.institution_id.as_str().trim_start_matches("cn."));
        let body = ConversionDecision {
            after: self.after(row.last_index),
            application,
            outcome,
            explanation_commitment: row.explanation_commitment,
            items: Vec::new(),
            reason: (!granting).then_some(DecisionReason::EvidenceInsufficient),
            provisional_until: None,
            opinion_commitment: None,
        };
        let key = format!("{by}.one");
        let mut statement = self.signed(&by, &[&key], body);
        change(&mut statement);
        self.submit(&Command::DecideConversion(Box::new(statement)))
    }

    pub(super) fn step(&mut self, application: u64, action: ConversionAction) -> Outcome {
        self.step_with(application, action, |_| {})
    }

    pub(super) fn step_with(
        &mut self,
        application: u64,
        action: ConversionAction,
        change: impl FnOnce(&mut Signed<ConversionStep>),
    ) -> Outcome {
        let row = self.application(application);
        let of_bank = [ConversionAction::Confirm, ConversionAction::Rescind].contains(&action);
        let by = String::from(row.request.institution_id.as_str().trim_start_matches("cn."));
        let (by, key) =
            if of_bank { (by.clone(), format!("{by}.one")) } else { ("r".into(), "r.registry".into()) };
        let after = self.after(row.last_index);
        let body = ConversionStep { after, application, action, explanation_commitment: None };
        let mut statement = self.signed(&by, &[&key], body);
        change(&mut statement);
        self.submit(&Command::StepConversion(Box::new(statement)))
    }

    pub(super) fn reverse(&mut self, application: u64, kept: &[u32]) -> Outcome {
        self.reverse_with(application, kept, |_| {})
    }

    pub(super) fn reverse_with(
        &mut self,
        application: u64,
        kept: &[u32],
        change: impl FnOnce(&mut Signed<AwardReversal>),
    ) -> Outcome {
        let row = self.application(application);
        let by = String::from(row.request.institution_id.as_str().trim_start_matches("cn."));
        let body = AwardReversal {
            after: self.after(row.last_index),
            application,
            regulator_id: institution("g"),
            order_ref: String::from("O-1"),
            kept: kept.to_vec(),
            explanation_commitment: None,
        };
        let key = format!("{by}.one");
        let mut statement = self.signed(&by, &[&key, "g.status"], body);
        change(&mut statement);
        self.submit(&Command::ReverseAward(Box::new(statement)))
    }
}

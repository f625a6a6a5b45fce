//! Lines as commands: each verb makes a statement in which all is well but for what its options say.

use super::script::World;
use super::words::{self, Line};
use credit_types::genesis::FORMAT;
use credit_types::{
    AccountAction, AccountOpening, AccountStatusChange, Accreditation, AliasAsserted, AliasCheck, AliasKind,
    Anchor, AssuranceLevel, BatchClose, BatchManifest, BookVersion, Command, CorrectionReason, CreditScheme,
    DepositCheck, Details, Epoch, FrameworkId, FrameworkPublication, Genesis, Header, InstitutionAdmission,
    InstitutionKind, KeyAddition, KeyCompromise, KeyRetirement, LeafType, LevelRange, LevelScale,
    LogContinuation, LogId, OpeningDraw, Policy, ProtocolUpgrade, RecordAction, RecordCorrection,
    RecordDetails, RecordFacts, RecordStatusChange, RuleBookAction, RuleBookChange, SchemeId, SchemeKind,
    ServerStart, Signed, StatusReason, Text,
};

/// The command that a line stands for.
pub(super) fn command(world: &World, line: &Line<'_>) -> Command {
    match line.verb {
        "ledger" => genesis(world, line),
        "start" => start(world, line),
        "upgrade" => upgrade(world, line),
        "activate" => activation(world, line),
        "framework" => framework(world, line),
        "admit" => admission(world, line),
        "addkey" => addition(world, line),
        "retire" => retirement(world, line),
        "report" => report(world, line),
        "open" => opening(world, line),
        "account" => account_change(world, line),
        "deposit" => deposit(world, line),
        "correct" => correction(world, line),
        "record" => record_change(world, line),
        "batch" => manifest(world, line),
        "chunk" => Command::SubmitChunk(super::leaf::chunk(world, line)),
        "close" => closing(world, line),
        other => panic!("{other} is no verb"),
    }
}

/// Header and signatures. By whom and with which keys can be said; so can every part of the header.
fn signed<B>(
    world: &World,
    line: &Line<'_>,
    by: &str,
    purpose: &str,
    besides: &[&str],
    body: B,
) -> Signed<B> {
    let by = line.option("by").unwrap_or(by);
    let usual = match by {
        "authority" => String::from("auth.1,auth.2"),
        "operator" => String::from("op.1"),
        institution => format!("{institution}.{purpose}"),
    };
    let mut names: Vec<&str> = usual.split(',').collect();
    names.extend(besides);
    if let Some(instead) = line.option("sign") {
        names = if instead == "none" { Vec::new() } else { instead.split(',').collect() };
    }
    let mut signers: Vec<_> = names.into_iter().map(words::kid).collect();
    signers.sort();
    let head = world.shell.model.index();
    let anchor = match line.option("anchor") {
        None => world.anchor(head),
        Some("none") => None,
        Some(text) => {
            let forged = text.ends_with('!');
            let size = text.trim_end_matches('!').parse().unwrap();
            let wrong = Anchor { size, root: words::digest("no root") };
            if forged { Some(wrong) } else { world.anchor(size).or(Some(wrong)) }
        }
    };
    let log_id = match line.option("log") {
        None => world.log_id(),
        Some("none") => None,
        Some(other) => Some(LogId(words::digest(other).0)),
    };
    let statement_id = world.statement_id(line.option("id"));
    Signed { header: Header { log_id, statement_id, signer: words::signer(by), anchor }, body, signers }
}

/// What `after` says: an entry, nothing, or what is right.
fn after(world: &World, line: &Line<'_>, right: Option<u64>) -> Option<credit_types::Digest> {
    let named = line.option("after");
    let index = named.map_or(right, |text| text.parse().ok());
    let leaf = index.and_then(|index| world.shell.model.entry(index)).map(|entry| entry.leaf);
    if named == Some("none") { None } else { leaf.or(Some(words::digest("no leaf"))) }
}

fn genesis(world: &World, line: &Line<'_>) -> Command {
    let keys = |names: Vec<&str>| names.into_iter().map(words::public_key).collect();
    let body = Genesis {
        nonce: [7; 32],
        protocol: line.or("protocol", "1").parse().unwrap(),
        origin: String::from(line.or("origin", "dev.bank.example")),
        checkpoint_keys: keys(vec!["log.1"]),
        statement_keys: keys(vec!["log.2"]),
        operator_keys: keys(line.list("operators", "op.1,op.2")),
        authority_keys: keys(vec!["auth.1", "auth.2", "auth.3"]),
        authority_threshold: line.or("threshold", "2").parse().unwrap(),
        witness_policy_hash: None,
        registry_log: line.option("registry").map(|name| LogId(words::digest(name).0)),
        civil_offset_minutes: 480,
        policy: Policy {
            notice_days: line.or("notice", "0").parse().unwrap(),
            quorum: 0,
            appeal_days: 15,
            lapse_days: 30,
            batch_days: 7,
            anchor_days: 30,
            suspect_days: 30,
        },
        continues: line.option("continues").map(|name| LogContinuation {
            log_id: LogId(words::digest(name).0),
            size: 1,
            root: words::digest(name),
        }),
    };
    let mut statement = signed(world, line, "authority", "", &[], body);
    if line.option("log").is_none() {
        statement.header.log_id = None;
    }
    if line.option("anchor").is_none() {
        statement.header.anchor = None;
    }
    Command::CreateLedger(Box::new(statement))
}

fn start(world: &World, line: &Line<'_>) -> Command {
    let protocol = line.or("protocol", "1").parse().unwrap();
    let body = ServerStart { epoch: Epoch([1; 16]), software: String::from("creditbank 1"), protocol };
    Command::StartServer(signed(world, line, "operator", "", &[], body))
}

/// `upgrade PROTOCOL format=…`.
fn upgrade(world: &World, line: &Line<'_>) -> Command {
    let format = line.option("format").map_or(FORMAT, |text| text.parse().unwrap());
    let body = ProtocolUpgrade { protocol: line.word(0).parse().unwrap(), format };
    Command::UpgradeProtocol(signed(world, line, "authority", "", &[], body))
}

/// `activate BOOK VERSION`.
fn activation(world: &World, line: &Line<'_>) -> Command {
    let book_id = FrameworkId::new(line.word(0)).unwrap();
    let book = BookVersion { book_id, version: line.word(1).parse().unwrap() };
    let body = RuleBookChange { after: words::digest("no leaf"), book, action: RuleBookAction::Activate };
    Command::ChangeRuleBook(Box::new(signed(world, line, "authority", "", &[], body)))
}

/// `framework NAME VERSION levels=10-80/10 schemes=CN_XF:500`.
fn framework(world: &World, line: &Line<'_>) -> Command {
    let levels = line.option("levels").and_then(|text| {
        let (range, step) = text.split_once('/')?;
        let (min, max) = range.split_once('-')?;
        let [min_tenths, max_tenths, step_tenths] = [min, max, step].map(|number| number.parse().unwrap());
        Some(LevelScale { min_tenths, max_tenths, step_tenths })
    });
    let schemes = line.list("schemes", "none").into_iter().map(|text| {
        let (name, step) = text.split_once(':').unwrap();
        let (scheme_id, step_milli) = (SchemeId::new(name).unwrap(), step.parse().unwrap());
        let kind = SchemeKind::Credit;
        CreditScheme { scheme_id, kind, step_milli, notional_minutes: 0, label: Text::default() }
    });
    let body = FrameworkPublication {
        framework_id: FrameworkId::new(line.word(0)).unwrap(),
        version: line.word(1).parse().unwrap(),
        title: Text::default(),
        schemes: schemes.collect(),
        levels,
    };
    Command::PublishFramework(Box::new(signed(world, line, "authority", "", &[], body)))
}

/// `wide`: courses and activities of any level and subject; `narrow`: courses of level 5 to 7 in 06… or 6-31….
fn accreditation(name: &str) -> Accreditation {
    let wide = name == "wide";
    let framework = FrameworkId::new("nqf").unwrap();
    let set = |prefix: &str| if wide { Vec::new() } else { vec![String::from(prefix)] };
    let kinds = if wide { vec!["course", "activity"] } else { vec!["course"] };
    Accreditation {
        accreditation_no: String::from("A-1"),
        authority: String::from("MoE"),
        kinds: kinds.into_iter().map(words::kind).collect(),
        levels: if wide {
            Vec::new()
        } else {
            vec![LevelRange { framework, min_tenths: 50, max_tenths: 70 }]
        },
        subject_prefixes: set("06").into_iter().collect(),
        occupation_prefixes: set("6-31").into_iter().collect(),
        valid_from: words::date("2020-01-01"),
        valid_to: (!wide).then(|| words::date("2025-12-31")),
    }
}

/// `admit NAME roles=… keys=… parent=… accreditations=… years=…`.
fn admission(world: &World, line: &Line<'_>) -> Command {
    let name = line.word(0);
    let usual =
        ["keys", "recovery", "records", "status", "registry"].map(|purpose| format!("{name}.{purpose}"));
    let names = match line.option("keys") {
        Some(text) => text.split(',').collect(),
        None => usual.iter().map(String::as_str).collect::<Vec<_>>(),
    };
    let body = InstitutionAdmission {
        institution_id: words::institution(name),
        kind: InstitutionKind::University,
        roles: line.list("roles", "issuer,registrar").into_iter().map(words::role).collect(),
        district_code: String::from("500000"),
        parent_id: line.option("parent").map(words::institution),
        name: Text::default(),
        usci: String::new(),
        accreditations: line.list("accreditations", "wide").into_iter().map(accreditation).collect(),
        keys: names.iter().map(|name| words::institution_key(name)).collect(),
        default_validity_years: line.or("years", "0").parse().unwrap(),
    };
    Command::AdmitInstitution(Box::new(signed(world, line, "authority", "", &names, body)))
}

fn addition(world: &World, line: &Line<'_>) -> Command {
    let (owner, key) = (line.word(0), line.word(1));
    let mut addition = words::institution_key(key);
    let registered_as = line.or("kid", key);
    addition.key.kid = words::kid(registered_as);
    let body = KeyAddition { institution_id: words::institution(owner), key: addition };
    Command::AddKey(Box::new(signed(world, line, owner, "keys", &[registered_as], body)))
}

/// The institution that a key's name begins with.
fn owner_of(key: &str) -> &str {
    key.split_once('.').map_or(key, |(owner, _)| owner)
}

fn retirement(world: &World, line: &Line<'_>) -> Command {
    let kid = words::kid(line.word(0));
    let right = world.shell.model.key_last(kid);
    let body = KeyRetirement { after: after(world, line, Some(right)).unwrap(), kid };
    Command::RetireKey(signed(world, line, owner_of(line.word(0)), "keys", &[], body))
}

fn report(world: &World, line: &Line<'_>) -> Command {
    let suspect_from_index = line.or("from", "0").parse().unwrap();
    let body = KeyCompromise { kid: words::kid(line.word(0)), suspect_from_index };
    Command::ReportKeyCompromise(signed(world, line, owner_of(line.word(0)), "recovery", &[], body))
}

/// What stands in the opening of an account, and what the bank says of it.
pub(super) fn opening_of(name: &str, taken: bool) -> (AccountOpening, OpeningDraw) {
    let identity_commitment = words::digest(name);
    let alias = |kind, taken| AliasCheck { asserted: AliasAsserted { kind, pepper_version: 1 }, taken };
    let aliases = vec![alias(AliasKind::AccountNumber, false), alias(AliasKind::Document, taken)];
    let opening = AccountOpening { assurance: AssuranceLevel::Document, identity_commitment };
    (opening, OpeningDraw { account_ref: words::account(name), aliases })
}

/// `open NAME alias=taken assurance=none|phone|document|face aliases=number,document,student`.
fn opening(world: &World, line: &Line<'_>) -> Command {
    let (mut body, mut draw) = opening_of(line.word(0), line.option("alias") == Some("taken"));
    body.assurance = match line.or("assurance", "document") {
        "none" => AssuranceLevel::None,
        "phone" => AssuranceLevel::Phone,
        "document" => AssuranceLevel::Document,
        "face" => AssuranceLevel::DocumentFace,
        other => panic!("{other} is no assurance"),
    };
    if line.option("aliases").is_some() {
        let kinds = line.list("aliases", "none").into_iter().map(|kind| match kind {
            "number" => AliasKind::AccountNumber,
            "document" => AliasKind::Document,
            "student" => AliasKind::StudentNumber,
            other => panic!("{other} is no alias"),
        });
        let check = |kind| AliasCheck { asserted: AliasAsserted { kind, pepper_version: 1 }, taken: false };
        draw.aliases = kinds.map(check).collect();
    }
    Command::OpenAccount(signed(world, line, "a", "registry", &[], body), draw)
}

/// `account NAME suspend|reinstate|close`.
fn account_change(world: &World, line: &Line<'_>) -> Command {
    let account_ref = words::account(line.word(0));
    let right = world.shell.model.account(account_ref).map(|account| account.last);
    let body = AccountStatusChange {
        after: after(world, line, right).unwrap(),
        account_ref,
        action: match line.word(1) {
            "suspend" => AccountAction::Suspend,
            "reinstate" => AccountAction::Reinstate,
            "close" => AccountAction::Close,
            other => panic!("{other} is no action"),
        },
        reason: StatusReason::Investigation,
        order_ref: String::from(line.or("order", "")),
        explanation_commitment: None,
    };
    Command::ChangeAccountStatus(signed(world, line, "a", line.or("purpose", "registry"), &[], body))
}

/// Facts with the options `kind amount level subject occupation awarded until`.
fn facts(line: &Line<'_>, id: &str, account: &str) -> RecordFacts {
    RecordFacts {
        record_id: words::record(id),
        account_ref: words::account(account),
        kind: words::kind(line.or("kind", "course")),
        amount: words::amount(line.or("amount", "3000:CN_XF")),
        minutes: None,
        level: words::level(line.or("level", "none")),
        subject_code: String::from(line.or("subject", "0611").trim_start_matches("none")),
        occupation_code: String::from(line.or("occupation", "")),
        awarded_on: line.date("awarded").unwrap_or_else(|| words::date("2026-01-10")),
        valid_until: line.date("until"),
        details_commitment: words::digest(id),
        credit_eligible: true,
    }
}

fn check(line: &Line<'_>) -> DepositCheck {
    let (start_on, end_on) = (line.date("start"), line.date("end"));
    let details = match line.or("details", "known") {
        "closed" => Details::Closed,
        _ => Details::Known(Box::new(RecordDetails { start_on, end_on, ..RecordDetails::default() })),
    };
    let fingerprint_taken = line.option("fingerprint") == Some("taken");
    DepositCheck { details, fingerprint_version: 1, fingerprint_taken }
}

/// What a leaf of a batch says, and what the bank says of it.
pub(super) fn leaf_of(line: &Line<'_>, id: &str, account: &str) -> (RecordFacts, DepositCheck) {
    (facts(line, id, account), check(line))
}

/// `deposit ISSUER RECORD ACCOUNT`.
fn deposit(world: &World, line: &Line<'_>) -> Command {
    let body = facts(line, line.word(1), line.word(2));
    let statement = signed(world, line, line.word(0), "records", &[], body);
    Command::DepositRecord(Box::new(statement), Box::new(check(line)))
}

/// `correct ISSUER OLD NEW ACCOUNT`.
fn correction(world: &World, line: &Line<'_>) -> Command {
    let supersedes = words::record(line.word(1));
    let old = world.shell.model.record(&words::institution(line.word(0)), supersedes);
    let body = RecordCorrection {
        after: after(world, line, old.map(|old| old.last)).unwrap(),
        supersedes,
        reason: CorrectionReason::Clerical,
        facts: facts(line, line.word(2), line.word(3)),
        explanation_commitment: None,
    };
    let statement = signed(world, line, line.word(0), "records", &[], body);
    Command::CorrectRecord(Box::new(statement), Box::new(check(line)))
}

/// `record ISSUER RECORD ACCOUNT revoke|suspend|reinstate`.
fn record_change(world: &World, line: &Line<'_>) -> Command {
    let (issuer_id, record_id) = (words::institution(line.word(0)), words::record(line.word(1)));
    let right = world.shell.model.record(&issuer_id, record_id).map(|record| record.last);
    let action = match line.word(3) {
        "revoke" => RecordAction::Revoke,
        "suspend" => RecordAction::Suspend,
        "reinstate" => RecordAction::Reinstate,
        other => panic!("{other} is no action"),
    };
    let blind = action == RecordAction::Revoke && line.option("after").is_none();
    let body = RecordStatusChange {
        after: if blind { None } else { after(world, line, right) },
        account_ref: words::account(line.word(2)),
        issuer_id,
        record_id,
        action,
        reason: StatusReason::Investigation,
        order_ref: String::from(line.or("order", "")),
        effective_from: line.date("effective"),
        explanation_commitment: None,
    };
    let statement = signed(world, line, line.word(0), "status", &[], body);
    Command::ChangeRecordStatus(Box::new(statement))
}

/// `batch NAME SIGNER records|openings COUNT`.
fn manifest(world: &World, line: &Line<'_>) -> Command {
    let (leaf_type, purpose) = match line.word(2) {
        "records" => (LeafType::Record, "records"),
        "openings" => (LeafType::Opening, "registry"),
        other => panic!("{other} is no type of leaves"),
    };
    let record_count = line.word(3).parse().unwrap();
    let body = BatchManifest { leaf_type, record_count, root: words::digest(line.word(0)) };
    Command::OpenBatch(signed(world, line, line.word(1), purpose, &[], body))
}

/// `close BATCH SIGNER`.
fn closing(world: &World, line: &Line<'_>) -> Command {
    let manifest_index = world.batch(line.word(0));
    let purpose = line.or("purpose", "records");
    Command::CloseBatch(signed(world, line, line.word(1), purpose, &[], BatchClose { manifest_index }))
}

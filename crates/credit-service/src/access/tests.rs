use super::*;
use credit_types::{
    AccountOpening, AssuranceLevel, BatchManifest, CommandId, Digest, Header, Kid, LeafType, RecordId,
    RecordStatus, Signed,
};
use prost::Message as _;
use std::collections::BTreeSet;

/// Every method that the descriptor set names, as gRPC writes it.
fn methods() -> BTreeSet<String> {
    let set = prost_types::FileDescriptorSet::decode(credit_rpc::FILE_DESCRIPTOR_SET).unwrap();
    let mut methods = BTreeSet::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                methods.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    methods
}

#[test]
fn every_method_has_a_policy_and_every_policy_a_method() {
    let policies: BTreeSet<String> = POLICIES.iter().map(|(method, _)| (*method).to_owned()).collect();
    assert_eq!(policies.len(), POLICIES.len(), "a method has one policy");
    assert_eq!(policies, methods());
}

#[test]
fn what_has_no_policy_may_not_be_called() {
    for path in [
        "/creditbank.v1.RecordService/Nothing",
        "/creditbank.v1.RecordService/submitrecord",
        "/creditbank.v1.RecordService/SubmitRecord/",
        "/creditbank.v2.RecordService/SubmitRecord",
        "/",
        "",
        "/grpc.health.v1.Healthy/Check",
    ] {
        assert_eq!(policy(path), None, "{path}");
    }
    assert_eq!(policy("/grpc.health.v1.Health/Check").map(|(_, rule)| rule), Some(Rule::Open));
    assert_eq!(
        policy("/creditbank.v1.RecordService/SubmitRecord").map(|(_, rule)| rule),
        Some(Rule::OwnStatement)
    );
}

fn school() -> InstitutionId {
    InstitutionId::new("cn.x.school").unwrap()
}

fn centre() -> InstitutionId {
    InstitutionId::new("cn.x.centre").unwrap()
}

const ANN: AccountRef = AccountRef([1; 16]);
const BOB: AccountRef = AccountRef([2; 16]);

fn regulator() -> InstitutionId {
    InstitutionId::new("cn.x.regulator").unwrap()
}

fn member(id: InstitutionId, roles: &[Role]) -> Principal {
    Principal::Institution(Member { id, roles: roles.iter().copied().collect() })
}

fn principals() -> [Principal; 6] {
    [
        Principal::Anonymous,
        member(school(), &[Role::Issuer]),
        Principal::Learner(ANN),
        Principal::Auditor,
        member(centre(), &[Role::Registrar]),
        member(regulator(), &[Role::Regulator]),
    ]
}

#[test]
fn each_rule_admits_its_callers_and_nobody_else() {
    // In the order of `principals`: y admitted, n denied, ? must say who they are.
    let table = [
        (Rule::Open, "yyyyyy"),
        (Rule::Signed, "yyyyyy"),
        (Rule::OwnStatement, "?ynnyy"),
        (Rule::Institutions, "?ynnyy"),
        (Rule::AccountStatus, "?nyyyy"),
        (Rule::AccountBalance, "?nyyyn"),
        (Rule::AccountHistory, "?nyynn"),
        (Rule::Records, "?yyyyy"),
    ];
    for (rule, row) in table {
        let got: String = principals()
            .iter()
            .map(|principal| match rule.admit(principal) {
                Ok(()) => 'y',
                Err(Failure::Denied) => 'n',
                Err(Failure::Unauthenticated("TOKEN_MISSING")) => '?',
                Err(other) => panic!("{other}"),
            })
            .collect();
        assert_eq!(got, row, "{rule:?}");
    }
}

#[test]
fn a_statement_comes_from_its_signer() {
    let signer = SignerId::Institution(school());
    for principal in principals() {
        let own = principal.institution() == Some(&school());
        assert_eq!(require_signer(&principal, &signer).is_ok(), own, "{principal:?}");
        assert_eq!(require_signer(&principal, &SignerId::Authority), Err(Problem::SignerNotCaller));
        assert_eq!(require_signer(&principal, &SignerId::Operator), Err(Problem::SignerNotCaller));
    }
}

#[test]
fn a_learner_reads_their_own_account_and_hears_nothing_of_others() {
    let ann = Principal::Learner(ANN);
    assert_eq!(account_asked(&ann, &[]), Ok(ANN));
    assert_eq!(account_asked(&ann, &ANN.0), Ok(ANN));
    // One that exists, one that does not, one that can't: the same answer.
    for other in [BOB.0.as_slice(), &[9; 16], &[1; 15]] {
        assert_eq!(account_asked(&ann, other), Err(Failure::Denied));
    }
    assert_eq!(account_asked(&Principal::Auditor, &BOB.0), Ok(BOB));
    assert!(matches!(account_asked(&Principal::Auditor, &[]), Err(Failure::Invalid { .. })));
    assert!(matches!(account_asked(&principals()[4], &[1; 17]), Err(Failure::Invalid { .. })));
}

#[test]
fn a_record_is_read_by_its_learner_its_issuer_and_auditors_and_its_facts_by_regulators() {
    let all = Some(Sight::Details);
    let seen = principals().map(|principal| record_seen(&principal, &school(), ANN));
    assert_eq!(seen, [None, all, all, all, None, Some(Sight::Facts)]);
    assert_eq!(record_seen(&Principal::Learner(BOB), &school(), ANN), None);
    assert_eq!(record_seen(&member(centre(), &[Role::Issuer, Role::Registrar]), &school(), ANN), None);
    // A regulator that issues reads its own records as any issuer does.
    assert_eq!(record_seen(&member(regulator(), &[Role::Regulator, Role::Issuer]), &regulator(), ANN), all);
}

#[test]
fn an_institution_of_several_roles_may_what_each_of_them_may() {
    let both = member(centre(), &[Role::Registrar, Role::Regulator]);
    for rule in [Rule::AccountStatus, Rule::AccountBalance] {
        assert_eq!(rule.admit(&both), Ok(()), "{rule:?}");
    }
    assert_eq!(record_seen(&both, &school(), ANN), Some(Sight::Facts));
    let neither =
        member(centre(), &[Role::Issuer, Role::Evaluator, Role::Acceptor, Role::Awarder, Role::Witness]);
    for rule in [Rule::AccountStatus, Rule::AccountBalance, Rule::AccountHistory] {
        assert_eq!(rule.admit(&neither), Err(Failure::Denied), "{rule:?}");
    }
}

fn head(actor: SignerId) -> EntryHead {
    EntryHead { actor, command_id: CommandId([0; 16]), links: 1, statements: 1, events: 1 }
}

fn revoked(issuer: InstitutionId, account_ref: AccountRef) -> Event {
    Event::RecordStatusChanged {
        account_ref,
        issuer,
        record_id: RecordId([7; 16]),
        status: RecordStatus::Revoked,
        superseded_by: None,
        kid: Kid([0; 32]),
        postings: Vec::new(),
    }
}

fn opened(account_ref: AccountRef) -> Event {
    let opening = AccountOpening { assurance: AssuranceLevel::None, identity_commitment: Digest([0; 32]) };
    Event::AccountOpened {
        account_ref,
        opening,
        registrar: centre(),
        kid: Kid([0; 32]),
        manifest_index: None,
        aliases: Vec::new(),
    }
}

fn chunk() -> Event {
    Event::BatchChunk {
        manifest_index: 3,
        chunk: 0,
        path: Vec::new(),
        leaves: 1,
        last_key: None,
        refused: Vec::new(),
    }
}

fn manifest() -> Event {
    let header = Header {
        log_id: None,
        statement_id: CommandId([0; 16]),
        signer: SignerId::Institution(school()),
        anchor: None,
    };
    let body = BatchManifest { leaf_type: LeafType::Record, record_count: 1, root: Digest([0; 32]) };
    Event::BatchOpened(Signed { header, body, signers: Vec::new() })
}

#[test]
fn an_entry_about_an_account_opens_no_more_than_the_callers_own() {
    let of = |account| Some(OpenParts::Subject(Subject::Account(account)));
    let all = Some(OpenParts::All);
    let nothing = None;
    // The entry, then what is seen by: anonymous, the school, Ann, an auditor, the centre, a regulator.
    let another = head(SignerId::Institution(InstitutionId::new("cn.x.ministry").unwrap()));
    let cases = [
        (
            head(SignerId::Institution(centre())),
            vec![opened(ANN)],
            [&nothing, &nothing, &of(ANN), &all, &all, &all],
        ),
        (
            head(SignerId::Institution(school())),
            vec![chunk(), revoked(school(), BOB)],
            [&nothing, &all, &nothing, &all, &nothing, &all],
        ),
        (another.clone(), vec![revoked(school(), BOB)], [&nothing, &of(BOB), &nothing, &all, &nothing, &all]),
        (
            another,
            vec![revoked(school(), BOB), revoked(centre(), BOB)],
            [&nothing, &nothing, &nothing, &all, &nothing, &all],
        ),
        // A chunk of which every leaf was refused names no account, yet it is about some.
        (
            head(SignerId::Institution(school())),
            vec![chunk()],
            [&nothing, &all, &nothing, &all, &nothing, &all],
        ),
        (head(SignerId::Institution(school())), vec![manifest()], [&all; 6]),
    ];
    for (head, events, want) in cases {
        for (principal, want) in principals().iter().zip(want) {
            let is_linked = |own: &Subject| events.iter().any(|event| event.subject().as_ref() == Some(own));
            let seen = parts_seen(principal, &head, is_linked, || Ok(events.clone())).unwrap();
            assert_eq!(seen, *want, "{} {events:?}", principal.kind());
        }
    }
}

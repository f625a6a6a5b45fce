//! A real ledger with something in it to lie about, and what its operator keeps in a drawer for later lies.

use crate::bank::Bank;
use crate::change::{BatchStream, RawBatch};
use crate::export::{Entry, Keys, entries};
use crate::forgeries::{copy as copy_folder, over};
use crate::session::{Account, Session, World, in_runtime};
use crate::statement::{Draft, uuid_v7};
use credit_log::envelope::SigningKey;
use credit_proto::strict::decode;
use credit_proto::v1;
use credit_proto::v1::{KeyPurpose, RecordAction};
use std::path::PathBuf;
use std::time::Duration;

/// How often a head is looked at before it is given up, and how long in between.
const LOOKS: u32 = 6_000;
const PAUSE: Duration = Duration::from_millis(10);

/// The stage of all lies.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) keys: Keys,
    /// The history that was shown to everybody.
    pub(crate) honest: Vec<Entry>,
    /// The learner whose statement is asked for.
    pub(crate) learner: Account,
    /// Another learner.
    pub(crate) other: Account,
    /// The signed balance of the learner, as the ledger itself tells it.
    pub(crate) balance: v1::BalanceStatement,
    /// Where the learner's second and third deposit stand, one behind the other.
    pub(crate) deposits: [usize; 2],
    /// A key of the school that was retired.
    pub(crate) retired: SigningKey,
    /// A reinstatement of the learner's first record, signed for an earlier suspension and never used.
    pub(crate) reinstatement: v1::Envelope,
    /// The entry that reinstated the record in its time.
    pub(crate) reinstated: usize,
    /// A batch that was opened and never sent.
    pub(crate) hoarded: RawBatch,
    /// The entry of its manifest.
    pub(crate) manifest: usize,
    /// The entry of a batch's only chunk.
    pub(crate) chunk: usize,
    /// What the ledger was after its folder was put back to an earlier copy and it was started again.
    pub(crate) restored: Vec<Entry>,
    /// The entry of a record in another ledger of the same school.
    pub(crate) foreign: Entry,
    /// The product's own export of the honest history, with details.
    pub(crate) export: PathBuf,
}

/// What the acts on the stage leave behind.
struct Acted {
    learner: Account,
    other: Account,
    deposits: [usize; 2],
    retired: SigningKey,
    reinstatement: v1::Envelope,
    reinstated: usize,
    hoarded: RawBatch,
    manifest: usize,
    chunk: usize,
}

/// A batch's answers come before its signature: waits until an entry is under the signed head.
async fn settle(session: &Session<'_>, index: u64) {
    for _ in 0..LOOKS {
        if session.size().await > index {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("entry {index} is not signed");
}

async fn batch(session: &Session<'_>, account: &Account) -> RawBatch {
    let drafts = vec![Draft::course(&account.account_ref), Draft::course(&account.account_ref)];
    RawBatch::of_records(session, &session.world.school, drafts).await
}

/// Everything that is done before a copy of the ledger is made.
async fn act(session: &Session<'_>) -> Acted {
    let school = &session.world.school;
    let (learner, other) = (session.account().await, session.account().await);
    let [first, second, third] = [1, 2, 3].map(|_| Draft::course(&learner.account_ref));
    session.deposit(school, &first).await;
    let deposits =
        [session.deposit(school, &second).await.index, session.deposit(school, &third).await.index]
            .map(|index| usize::try_from(index).expect("an index"));
    let record = &first.facts.record_id;
    session.record_must(school, record, RecordAction::Suspend).await;
    // Two were signed; one was used.
    let change = session.record_change(school, record, RecordAction::Reinstate).await;
    let kept = session.record_change_request(school, change.clone()).await;
    let used = session.change_record(school, change).await.expect("a reinstatement").into_inner();
    let reinstated = usize::try_from(used.position.expect("a position").index).expect("an index");
    session.record_must(school, record, RecordAction::Suspend).await;
    let retired = school.spare_key("retired");
    session.add_key(school, &retired, KeyPurpose::Records).await;
    session.retire_key(school, &school.key(KeyPurpose::Keys), &retired).await.expect("a retirement");
    let honest = batch(session, &other).await;
    let (mut stream, _) = BatchStream::open(session, school, honest.start()).await.expect("a batch");
    let chunk = stream.chunk(honest.chunk(0)).await.expect("a chunk").position.expect("a position").index;
    stream.end().await.expect("the stream ends");
    settle(session, chunk).await;
    let hoarded = batch(session, &other).await;
    let (stream, opening) = BatchStream::open(session, school, hoarded.start()).await.expect("a batch");
    stream.end().await.expect("the stream ends");
    let manifest = opening.position.expect("a position").index;
    settle(session, manifest).await;
    Acted {
        learner,
        other,
        deposits,
        retired,
        reinstatement: kept.envelope.expect("an envelope"),
        reinstated,
        hoarded,
        manifest: usize::try_from(manifest).expect("an index"),
        chunk: usize::try_from(chunk).expect("an index"),
    }
}

/// A record of the same school in another ledger.
fn foreign(world: &World) -> Entry {
    let other = World::start(&[]);
    in_runtime(async {
        let session = Session::new(&other).await;
        session.admit(&world.school).await;
        let account = session.account().await;
        let position = session.deposit(&world.school, &Draft::course(&account.account_ref)).await;
        entries(&session).await.swap_remove(usize::try_from(position.index).expect("an index"))
    })
}

impl Stage {
    pub(crate) fn set() -> Self {
        let world = World::start(&[]);
        let acted = in_runtime(async { act(&Session::new(&world).await).await });
        // The folder as it is at this moment comes back later.
        assert!(world.bank.stop().success(), "{}", world.bank.log());
        let earlier = Bank::new(&[]);
        copy_folder(&world.bank.home(), &earlier.home());
        world.bank.serve();
        let (honest, balance) = in_runtime(async {
            let session = Session::new(&world).await;
            session.deposit(&world.school, &Draft::course(&acted.learner.account_ref)).await;
            session.deposit(&world.school, &Draft::course(&acted.learner.account_ref)).await;
            let key = world.school.spare_key("stolen");
            session.add_key(&world.school, &key, KeyPurpose::Records).await;
            // The last thing that happens: a key is reported.
            let active = session.key(&key).await.active_from_index;
            session.report_key(&world.school, &key, active).await.expect("a report");
            let request = v1::GetBalanceRequest {
                account_ref: acted.learner.account_ref.clone(),
                want_signed: true,
                ..v1::GetBalanceRequest::default()
            };
            let learner = session.learner(&acted.learner.account_ref);
            let balance = learner.accounts().get_balance(request).await.expect("a balance").into_inner();
            (entries(&session).await, balance.balance.expect("a balance"))
        });
        earlier.serve();
        let restored = over(earlier, &world);
        let history = in_runtime(async { entries(&Session::new(&restored).await).await });
        drop(restored);
        assert!(history.len() < honest.len(), "less was done since the copy than before it");
        let foreign = foreign(&world);
        assert!(world.bank.stop().success(), "{}", world.bank.log());
        let export = world.bank.folder().join("export");
        world.bank.must(&["export", &export.display().to_string(), "--details"]);
        let Acted { learner, other, deposits, retired, reinstatement, reinstated, hoarded, manifest, chunk } =
            acted;
        let keys = Keys::of(&world);
        Self {
            keys,
            honest,
            learner,
            other,
            balance,
            deposits,
            retired,
            reinstatement,
            reinstated,
            hoarded,
            manifest,
            chunk,
            restored: history,
            foreign,
            export,
            world,
        }
    }

    /// The first entry of the honest history with an event of this kind.
    pub(crate) fn first(&self, kind: v1::EventKind) -> &Entry {
        let is = |part: &Vec<u8>| {
            part[0] == 4 && decode::<v1::Event>(&part[1..]).is_ok_and(|e| e.kind == i32::from(kind))
        };
        self.honest.iter().find(|entry| entry.parts.iter().any(is)).expect("such an event")
    }

    /// A header of a new statement at the end of a history.
    pub(crate) fn header(&self, log: &[Entry], signer: &str) -> v1::StatementHeader {
        v1::StatementHeader {
            log_id: self.world.log_id.clone(),
            statement_id: uuid_v7().to_vec(),
            signer_id: signer.to_owned(),
            anchor: Some(super::forge::anchor(log)),
        }
    }
}

//! The second phase: an entry's decision is made again with the rows that the entries before it made, and only then is
//! it believed.

use std::borrow::Cow;
use std::sync::Arc;

use credit_ledger::{
    CommandKey, Context, Row, RowId, View, assess, command_key, decide, event_reads, evolve_entry, links,
    protocol, reads,
};
use credit_log::envelope::PublicKey;
use credit_proto::entry::{DecodedParts, StatementPart};
use credit_types::genesis::PROTOCOL_CONVERSIONS;
use credit_types::limits::READ_ROUNDS_MAX;
use credit_types::{
    BookVersion, Command, ConversionRequest, Digest, EntryCore, Event, Genesis, Kid, Rejection,
};

use crate::books::{Books, Ready};
use crate::command::DetailsSource;
use crate::derived::{Basis, day, derived};
use crate::known::{Known, ManifestFacts};
use crate::onlooker::{Application, Onlooker, Secrets};
use crate::prepare::{Decision, Past, Unread};
use crate::report::{Stop, ensure};
use crate::rows::Rows;
use crate::rule::Rule;
use crate::scratch::Memory;
use crate::tree::Tree;

/// What the log has said so far, as far as it was believed.
pub(crate) struct State {
    /// The tree over the entries.
    pub(crate) tree: Tree,
    /// The rows that the entries make.
    pub(crate) rows: Rows,
    /// What readers of later entries may know.
    pub(crate) known: Arc<Known>,
    genesis: Option<Genesis>,
}

/// What was found in an entry that is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judged {
    /// Count of statements and leaves.
    pub(crate) statements: u64,
    /// Count of signatures verified.
    pub(crate) signatures: u64,
    /// Whether details were missing when it was decided again.
    pub(crate) closed: bool,
}

/// Here everything is known that the log has said.
impl Past for State {
    fn key(&mut self, kid: Kid) -> Result<Option<PublicKey>, Unread> {
        let of_genesis = self.genesis.as_ref().and_then(|genesis| {
            genesis.authority_keys.iter().chain(&genesis.operator_keys).find(|key| key.kid == kid)
        });
        let bytes = match of_genesis {
            Some(key) => key.bytes,
            None => match self.rows.get(&RowId::Key(kid)).map_err(Stop::from)? {
                Some(Row::Key(row)) => row.key.key.bytes,
                Some(_) | None => return Ok(None),
            },
        };
        self.known.add_key(kid, bytes);
        let unsound = || Stop::broken(Rule::SignatureInvalid, format!("the key {kid} is no sound key"));
        Ok(Some(self.known.key(kid).ok_or_else(unsound)?))
    }

    fn manifest(&mut self, index: u64) -> Result<Option<ManifestFacts>, Unread> {
        match self.rows.get(&RowId::Batch(index)).map_err(Stop::from)? {
            Some(Row::Batch(row)) => {
                self.known.add_manifest(index, &row);
                Ok(Some(ManifestFacts::of(&row)))
            }
            Some(_) | None => Ok(None),
        }
    }
}

impl State {
    /// Before entry 0.
    pub(crate) fn new(memory: &Memory) -> Self {
        Self { tree: Tree::new(memory), rows: Rows::new(memory), known: Arc::default(), genesis: None }
    }

    /// Another state that is the same; `None` once parts are in files.
    pub(crate) fn fork(&self) -> Option<Self> {
        let Self { tree, rows, known: _, genesis } = self;
        // What is known fills again from the rows; it must not be shared by logs that go apart.
        Some(Self { tree: tree.fork()?, rows: rows.fork()?, known: Arc::default(), genesis: genesis.clone() })
    }

    /// What entry 0 says; `None` before it.
    pub(crate) fn genesis(&self) -> Option<&Genesis> {
        self.genesis.as_ref()
    }

    /// A row; leaves and heads come from the verifier's own tree.
    pub(crate) fn row(&mut self, id: &RowId) -> Result<Option<Row>, Stop> {
        Ok(match id {
            RowId::Head(size) => self.tree.head(*size)?.map(Row::Head),
            RowId::Leaf(0) => self.tree.first_leaf().map(Row::Leaf),
            RowId::Leaf(index) => self.tree.leaf(*index)?.map(Row::Leaf),
            RowId::Log
            | RowId::Institution(_)
            | RowId::Key(_)
            | RowId::Framework(_)
            | RowId::Scheme(_)
            | RowId::Account(_)
            | RowId::Record(..)
            | RowId::Command(_)
            | RowId::Batch(_)
            | RowId::OpenBatches(_)
            | RowId::Subject(_)
            | RowId::Book(_)
            | RowId::AutoApprovals(_)
            | RowId::Application(_)
            | RowId::Uses(_) => self.rows.get(id)?,
        })
    }

    /// Loads rows in rounds, until none is named any more.
    fn load(&mut self, view: &mut View, missing: impl Fn(&View) -> Vec<RowId>) -> Result<(), Stop> {
        for _ in 0..READ_ROUNDS_MAX {
            let ids = missing(view);
            if ids.is_empty() {
                return Ok(());
            }
            for id in ids {
                let row = self.row(&id)?;
                view.insert(id, row);
            }
        }
        assert!(missing(view).is_empty(), "rows are named in a bounded number of rounds");
        Ok(())
    }

    /// Judges an entry that was read and is structurally right, and takes it over into the rows.
    ///
    /// That the events decided are those recorded, byte for byte, follows from three things: each part is canonical,
    /// so that a message has one encoding; the nouns encode to the messages recorded, which reading them asked; and the
    /// nouns decided are the nouns recorded, which is asked here.
    pub(crate) fn judge(
        &mut self,
        core: &EntryCore,
        decision: &Decision,
        books: &mut Books<'_>,
        details: Option<&dyn DetailsSource>,
        onlooker: Option<&dyn Onlooker>,
    ) -> Result<Judged, Stop> {
        let Decision { parts, events, command, closed, applied } = decision;
        let mut view = View::new();
        self.load(&mut view, |view| reads(command, view))?;
        let key = actor(command, &view, parts)?;
        let protocol = protocol(&view, command);
        let context = Context { index: core.index, recorded_at_us: core.recorded_at_us, protocol };
        let read = book(&view, &context, command, books)?;
        let command = by_book(command, read.as_ref());
        let decided = decide(&view, &context, &command).map_err(refused)?;
        same_events(&decided, events)?;
        let mut opened = None;
        let whole = match (command.as_ref(), &read) {
            (Command::RequestConversion(statement, assessment), Some((ready, digest))) => {
                let (view, context, book) = (&view, &context, (ready, *digest));
                let basis = Basis { view, context, book, applied: applied.as_ref(), details };
                opened = derived(&basis, &statement.body, assessment)?;
                opened.is_some()
            }
            (Command::RequestConversion(..) | Command::PublishRuleBook(..), read) => read.is_some(),
            (_, _) => true,
        };
        self.load(&mut view, |view| event_reads(&decided, view))?;
        let links = links(&view, &decided);
        ensure(links == parts.links, Rule::LinkWrong, "a sequence, a previous entry or an event differs")?;
        if let (Command::RequestConversion(statement, assessment), Some(onlooker)) =
            (command.as_ref(), onlooker)
        {
            let secrets = applied.as_ref().zip(opened.as_deref());
            onlooker.application(&Application {
                index: core.index,
                day: day(&view, &context),
                view: &view,
                request: &statement.body,
                items: &assessment.items,
                secrets: secrets
                    .map(|(applied, details)| Secrets { details, particulars: &applied.particulars }),
            });
        }
        evolve_entry(&mut view, &context, &key, &decided);
        for id in view.take_changed() {
            if let Some(row) = view.get(&id) {
                self.note(&id, row);
                self.rows.put(&id, row.clone())?;
            }
        }
        let signatures = parts.statements.iter().map(|statement| match statement {
            StatementPart::Signed(envelope) => envelope.signatures.len() as u64,
            StatementPart::Leaf { .. } => 0,
        });
        Ok(Judged {
            statements: parts.statements.len() as u64,
            signatures: signatures.fold(0, u64::saturating_add),
            closed: *closed || !whole,
        })
    }

    /// Tells readers of later entries what this one named.
    fn note(&mut self, id: &RowId, row: &Row) {
        match (id, row) {
            (RowId::Key(kid), Row::Key(row)) => self.known.add_key(*kid, row.key.key.bytes),
            (RowId::Batch(index), Row::Batch(row)) => self.known.add_manifest(*index, row),
            (_, Row::Log(row)) => {
                let keys = row.genesis.authority_keys.iter().chain(&row.genesis.operator_keys);
                keys.for_each(|key| self.known.add_key(key.kid, key.bytes));
                self.genesis = Some(row.genesis.clone());
            }
            (_, _) => {}
        }
    }
}

/// The rule book that a command publishes, or applies under; `None` where it is about none, where the log has none of
/// that name, or where no blobs are given.
fn book(
    view: &View,
    context: &Context,
    command: &Command,
    books: &mut Books<'_>,
) -> Result<Option<(Ready, Digest)>, Stop> {
    // Where the log does not follow the protocol of rule books, that it has one at all is what is wrong.
    if context.protocol < PROTOCOL_CONVERSIONS {
        return Ok(None);
    }
    let digest = match command {
        Command::PublishRuleBook(statement, _) => Some(statement.body.digest),
        Command::RequestConversion(statement, _) => {
            let BookVersion { book_id, version } = &statement.body.book;
            view.book(book_id).and_then(|row| row.version(*version)).map(|row| row.publication.digest)
        }
        Command::CreateLedger(_)
        | Command::StartServer(_)
        | Command::AdmitInstitution(_)
        | Command::PublishFramework(_)
        | Command::AddKey(_)
        | Command::RetireKey(_)
        | Command::ReportKeyCompromise(_)
        | Command::OpenAccount(..)
        | Command::ChangeAccountStatus(_)
        | Command::DepositRecord(..)
        | Command::CorrectRecord(..)
        | Command::ChangeRecordStatus(_)
        | Command::OpenBatch(_)
        | Command::SubmitChunk(_)
        | Command::CloseBatch(_)
        | Command::UpgradeProtocol(_)
        | Command::ChangeRuleBook(_)
        | Command::GiveAutoApproval(_)
        | Command::DecideConversion(_)
        | Command::StepConversion(_)
        | Command::ReverseAward(_) => None,
    };
    let Some(digest) = digest else { return Ok(None) };
    Ok(books.get(digest)?.map(|ready| (ready, digest)))
}

/// The command with what its book says, where that was read: what it says of itself, whose the target is, and whether an
/// officer decides.
fn by_book<'c>(command: &'c Command, read: Option<&(Ready, Digest)>) -> Cow<'c, Command> {
    let Some((Ready { program, check }, _)) = read else { return Cow::Borrowed(command) };
    let mut command = Cow::Borrowed(command);
    // No other command reads a book.
    if let Command::PublishRuleBook(_, stated) = command.to_mut() {
        **stated = check.clone();
    } else if let Command::RequestConversion(statement, assessment) = command.to_mut() {
        let ConversionRequest { purpose, target, .. } = &statement.body;
        assessment.owner = assess::owner(program.book(), *purpose, target);
        assessment.automatic = assess::automatic(program.book(), &assessment.items);
    }
    command
}

/// The head names who signed and under which id.
fn actor(command: &Command, view: &View, parts: &DecodedParts) -> Result<CommandKey, Stop> {
    let wrong = |detail: &str| Stop::broken(Rule::ActorWrong, detail);
    let key = command_key(command, view).ok_or_else(|| wrong("the command has no signer"))?;
    let head = &parts.head;
    if (&head.actor, head.command_id) != (&key.signer, key.command_id) {
        return Err(wrong(&format!("the statement is {} by {}", key.command_id, key.signer)));
    }
    Ok(key)
}

fn refused(rejection: Rejection) -> Stop {
    let Rejection { reason, field, index, detail } = rejection;
    let at = field.map(|field| format!("{field}: ")).unwrap_or_default();
    let of = index.map(|index| format!(" (entry {index})")).unwrap_or_default();
    let what = detail.unwrap_or_else(|| reason.en().to_owned());
    Stop::broken(Rule::RefusedByRules { reason }, format!("{at}{what}{of}"))
}

fn same_events(decided: &[Event], logged: &[Event]) -> Result<(), Stop> {
    if decided == logged {
        return Ok(());
    }
    let first = decided.iter().zip(logged).take_while(|(decided, logged)| decided == logged).count();
    let (ours, theirs) = (decided.len(), logged.len());
    let detail = format!("event {first} differs: {ours} are decided, {theirs} are recorded");
    Err(Stop::broken(Rule::DecisionDiffers, detail))
}

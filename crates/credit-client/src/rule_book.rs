//! Rule books: published in pieces, activated, abolished, applied without an officer, and read as they were signed.

use credit_log::hash::sha256;
use credit_proto::entry::StatementPart;
use credit_proto::{Signable as _, v1};
use credit_types::limits::BOOK_BLOB_BYTES_MAX;
use credit_types::{
    AutoApproval, Digest, FrameworkId, KeyPurpose, RuleBookAction, RuleBookChange, RuleBookPublication,
};
use tonic::{Response, Status};

use crate::builder::Client;
use crate::call::rule_books;
use crate::error::{BadReceipt, ClientError};
use crate::query::{Page, token};
use crate::receipt::Recorded;
use crate::registry::KeyAuthority;
use crate::signer::{AuthoritySigner, admit, seal};
use crate::view::Answers;

/// The most bytes of one piece of a rule book on the wire.
pub const BOOK_PIECE_BYTES: usize = 65_536;

/// A version of a rule book as the bank knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleBookVersion {
    /// Its publication.
    pub publication: RuleBookPublication,
    /// Index of the entry that published it.
    pub published_index: u64,
    /// When it was published, in microseconds UTC.
    pub published_at_us: i64,
    /// Index of the entry that activated it.
    pub activated_index: Option<u64>,
    /// Index of the entry that abolished it.
    pub abolished_index: Option<u64>,
    /// Leaf hash of the last entry about it, to be named as `after`.
    pub last_entry: Digest,
    /// Whether it is the version in force today.
    pub in_force: bool,
}

impl Answers {
    fn rule_book_version(self, wire: v1::RuleBookVersion) -> Result<RuleBookVersion, ClientError> {
        let v1::RuleBookVersion {
            publication,
            published_index,
            published_at_us,
            activated_index,
            abolished_index,
            last_entry,
            in_force,
        } = wire;
        let publication = self.some("publication", publication)?;
        Ok(RuleBookVersion {
            publication: self.body(publication, |wire: &mut v1::RuleBookPublication| &mut wire.header)?,
            published_index,
            published_at_us,
            activated_index,
            abolished_index,
            last_entry: self.id("last_entry", Digest::from_slice(&last_entry))?,
            in_force,
        })
    }
}

/// The messages of a publication: the statement with the first piece, then the rest.
fn pieces(envelope: v1::Envelope, canonical: &[u8]) -> Vec<v1::PublishRuleBookRequest> {
    let (mut envelope, mut want_receipt) = (Some(envelope), true);
    let message = |piece: &[u8]| v1::PublishRuleBookRequest {
        envelope: envelope.take(),
        piece: piece.to_vec(),
        want_receipt: std::mem::take(&mut want_receipt),
    };
    canonical.chunks(BOOK_PIECE_BYTES).map(message).collect()
}

/// Whether the bytes are those that a publication names.
fn is_published(publication: &RuleBookPublication, bytes: &[u8]) -> bool {
    u32::try_from(bytes.len()).is_ok_and(|size| size == publication.size_bytes)
        && Digest(sha256(bytes)) == publication.digest
}

impl Client {
    /// Publishes a version of a rule book, signed by the authority. `canonical` is the book's canonical JSON, whose hash
    /// and length the publication names.
    pub async fn publish_rule_book(
        &self,
        authority: &AuthoritySigner,
        publication: &RuleBookPublication,
        canonical: &[u8],
    ) -> Result<Recorded, ClientError> {
        if !is_published(publication, canonical) {
            let problem = "is not the hash of these bytes: hash the canonical JSON that is sent";
            return Err(ClientError::invalid("sha256", problem));
        }
        let outgoing = self.about_keys(KeyAuthority::Authority(authority), publication, &[]).await?;
        let messages = pieces((&outgoing.envelope).into(), canonical);
        let call = |channel, request: tonic::Request<Vec<v1::PublishRuleBookRequest>>| async move {
            rule_books(channel).publish_rule_book(request.map(tokio_stream::iter)).await
        };
        let v1::PublishRuleBookResponse { position } = self.call(messages, call).await?;
        Ok(self.recorded("PublishRuleBook", &outgoing, position).await?.0)
    }

    /// Activates or abolishes a version, signed by the authority; `after` is the last entry about it.
    pub async fn change_rule_book(
        &self,
        authority: &AuthoritySigner,
        version: &RuleBookVersion,
        action: RuleBookAction,
    ) -> Result<Recorded, ClientError> {
        let book = version.publication.book.clone();
        let change = RuleBookChange { after: version.last_entry, book, action };
        let outgoing = self.about_keys(KeyAuthority::Authority(authority), &change, &[]).await?;
        let envelope = Some((&outgoing.envelope).into());
        let request = v1::ChangeRuleBookRequest { envelope, want_receipt: true };
        let call = |channel, request| async move { rule_books(channel).change_rule_book(request).await };
        let v1::ChangeRuleBookResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("ChangeRuleBook", &outgoing, position).await?.0)
    }

    /// Says which rules the institution applies without an officer, signed by its DECISIONS key. The newest for a version
    /// counts.
    pub async fn give_auto_approval(&self, approval: &AutoApproval) -> Result<Recorded, ClientError> {
        let header = self.header(self.signer_id()?).await?;
        let outgoing = seal(&header, approval, &[self.signer()?.key(&[KeyPurpose::Decisions])?])?;
        let envelope = Some((&outgoing.envelope).into());
        let request = v1::GiveAutoApprovalRequest { envelope, want_receipt: true };
        let call = |channel, request| async move { rule_books(channel).give_auto_approval(request).await };
        let v1::GiveAutoApprovalResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("GiveAutoApproval", &outgoing, position).await?.0)
    }

    /// The versions of a rule book, ascending.
    pub async fn get_rule_book(&self, book_id: &FrameworkId) -> Result<Vec<RuleBookVersion>, ClientError> {
        let answers = self.answers("GetRuleBook");
        let request = v1::GetRuleBookRequest { book_id: book_id.as_str().to_owned() };
        let call = |channel, request| async move { rule_books(channel).get_rule_book(request).await };
        let v1::GetRuleBookResponse { versions } = self.call(request, call).await?;
        let versions: Vec<RuleBookVersion> = versions
            .into_iter()
            .map(|version| answers.rule_book_version(version))
            .collect::<Result<_, _>>()?;
        let of_it = |version: &RuleBookVersion| version.publication.book.book_id == *book_id;
        if versions.is_empty() || !versions.iter().all(of_it) {
            return Err(answers.wrong("it is another book"));
        }
        Ok(versions)
    }

    /// A page of the rule books by id, of each its newest version: `page_size` 0 (the bank's default, 50) to 200;
    /// `page_token` empty for the first.
    pub async fn list_rule_books(
        &self,
        page_size: u32,
        page_token: &str,
    ) -> Result<Page<RuleBookVersion>, ClientError> {
        let answers = self.answers("ListRuleBooks");
        let request = v1::ListRuleBooksRequest { page_size, page_token: page_token.to_owned() };
        let call = |channel, request| async move { rule_books(channel).list_rule_books(request).await };
        let v1::ListRuleBooksResponse { newest, next_page_token } = self.call(request, call).await?;
        let items =
            newest.into_iter().map(|version| answers.rule_book_version(version)).collect::<Result<_, _>>()?;
        Ok(Page { items, next: token(next_page_token) })
    }

    /// The canonical JSON of a version; 0: of the one in force today. The entry that published it is proved to be in the
    /// log with this very publication, and the bytes have the hash that it names.
    pub async fn read_rule_book(
        &self,
        book_id: &FrameworkId,
        version: u32,
    ) -> Result<(RuleBookVersion, Vec<u8>), ClientError> {
        let answers = self.answers("ReadRuleBook");
        let versions = self.get_rule_book(book_id).await?;
        let wanted = |known: &RuleBookVersion| match version {
            0 => known.in_force,
            number => known.publication.book.version == number,
        };
        let known = versions.into_iter().find(wanted);
        let known = known.ok_or_else(|| {
            ClientError::invalid("version", "names no version of the book, or none is in force: see its list")
        })?;
        self.prove_publication(&known).await?;
        let request = v1::ReadRuleBookRequest {
            book_id: book_id.as_str().to_owned(),
            version: known.publication.book.version,
        };
        let bytes = self.call(request, read).await?;
        if !is_published(&known.publication, &bytes) {
            return Err(answers.wrong("the bytes are not those that were published"));
        }
        Ok((known, bytes))
    }

    /// Proves that the entry which the bank names publishes a version as the bank shows it.
    pub async fn prove_publication(&self, known: &RuleBookVersion) -> Result<(), ClientError> {
        let index = known.published_index;
        let (_, verified) = self.get_receipt(index).await?;
        let published = |statement: &StatementPart| match statement {
            StatementPart::Signed(envelope) if envelope.payload_type == RuleBookPublication::TYPE => {
                RuleBookPublication::from_payload(&envelope.payload, admit).ok().map(|(_, body)| body)
            }
            StatementPart::Signed(_) | StatementPart::Leaf { .. } => None,
        };
        let published = verified.statements.values().find_map(published);
        if published.as_ref() == Some(&known.publication) {
            return Ok(());
        }
        let problem = "it publishes no such version of the book".to_owned();
        Err(BadReceipt::OtherStatement { index, problem }.into())
    }
}

/// Puts the pieces of a book together; no more than a book may have.
async fn read(
    channel: tonic::transport::Channel,
    request: tonic::Request<v1::ReadRuleBookRequest>,
) -> Result<Response<Vec<u8>>, Status> {
    let most = usize::try_from(BOOK_BLOB_BYTES_MAX).unwrap_or(usize::MAX);
    let mut stream = rule_books(channel).read_rule_book(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(v1::ReadRuleBookResponse { piece }) = stream.message().await? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > most {
            break;
        }
    }
    Ok(Response::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use credit_types::{BookDate, BookVersion};

    fn publication(bytes: &[u8]) -> RuleBookPublication {
        RuleBookPublication {
            book: BookVersion { book_id: FrameworkId::new("cn.x").unwrap(), version: 1 },
            digest: Digest(sha256(bytes)),
            size_bytes: u32::try_from(bytes.len()).unwrap(),
            effective_from: None,
            effective_until: None,
            select_by: BookDate::Decision,
        }
    }

    #[test]
    fn a_book_is_sent_in_pieces_of_which_the_first_has_the_statement() {
        let book = vec![b'1'; 2 * BOOK_PIECE_BYTES + 1];
        let sent = pieces(v1::Envelope::default(), &book);
        let lengths: Vec<usize> = sent.iter().map(|message| message.piece.len()).collect();
        assert_eq!(lengths, [BOOK_PIECE_BYTES, BOOK_PIECE_BYTES, 1]);
        let first: Vec<bool> =
            sent.iter().map(|message| message.envelope.is_some() && message.want_receipt).collect();
        assert_eq!(first, [true, false, false]);
        assert!(sent[1..].iter().all(|message| message.envelope.is_none() && !message.want_receipt));
    }

    #[test]
    fn other_bytes_than_those_published_are_no_book() {
        let published = publication(b"{}");
        assert!(is_published(&published, b"{}"));
        assert!(!is_published(&published, b"{1}"));
        assert!(!is_published(&RuleBookPublication { size_bytes: 3, ..published }, b"{}"));
    }
}

//! Bytes to text: which encoding a file is in, and decoding it piece by piece.

use super::error::{Fault, SpreadsheetError};
use encoding_rs::{DecoderResult, GB18030, UTF_8};
use std::fmt;
use std::io::{ErrorKind, Read, Seek, SeekFrom};

/// How many bytes are read at a time. The text decoded from them is at most three times as long.
const PIECE_BYTES: usize = 16_384;

/// The encoding of a spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8.
    Utf8,
    /// GB18030, and with it GBK and GB2312.
    Gb18030,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
        })
    }
}

impl Encoding {
    fn decoder(self) -> encoding_rs::Decoder {
        match self {
            Self::Utf8 => UTF_8.new_decoder_without_bom_handling(),
            Self::Gb18030 => GB18030.new_decoder_without_bom_handling(),
        }
    }
}

/// Decodes a file from its first byte.
pub(super) struct TextReader<R> {
    source: R,
    encoding: Encoding,
    /// Whether the encoding was found out rather than given.
    found: bool,
    decoder: encoding_rs::Decoder,
    piece: Vec<u8>,
    /// A fault that comes after text which is already given out.
    fault: Option<Fault>,
    begun: bool,
    ended: bool,
}

impl<R: Read + Seek> TextReader<R> {
    /// Takes the encoding as given, or looks for it: a byte-order mark, then the whole file.
    pub(super) fn open(mut source: R, given: Option<Encoding>) -> Result<Self, SpreadsheetError> {
        let begin = |fault| SpreadsheetError::at(1, 1, fault);
        let mut head = Vec::new();
        rewind(&mut source)
            .and_then(|()| source.by_ref().take(4).read_to_end(&mut head).map_err(Fault::Read))
            .map_err(begin)?;
        match head.as_slice() {
            // A ZIP archive (.xlsx) and a compound file (.xls).
            [0x50, 0x4B, 0x03, 0x04] | [0xD0, 0xCF, 0x11, 0xE0] => return Err(begin(Fault::Workbook)),
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return Err(begin(Fault::Utf16)),
            _ => {}
        }
        let marked = head.starts_with(&[0xEF, 0xBB, 0xBF]).then_some(Encoding::Utf8);
        let encoding = match given.or(marked) {
            Some(encoding) => encoding,
            None if is_utf8(&mut source).map_err(begin)? => Encoding::Utf8,
            None => Encoding::Gb18030,
        };
        rewind(&mut source).map_err(begin)?;
        Ok(Self {
            source,
            encoding,
            found: given.is_none() && marked.is_none(),
            decoder: encoding.decoder(),
            piece: Vec::new(),
            fault: None,
            begun: false,
            ended: false,
        })
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Puts the next text into the chunk, without a byte-order mark; `false` at the end of the file.
    pub(super) fn read_into(&mut self, chunk: &mut String) -> Result<bool, Fault> {
        chunk.clear();
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        while chunk.is_empty() && !self.ended {
            fill(&mut self.source, &mut self.piece)?;
            self.ended = self.piece.is_empty();
            if !decode(&mut self.decoder, &self.piece, chunk) {
                self.ended = true;
                let unknown = self.found && self.encoding == Encoding::Gb18030;
                self.fault =
                    Some(if unknown { Fault::EncodingUnknown } else { Fault::NotEncoded(self.encoding) });
            }
            if !self.begun && !chunk.is_empty() {
                self.begun = true;
                if chunk.starts_with('\u{FEFF}') {
                    chunk.remove(0);
                }
            }
        }
        match self.fault.take_if(|_| chunk.is_empty()) {
            Some(fault) => Err(fault),
            None => Ok(!chunk.is_empty()),
        }
    }
}

/// Decodes a piece, the empty one as the end of the file; whether all of it belongs to the encoding.
fn decode(decoder: &mut encoding_rs::Decoder, piece: &[u8], text: &mut String) -> bool {
    let mut rest = piece;
    loop {
        text.reserve(decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(PIECE_BYTES));
        let (result, read) = decoder.decode_to_string_without_replacement(rest, text, piece.is_empty());
        rest = rest.get(read..).unwrap_or_default();
        match result {
            DecoderResult::InputEmpty => return true,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => return false,
        }
    }
}

fn is_utf8(source: &mut (impl Read + Seek)) -> Result<bool, Fault> {
    rewind(source)?;
    let mut decoder = Encoding::Utf8.decoder();
    let mut piece = Vec::new();
    let mut text = String::new();
    loop {
        fill(source, &mut piece)?;
        text.clear();
        if !decode(&mut decoder, &piece, &mut text) {
            return Ok(false);
        }
        if piece.is_empty() {
            return Ok(true);
        }
    }
}

/// Reads the next piece, the empty one at the end of the file.
fn fill(source: &mut impl Read, piece: &mut Vec<u8>) -> Result<(), Fault> {
    piece.resize(PIECE_BYTES, 0);
    let bytes = loop {
        match source.read(piece) {
            Ok(bytes) => break bytes,
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(Fault::Read(cause)),
        }
    };
    piece.truncate(bytes);
    Ok(())
}

fn rewind(source: &mut impl Seek) -> Result<(), Fault> {
    source.seek(SeekFrom::Start(0)).map(|_| ()).map_err(Fault::Read)
}

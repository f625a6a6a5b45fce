//! Why a spreadsheet is refused, with the place and what to do.

use super::ROWS_MAX;
use super::decode::Encoding;
use super::split::{COLUMNS_MAX, FIELD_BYTES_MAX, ROW_BYTES_MAX};
use credit_types::Text;

/// A spreadsheet that can't be read to its end. Nothing of it has been taken for granted: rows given out before the
/// error were whole.
#[derive(Debug, thiserror::Error)]
#[error("could not read the spreadsheet at line {line}, column {column}")]
pub(crate) struct SpreadsheetError {
    /// The line, from 1, line breaks inside quotation marks counted.
    pub(crate) line: u64,
    /// The column, from 1.
    pub(crate) column: usize,
    /// What is wrong there.
    #[source]
    pub(crate) fault: Fault,
}

impl SpreadsheetError {
    pub(super) fn at(line: u64, column: usize, fault: Fault) -> Self {
        Self { line, column, fault }
    }
}

/// What is wrong with a spreadsheet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The bytes could not be read.
    #[error("the file could not be read")]
    Read(#[source] std::io::Error),
    /// An Excel workbook.
    #[error("this is a workbook, not text: save it as \"CSV UTF-8\"")]
    Workbook,
    /// UTF-16, as "Unicode text" is saved.
    #[error("this is UTF-16: save it as \"CSV UTF-8\"")]
    Utf16,
    /// A byte that the encoding does not have.
    #[error("a byte is not {0}: save the file as \"CSV UTF-8\", or name its encoding in the mapping")]
    NotEncoded(Encoding),
    /// Neither of the encodings that are looked for.
    #[error("the file is neither UTF-8 nor, here, GB18030: save it as \"CSV UTF-8\"")]
    EncodingUnknown,
    /// No row at all.
    #[error("there is no header: the first row names the columns")]
    NoHeader,
    /// Two columns of one name.
    #[error("the column {name:?} stands twice in the header: rename or remove one")]
    HeaderRepeated {
        /// The name.
        name: String,
    },
    /// More than [`COLUMNS_MAX`] columns.
    #[error("a row has more than {COLUMNS_MAX} columns")]
    TooManyColumns,
    /// A field of more than [`FIELD_BYTES_MAX`] bytes.
    #[error("a field is longer than {FIELD_BYTES_MAX} bytes")]
    FieldTooLong,
    /// A row of more than [`ROW_BYTES_MAX`] bytes.
    #[error("a row is longer than {ROW_BYTES_MAX} bytes")]
    RowTooLong,
    /// More than [`ROWS_MAX`] rows.
    #[error("there are more than {ROWS_MAX} rows: split the file")]
    TooManyRows,
    /// Letters between a closing quotation mark and the end of the field.
    #[error(
        "there is text after a closing quotation mark: write a quotation mark within quotation marks twice"
    )]
    TextAfterQuote,
    /// The file ends within quotation marks.
    #[error("the quotation mark at the beginning of this field is never closed")]
    QuoteOpen,
}

impl Fault {
    /// What is wrong and what to do, in both languages.
    pub(crate) fn text(&self) -> Text {
        let zh = match self {
            Self::Read(_) => "文件无法读取".to_owned(),
            Self::Workbook => "这是工作簿，不是文本：请另存为“CSV UTF-8”".to_owned(),
            Self::Utf16 => "这是 UTF-16：请另存为“CSV UTF-8”".to_owned(),
            Self::NotEncoded(encoding) => {
                format!("有字节不是 {encoding}：请另存为“CSV UTF-8”，或在映射中写明编码")
            }
            Self::EncodingUnknown => "文件既不是 UTF-8，此处也不是 GB18030：请另存为“CSV UTF-8”".to_owned(),
            Self::NoHeader => "没有表头：第一行应是列名".to_owned(),
            Self::HeaderRepeated { name } => format!("表头中列 {name:?} 出现两次：请改名或删去一列"),
            Self::TooManyColumns => format!("一行超过 {COLUMNS_MAX} 列"),
            Self::FieldTooLong => format!("一个单元格超过 {FIELD_BYTES_MAX} 字节"),
            Self::RowTooLong => format!("一行超过 {ROW_BYTES_MAX} 字节"),
            Self::TooManyRows => format!("超过 {ROWS_MAX} 行：请拆分文件"),
            Self::TextAfterQuote => "右引号之后还有文字：引号内的引号要写两次".to_owned(),
            Self::QuoteOpen => "本单元格开头的引号没有闭合".to_owned(),
        };
        Text { zh, en: self.to_string() }
    }
}

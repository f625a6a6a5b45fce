#![expect(clippy::arithmetic_side_effects, reason = "tests count with small numbers")]

use super::error::Fault;
use super::split::{COLUMNS_MAX, FIELD_BYTES_MAX, ROW_BYTES_MAX};
use super::*;
use std::io::{Cursor, SeekFrom};

fn read(bytes: &[u8], layout: Layout) -> Result<(Vec<String>, Vec<Row>), SpreadsheetError> {
    let mut sheet = Spreadsheet::open(Cursor::new(bytes), layout)?;
    let mut rows = Vec::new();
    while let Some(row) = sheet.next_row()? {
        rows.push(row);
    }
    assert!(sheet.next_row().unwrap().is_none());
    Ok((sheet.header().to_vec(), rows))
}

fn rows(text: &str) -> Vec<(u64, Vec<String>)> {
    let (_, rows) = read(text.as_bytes(), Layout::default()).unwrap();
    rows.into_iter().map(|row| (row.line, row.fields)).collect()
}

/// The place and the kind of the fault of a refused file.
#[track_caller]
fn refused(bytes: &[u8], layout: Layout) -> (u64, usize, String) {
    let error = read(bytes, layout).unwrap_err();
    let kind = format!("{:?}", error.fault);
    (error.line, error.column, kind.split(['(', ' ', '{']).next().unwrap().to_owned())
}

#[test]
fn quoted_fields_keep_delimiters_line_breaks_and_quotation_marks() {
    let text = "a,b\r\n\"x, y\",\"1\r\n2\"\r\n\r\n , \n\"say \"\"no\"\"\",5\" disk\r\rlast,";
    let expected = [(2, ["x, y", "1\r\n2"]), (6, ["say \"no\"", "5\" disk"]), (8, ["last", ""])];
    let expected: Vec<_> =
        expected.into_iter().map(|(line, fields)| (line, fields.map(str::to_owned).to_vec())).collect();
    assert_eq!(rows(text), expected);
}

#[test]
fn each_delimiter_parts_fields() {
    for (delimiter, letter) in
        [(Delimiter::Comma, ','), (Delimiter::Semicolon, ';'), (Delimiter::Tab, '\t'), (Delimiter::Bar, '|')]
    {
        let text = format!("a{letter}b\n1{letter}2\n");
        let layout = Layout { encoding: None, delimiter };
        assert_eq!(read(text.as_bytes(), layout).unwrap().0, ["a", "b"], "{delimiter:?}");
    }
}

#[test]
fn the_encoding_is_given_marked_or_found() {
    let text = "学号,姓名\n1,林晓云\n";
    let gb = encoding_rs::GB18030.encode(text).0.into_owned();
    let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
    let given = |encoding| Layout { encoding: Some(encoding), delimiter: Delimiter::Comma };
    for (bytes, layout, encoding) in [
        (text.as_bytes(), Layout::default(), Encoding::Utf8),
        (&gb, Layout::default(), Encoding::Gb18030),
        (&gb, given(Encoding::Gb18030), Encoding::Gb18030),
        (&marked, Layout::default(), Encoding::Utf8),
        (&marked, given(Encoding::Utf8), Encoding::Utf8),
    ] {
        let mut sheet = Spreadsheet::open(Cursor::new(bytes), layout).unwrap();
        assert_eq!(sheet.encoding(), encoding);
        assert_eq!(sheet.header(), ["学号", "姓名"]);
        assert_eq!(sheet.next_row().unwrap().unwrap().fields, ["1", "林晓云"]);
    }
}

#[test]
fn a_letter_cut_by_the_end_of_a_piece_is_whole() {
    for before in 16_380..16_390 {
        let text = format!("a\n{}云江\n", "x".repeat(before));
        assert_eq!(rows(&text), [(2, vec![format!("{}云江", "x".repeat(before))])]);
        let gb = encoding_rs::GB18030.encode(&text).0.into_owned();
        assert_eq!(
            read(&gb, Layout::default()).unwrap().1[0].fields[0],
            format!("{}云江", "x".repeat(before))
        );
    }
}

#[test]
fn what_is_not_of_the_encoding_is_refused_with_its_line() {
    let given = |encoding| Layout { encoding: Some(encoding), delimiter: Delimiter::Comma };
    let long = [b"a,b\n".as_slice(), "x,y\n".repeat(10_000).as_bytes(), b"x,\xFF\n"].concat();
    for (bytes, layout, expected) in [
        (b"a,b\n1,2\n3,\xC3(\n".as_slice(), given(Encoding::Utf8), (3, 2, "NotEncoded")),
        (b"\xEF\xBB\xBFa,b\n\xFF".as_slice(), Layout::default(), (2, 1, "NotEncoded")),
        (b"a,b\n1,\xE4\xBA".as_slice(), given(Encoding::Utf8), (2, 2, "NotEncoded")),
        (long.as_slice(), Layout::default(), (10_002, 2, "EncodingUnknown")),
        (long.as_slice(), given(Encoding::Gb18030), (10_002, 2, "NotEncoded")),
        (b"PK\x03\x04....".as_slice(), Layout::default(), (1, 1, "Workbook")),
        (b"\xD0\xCF\x11\xE0....".as_slice(), Layout::default(), (1, 1, "Workbook")),
        (b"\xFF\xFEa\0".as_slice(), Layout::default(), (1, 1, "Utf16")),
        (b"".as_slice(), Layout::default(), (1, 1, "NoHeader")),
        (b"\xEF\xBB\xBF\n\n".as_slice(), Layout::default(), (1, 1, "NoHeader")),
        (b"a, b,a \n".as_slice(), Layout::default(), (1, 3, "HeaderRepeated")),
        (b"a,b\n1,\"2\n3,4\n".as_slice(), Layout::default(), (2, 2, "QuoteOpen")),
        (b"a,b\n1,2\n\"3\"x,4\n".as_slice(), Layout::default(), (3, 1, "TextAfterQuote")),
    ] {
        let (line, column, kind) = refused(bytes, layout);
        assert_eq!((line, column, kind.as_str()), expected);
    }
}

#[test]
fn columns_fields_rows_and_lengths_end_at_their_limits() {
    let columns = |count: usize| format!("{}\n", vec!["1"; count].join(","));
    let header = (0..COLUMNS_MAX).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(rows(&format!("{header}\n{}", columns(COLUMNS_MAX)))[0].1.len(), COLUMNS_MAX);
    let wide = format!("{header}\n{}", columns(COLUMNS_MAX + 1));
    assert_eq!(refused(wide.as_bytes(), Layout::default()), (2, 1_025, "TooManyColumns".to_owned()));

    let field = |bytes: usize| format!("a,b\n1,{}\n", "x".repeat(bytes));
    assert_eq!(rows(&field(FIELD_BYTES_MAX))[0].1[1].len(), FIELD_BYTES_MAX);
    let long = field(FIELD_BYTES_MAX + 1);
    assert_eq!(refused(long.as_bytes(), Layout::default()), (2, 2, "FieldTooLong".to_owned()));

    // Fifteen fields of the longest, and one that fills the row up to its limit, line break included.
    let full = format!("{},", "x".repeat(FIELD_BYTES_MAX)).repeat(15);
    let row = |bytes: usize| format!("a\n{full}{}\n", "y".repeat(bytes - full.len() - 1));
    assert_eq!(rows(&row(ROW_BYTES_MAX)).len(), 1);
    let long = row(ROW_BYTES_MAX + 1);
    assert_eq!(refused(long.as_bytes(), Layout::default()), (2, 16, "RowTooLong".to_owned()));

    let most = usize::try_from(ROWS_MAX).unwrap();
    let many = format!("a\n{}", "1\n".repeat(most));
    assert_eq!(rows(&many).len(), most);
    let more = format!("{many}1\n");
    assert_eq!(refused(more.as_bytes(), Layout::default()), (ROWS_MAX + 2, 1, "TooManyRows".to_owned()));
}

/// An endless line of commas, or of quoted text.
struct Endless {
    first: u8,
    rest: u8,
    given: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(self.rest);
        if self.given == 0 {
            buffer[0] = self.first;
        }
        self.given += buffer.len() as u64;
        Ok(buffer.len())
    }
}

impl Seek for Endless {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        self.given = 0;
        Ok(0)
    }
}

#[test]
fn an_endless_row_is_refused_after_its_limit() {
    for (first, rest, kind, bytes_max) in [
        (b',', b',', "TooManyColumns", 32_768),
        (b'"', b'x', "FieldTooLong", 131_072),
        (b'x', b'x', "FieldTooLong", 131_072),
    ] {
        let layout = Layout { encoding: Some(Encoding::Utf8), delimiter: Delimiter::Comma };
        let mut endless = Endless { first, rest, given: 0 };
        let error = Spreadsheet::open(&mut endless, layout).err().unwrap();
        assert!(format!("{:?}", error.fault).starts_with(kind), "{error:?}");
        assert!(endless.given <= bytes_max, "{} bytes were read", endless.given);
    }
}

/// A file that can't be read is not an empty file.
#[test]
fn a_file_that_breaks_off_is_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    impl Seek for Broken {
        fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
            Ok(0)
        }
    }
    let error = Spreadsheet::open(Broken, Layout::default()).err().unwrap();
    assert!(matches!(error.fault, Fault::Read(_)));
}

/// What another program's writer and reader make of rows is what ours makes of them.
#[test]
fn rows_agree_with_another_csv_library() {
    let seed = 41_u64;
    println!("seed {seed}");
    let mut state = seed;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for _ in 0..500 {
        let columns = 2 + draw(5);
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        let mut expected = Vec::new();
        for row in 0..=draw(6) {
            let alphabet = ['a', ',', '"', '\n', '\r', ' ', '云', ';'];
            let fields: Vec<String> = (0..columns)
                .map(|column| {
                    let length = draw(6);
                    let text: String =
                        (0..length).map(|_| alphabet[usize::try_from(draw(8)).unwrap()]).collect();
                    // A header is trimmed and its names differ; a row is never all blank.
                    if row == 0 || column == 0 { format!("{row}/{column}") } else { text }
                })
                .collect();
            writer.write_record(&fields).unwrap();
            expected.push(fields);
        }
        let bytes = writer.into_inner().unwrap();
        let (header, rows) = read(&bytes, Layout::default()).unwrap();
        let mut ours = vec![header];
        ours.extend(rows.into_iter().map(|row| row.fields));
        assert_eq!(ours, expected);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        let theirs: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(ours, theirs);
    }
}

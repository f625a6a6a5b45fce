//! The container of a record bundle: what reads back, what is refused, and that nothing breaks the parser.

use credit_log::container::{
    BUNDLE_BYTES_MAX, BUNDLE_FILES_MAX, BUNDLE_NAME_BYTES_MAX, Error, File, format, parse,
};

const HEADER: &str = "creditbank-bundle/v1\n";

fn file<'b>(name: &'b str, bytes: &'b [u8]) -> File<'b> {
    File { name, bytes }
}

#[test]
fn files_read_back_as_they_were_put_in() {
    let files = [file("batch", b"\n"), file("keys/00000001", b"a 1\nb"), file("receipt", &[0, 255, 10])];
    let bytes = format(&files).unwrap();
    assert_eq!(bytes, b"creditbank-bundle/v1\nbatch 1\n\nkeys/00000001 5\na 1\nbreceipt 3\n\x00\xff\n");
    assert_eq!(parse(&bytes).unwrap(), files);
}

#[test]
fn every_other_form_is_refused_by_name() {
    let parse = |text: &str| parse(format!("{HEADER}{text}").as_bytes()).map(|files| files.len());
    assert_eq!(parse("a 1\nx"), Ok(1));
    for (text, error) in [
        ("", Error::Count),
        (" 1\nx", Error::Name { at: 21 }),
        ("A 1\nx", Error::Name { at: 21 }),
        ("a\t1\nx", Error::Name { at: 21 }),
        ("a", Error::Name { at: 21 }),
        ("a  1\nx", Error::Length { at: 23 }),
        ("a 0\n", Error::Length { at: 23 }),
        ("a 01\nx", Error::Length { at: 23 }),
        ("a +1\nx", Error::Length { at: 23 }),
        ("a 1\r\nx", Error::Length { at: 23 }),
        ("a 1", Error::Length { at: 23 }),
        ("a 00000000001\nx", Error::Length { at: 23 }),
        ("a 2\nx", Error::Cut { at: 25 }),
        ("a 9999999\nx", Error::Cut { at: 31 }),
        ("a 1\nx\n", Error::Name { at: 26 }),
        ("a 1\nxa 1\nx", Error::Order { at: 26 }),
        ("b 1\nxa 1\nx", Error::Order { at: 26 }),
    ] {
        assert_eq!(parse(text), Err(error), "{text:?}");
    }
    for text in ["", "creditbank-bundle/v1", "creditbank-bundle/v2\na 1\nx", "\ncreditbank-bundle/v1\na 1\nx"]
    {
        assert_eq!(credit_log::container::parse(text.as_bytes()), Err(Error::Header), "{text:?}");
    }
}

#[test]
fn names_files_and_bytes_are_bounded() {
    let name = |length: usize| "n".repeat(length);
    assert!(format(&[file(&name(BUNDLE_NAME_BYTES_MAX), b"x")]).is_ok());
    let long = format(&[file(&name(BUNDLE_NAME_BYTES_MAX + 1), b"x")]);
    assert_eq!(long, Err(Error::Name { at: HEADER.len() }));
    let names: Vec<String> = (0..=BUNDLE_FILES_MAX).map(|number| format!("{number:08}")).collect();
    let files: Vec<File<'_>> = names.iter().map(|name| file(name, b"x")).collect();
    assert!(format(&files[1..]).is_ok());
    assert_eq!(format(&files), Err(Error::Count));
    let most = BUNDLE_BYTES_MAX - HEADER.len() - "a 3145728\n".len();
    assert!(format(&[file("a", &vec![7; most])]).is_ok());
    assert_eq!(format(&[file("a", &vec![7; most + 1])]), Err(Error::TooLong));
}

/// A generator whose numbers are the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Whatever the bytes, the parser ends; and what it takes has no other form.
#[test]
fn bent_containers_are_refused_or_are_their_own_form() {
    let corpus: [&[u8]; 4] = [
        b"creditbank-bundle/v1\na 1\nxb 2\nyz",
        b"creditbank-bundle/v1\nkeys/00000001 5\na 1\nbmanifest 3\n\x00\xff\nstatus 1\n0",
        b"creditbank-bundle/v1\na 10\n0123456789",
        b"creditbank-bundle/v1\n",
    ];
    let mut random = Random(7);
    let mut taken = 0;
    for round in 0..40_000 {
        let mut bytes = corpus[round % corpus.len()].to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() + 1);
            let pool = b" \n0123456789abk/-.\xff\x00";
            match random.below(4) {
                0 => bytes.insert(at, pool[random.below(pool.len())]),
                1 => drop((at < bytes.len()).then(|| bytes.remove(at))),
                2 => bytes.truncate(at.max(1)),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << random.below(8);
                    }
                }
            }
        }
        if let Ok(files) = parse(&bytes) {
            taken += 1;
            assert_eq!(format(&files).unwrap(), bytes);
        }
    }
    assert!(taken > 100, "only {taken} were taken: the corpus tries nothing");
}

use super::*;
use crate::language::Language;
use std::os::unix::fs::PermissionsExt as _;

fn none() -> Passphrases {
    Passphrases::new(Language::En, Vec::new(), None)
}

fn given(text: &str) -> Passphrases {
    Passphrases::new(Language::En, Vec::new(), Some(Zeroizing::new(text.to_owned())))
}

fn sealed(path: &Path, algorithm: Algorithm, passphrase: &str) -> KeyFile {
    let passphrase = Passphrase::new(passphrase).unwrap();
    KeyFile::create(path, algorithm, &Zeroizing::new([7; 32]), Some(&passphrase), Cost::LEAST).unwrap()
}

fn said(error: CommandError) -> String {
    error.text.en
}

#[test]
fn a_plain_key_is_readable_by_its_owner_alone_and_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/records.key");
    let written = KeyFile::generate(&path, Algorithm::Ed25519, None).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    let read = KeyFile::read(&path).unwrap();
    assert_eq!((read.holds(), read.algorithm()), (Holds::Plain, Algorithm::Ed25519));
    assert_eq!(read.public(), written.public());
    assert_eq!(read.signing(&mut none()).unwrap().public(), *written.public().unwrap());
}

#[test]
fn a_key_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.key");
    KeyFile::generate(&path, Algorithm::Root, None).unwrap();
    let before = fs::read(&path).unwrap();
    let refused = KeyFile::generate(&path, Algorithm::Root, None).err().unwrap();
    assert_eq!(refused.exit, Exit::Usage);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_bare_name_lies_in_the_present_folder() {
    for (path, folder) in [("a.key", "."), ("deep/a.key", "deep"), ("/a.key", "/")] {
        assert_eq!(folder_of(Path::new(path)), Path::new(folder));
    }
}

#[test]
fn a_plain_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.key");
    KeyFile::generate(&path, Algorithm::Ed25519, None).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(said(KeyFile::read(&path).err().unwrap()).contains("chmod 600"));
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_only() {
    let folder = tempfile::tempdir().unwrap();
    for (name, algorithm) in [("e", Algorithm::Ed25519), ("r", Algorithm::Root), ("w", Algorithm::Rows)] {
        let path = folder.path().join(name);
        sealed(&path, algorithm, "right horse");
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("seed") && !text.contains(&STANDARD.encode([7; 32])));
        let file = KeyFile::read(&path).unwrap();
        assert_eq!(file.holds(), Holds::Encrypted);
        assert_eq!(*file.open(algorithm, &mut given("right horse\n")).unwrap(), [7; 32]);
        let refused = file.open(algorithm, &mut given("wrong horse")).err().unwrap();
        assert_eq!((refused.exit, refused.cause.is_none()), (Exit::Usage, true));
    }
}

#[test]
fn a_changed_file_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.key");
    sealed(&path, Algorithm::Root, "p");
    let text = fs::read_to_string(&path).unwrap();
    let mut opened = 0;
    let changes: [(&str, &str); 5] = [
        ("algorithm = \"root\"", "algorithm = \"rows\""),
        ("log_n = 4", "log_n = 5"),
        ("log_n = 4", "log_n = 21"),
        ("r = 8", "r = 9"),
        ("version = 1", "version = 2"),
    ];
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        let other = folder.path().join("b.key");
        fs::write(&other, text.replace(from, to)).unwrap();
        let file = KeyFile::read(&other);
        let outcome = file.and_then(|file| file.open(file.algorithm(), &mut given("p")));
        opened += i32::from(outcome.is_ok());
    }
    // One letter of the box.
    let at = text.find("box = \"").unwrap() + 9;
    let mut bent = text.clone().into_bytes();
    bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
    let other = folder.path().join("c.key");
    fs::write(&other, bent).unwrap();
    opened += i32::from(KeyFile::read(&other).unwrap().open(Algorithm::Root, &mut given("p")).is_ok());
    assert_eq!(opened, 0);
}

#[test]
fn the_two_halves_of_a_key_must_fit() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("1.key"), folder.path().join("2.key"));
    let other = KeyFile::generate(&first, Algorithm::Ed25519, None).unwrap();
    KeyFile::generate(&second, Algorithm::Ed25519, None).unwrap();
    let line = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let (one, two) = (fs::read_to_string(&first).unwrap(), fs::read_to_string(&second).unwrap());
    // The public half of one with the secret of the other.
    let crossed = one.replace(&line(&one, "seed"), &line(&two, "seed"));
    fs::write(&first, &crossed).unwrap();
    let file = KeyFile::read(&first).unwrap();
    assert_eq!(file.public(), other.public());
    assert_eq!(file.signing(&mut none()).err().unwrap().exit, Exit::Usage);
    // A kid that is not the key's is noticed at once.
    fs::write(&first, one.replace(&line(&one, "kid"), &line(&two, "kid"))).unwrap();
    assert!(KeyFile::read(&first).is_err());
}

#[test]
fn the_public_half_has_no_secret_and_can_be_read_by_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.key");
    let file = KeyFile::generate(&path, Algorithm::Ed25519, None).unwrap();
    let public = folder.path().join("a.pub");
    fs::write(&public, file.public_text().unwrap()).unwrap();
    fs::set_permissions(&public, fs::Permissions::from_mode(0o644)).unwrap();
    let read = KeyFile::read(&public).unwrap();
    assert_eq!((read.holds(), read.public()), (Holds::PublicOnly, file.public()));
    assert!(read.signing(&mut none()).is_err());
    let root = KeyFile::generate(&folder.path().join("r.key"), Algorithm::Root, None).unwrap();
    assert!(root.public_text().is_err());
}

#[test]
fn files_and_passphrases_have_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.key");
    KeyFile::generate(&path, Algorithm::Root, None).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let most = usize::try_from(KEY_FILE_BYTES_MAX).unwrap();
    let padded = |bytes: usize| format!("{text}#{}", "x".repeat(bytes - text.len() - 1));
    fs::write(&path, padded(most)).unwrap();
    assert!(KeyFile::read(&path).is_ok());
    fs::write(&path, padded(most + 1)).unwrap();
    assert!(KeyFile::read(&path).is_err());
    let longest = passphrase::PASSPHRASE_BYTES_MAX;
    for (bytes, ok) in [(0, false), (1, true), (longest, true), (longest + 1, false)] {
        assert_eq!(Passphrase::new(&"p".repeat(bytes)).is_ok(), ok, "{bytes}");
    }
    let file = folder.path().join("passphrase");
    for (bytes, ok) in [(longest, true), (longest + 1, false)] {
        fs::write(&file, format!("{}\r\n", "p".repeat(bytes))).unwrap();
        let mut from_file = Passphrases::new(Language::En, vec![file.clone()], None);
        assert_eq!(from_file.given().is_ok(), ok, "{bytes}");
    }
    assert!(none().given().unwrap().is_none());
}

/// Writes passphrases to files and answers questions about key files with `said`, in their order.
fn of_files(folder: &Path, passphrases: &[&str]) -> Passphrases {
    let files = passphrases.iter().enumerate().map(|(number, passphrase)| {
        let file = folder.join(format!("{number}.pass"));
        fs::write(&file, passphrase).unwrap();
        file
    });
    Passphrases::new(Language::En, files.collect(), None)
}

fn of_person(answers: &[&str]) -> (Passphrases, std::rc::Rc<std::cell::RefCell<Vec<String>>>) {
    let asked = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let questions = std::rc::Rc::clone(&asked);
    let mut answers: std::collections::VecDeque<String> =
        answers.iter().map(|answer| (*answer).to_owned()).collect();
    let passphrases = none().asking(move |question| {
        questions.borrow_mut().push(question.to_owned());
        answers.pop_front().ok_or_else(|| std::io::Error::other("nobody answers"))
    });
    (passphrases, asked)
}

#[test]
fn each_key_file_may_have_a_passphrase_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let keys = ["甲", "乙", "丙"].map(|holder| sealed(&path(holder), Algorithm::Ed25519, holder));
    let mut files = of_files(folder.path(), &["乙", "甲\n"]);
    assert!(keys[0].signing(&mut files).is_ok() && keys[1].signing(&mut files).is_ok());
    let refused = said(keys[2].signing(&mut files).unwrap_err());
    assert!(refused.contains("丙") && refused.contains("--passphrase-file"), "{refused}");
    // New keys are under the first of them.
    let fresh = KeyFile::create(
        &path("new"),
        Algorithm::Ed25519,
        &Zeroizing::new([9; 32]),
        files.given().unwrap(),
        Cost::LEAST,
    );
    assert!(fresh.unwrap().signing(&mut given("乙")).is_ok());
    // Files go before the environment.
    let environment = Some(Zeroizing::new("丙".to_owned()));
    let mut both = Passphrases::new(Language::En, vec![path("0.pass")], environment);
    assert!(keys[1].signing(&mut both).is_ok() && keys[2].signing(&mut both).is_err());
}

#[test]
fn a_person_is_asked_for_each_key_whose_passphrase_is_not_known_yet() {
    let folder = tempfile::tempdir().unwrap();
    let key =
        |name: &str, passphrase: &str| sealed(&folder.path().join(name), Algorithm::Ed25519, passphrase);
    let (one, same, other) = (key("one", "甲"), key("same", "甲"), key("other", "乙"));
    let (mut person, asked) = of_person(&["甲", "wrong", "乙"]);
    for file in [&one, &same, &other, &one] {
        file.signing(&mut person).unwrap();
    }
    let asked = asked.borrow();
    let about: Vec<bool> = asked.iter().map(|question| question.contains("one")).collect();
    assert_eq!(about, [true, false, false], "{asked:?}");
    let (mut forgetful, asked) = of_person(&["a", "b", "c", "甲"]);
    assert!(one.signing(&mut forgetful).is_err());
    assert_eq!(asked.borrow().len(), passphrase::TRIES_MAX);
}

#[test]
fn the_passphrase_of_new_keys_is_chosen_once_and_not_one_that_opened_others() {
    let folder = tempfile::tempdir().unwrap();
    let old = sealed(&folder.path().join("old"), Algorithm::Ed25519, "甲");
    let (mut person, asked) = of_person(&["甲", "乙", "乙"]);
    old.signing(&mut person).unwrap();
    for name in ["a", "b"] {
        assert_eq!(person.for_new(name).unwrap().as_bytes(), "乙".as_bytes());
    }
    assert_eq!(asked.borrow().len(), 3);
    let (mut unequal, _) = of_person(&["甲", "乙"]);
    assert_eq!(unequal.for_new("a").map(|_| ()).map_err(said).unwrap_err(), "the two passphrases differ");
}

#[test]
fn passphrase_files_have_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    for (count, ok) in
        [(passphrase::PASSPHRASE_FILES_MAX, true), (passphrase::PASSPHRASE_FILES_MAX + 1, false)]
    {
        assert_eq!(of_files(folder.path(), &vec!["p"; count]).given().is_ok(), ok, "{count}");
    }
}

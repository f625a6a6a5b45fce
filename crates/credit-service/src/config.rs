//! The configuration of a server: flags over environment over file over defaults. Unknown keys are errors.

use crate::hex::unhex;
use crate::ledger::OpenOptions;
use crate::writer::GROUP_ENTRIES_MAX;
use credit_log::envelope::PublicKey;
use credit_log::policy::Policy;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What every environment variable of the product begins with.
pub const ENV_PREFIX: &str = "CREDITBANK_";

/// Variables with the prefix that are not keys of the configuration: where the file is, and what tests must not skip.
pub const ENV_OTHERS: [&str; 2] = ["CREDITBANK_CONFIG", "CREDITBANK_REQUIRE"];

/// The fewest and most bytes of the store's cache.
pub const CACHE_BYTES: (u64, u64) = (8 << 20, 64 << 30);
/// Least and most of `rows_bytes`.
pub const ROWS_BYTES: (u64, u64) = (64 << 10, 4 << 30);
/// The fewest and most bytes kept free on the disk.
pub const RESERVE_BYTES: (u64, u64) = (0, 1 << 40);
/// The fewest and most commands that wait for the writer.
pub const QUEUE: (u64, u64) = (1, 65_536);
/// The fewest and most entries of one group commit.
pub const GROUP_ENTRIES: (u64, u64) = (1, GROUP_ENTRIES_MAX as u64);
/// The shortest and longest deadline of a call, in milliseconds.
pub const DEADLINE_MS: (u64, u64) = (100, 600_000);
/// The most bytes of the issuer's name.
pub const ISSUER_NAME_BYTES_MAX: usize = 128;

/// Who signs access tokens of learners, auditors and registrars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The `iss` claim of its tokens, 1 to [`ISSUER_NAME_BYTES_MAX`] bytes.
    pub name: String,
    /// Its Ed25519 public key: 64 hexadecimal digits.
    pub public_key: String,
}

impl IssuerConfig {
    /// The 32 bytes of the key, if it is one that may be used.
    pub fn key(&self) -> Option<[u8; 32]> {
        let bytes = <[u8; 32]>::try_from(unhex(&self.public_key)?).ok()?;
        PublicKey::admit(&bytes).is_ok().then_some(bytes)
    }
}

/// Everything that can be set. Times are in milliseconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of the running ledger.
    pub data_dir: PathBuf,
    /// Where gRPC is served; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where metrics are served; absent: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// Where the public log is served, to everybody; an empty text: nowhere. Where nothing is said, of a trial ledger at
    /// the port after `listen`, else nowhere.
    #[serde(with = "address_or_nothing")]
    pub log_listen: Option<SocketAddr>,
    /// The store's cache, within [`CACHE_BYTES`].
    pub cache_bytes: u64,
    /// The changed rows that gather in memory before they settle on the disk, within [`ROWS_BYTES`]; up to about twice
    /// as many are held.
    pub rows_bytes: u64,
    /// What stays free on the disk: writes stop below it. Within [`RESERVE_BYTES`].
    pub reserve_bytes: u64,
    /// The most commands that wait for the writer, within [`QUEUE`]; one more is refused at once.
    pub queue_max: u64,
    /// The most entries of one group commit, within [`GROUP_ENTRIES`].
    pub group_entries_max: u64,
    /// The longest a single call may take, within [`DEADLINE_MS`].
    pub unary_deadline_ms: u64,
    /// The longest a chunk of a batch may take, within [`DEADLINE_MS`].
    pub batch_deadline_ms: u64,
    /// Whether the ledger is for trial.
    pub dev: bool,
    /// Whether server reflection is served; where nothing is said, as `dev`.
    pub reflection: bool,
    /// The file of the witness policy (C2SP tlog-policy); absent: heads are not cosigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness_policy: Option<PathBuf>,
    /// Who signs access tokens of learners, auditors and registrars; absent: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<IssuerConfig>,
}

impl Default for Config {
    fn default() -> Self {
        let ledger = OpenOptions::default();
        Self {
            data_dir: PathBuf::from("ledger-data/local"),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_051)),
            metrics_listen: None,
            log_listen: None,
            cache_bytes: ledger.cache_bytes,
            rows_bytes: ledger.rows_bytes,
            reserve_bytes: ledger.reserve_bytes,
            queue_max: ledger.queue_max as u64,
            group_entries_max: ledger.group_entries_max as u64,
            unary_deadline_ms: 10_000,
            batch_deadline_ms: 60_000,
            dev: false,
            reflection: false,
            witness_policy: None,
            issuer: None,
        }
    }
}

/// The configuration can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is not TOML.
    #[error("the configuration file is not TOML: {0}")]
    Syntax(String),
    /// A key has no meaning or a value of another type; the text names it.
    #[error("the configuration does not fit: {0}")]
    Shape(String),
    /// A variable or flag names no key.
    #[error("`{0}` is not a key of the configuration")]
    UnknownKey(String),
    /// A value could not be read.
    #[error("`{key}` must be {expected}, is `{value}`")]
    Value {
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        value: String,
    },
    /// A number lies outside its bounds.
    #[error("`{key}` must be {min} to {max}, is {value}")]
    Bounds {
        /// The key.
        key: &'static str,
        /// The least value.
        min: u64,
        /// The greatest value.
        max: u64,
        /// What was given.
        value: u64,
    },
}

/// How the text of a variable or flag becomes a value.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Number,
    Flag,
}

/// Every key, as a variable or flag names it, with the table it stands in.
const KEYS: [(&str, Form); 16] = [
    ("data_dir", Form::Text),
    ("listen", Form::Text),
    ("metrics_listen", Form::Text),
    ("log_listen", Form::Text),
    ("cache_bytes", Form::Number),
    ("rows_bytes", Form::Number),
    ("reserve_bytes", Form::Number),
    ("queue_max", Form::Number),
    ("group_entries_max", Form::Number),
    ("unary_deadline_ms", Form::Number),
    ("batch_deadline_ms", Form::Number),
    ("dev", Form::Flag),
    ("reflection", Form::Flag),
    ("witness_policy", Form::Text),
    ("issuer_name", Form::Text),
    ("issuer_public_key", Form::Text),
];

/// A value that does not fit; the parser names its key on a line of its own.
fn shape(error: &toml::de::Error) -> ConfigError {
    ConfigError::Shape(error.to_string().trim_end().replace('\n', " "))
}

/// Sets one key from its text.
fn set(table: &mut toml::Table, key: &str, text: &str) -> Result<(), ConfigError> {
    let Some((_, form)) = KEYS.iter().find(|(name, _)| *name == key) else {
        return Err(ConfigError::UnknownKey(key.to_owned()));
    };
    let wrong = |expected| ConfigError::Value { key: key.to_owned(), expected, value: text.to_owned() };
    let value = match form {
        Form::Text => toml::Value::String(text.to_owned()),
        Form::Number => toml::Value::Integer(text.parse().map_err(|_| wrong("a whole number"))?),
        Form::Flag => toml::Value::Boolean(text.parse().map_err(|_| wrong("`true` or `false`"))?),
    };
    let Some(inner) = key.strip_prefix("issuer_") else {
        table.insert(key.to_owned(), value);
        return Ok(());
    };
    let issuer = table.entry("issuer").or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let issuer =
        issuer.as_table_mut().ok_or_else(|| ConfigError::Shape("`issuer` must be a table".to_owned()))?;
    issuer.insert(inner.to_owned(), value);
    Ok(())
}

/// The port after an address; port 0 takes a free one here too.
fn beside(listen: SocketAddr) -> SocketAddr {
    let port = if listen.port() == 0 { 0 } else { listen.port().checked_add(1).unwrap_or(0) };
    SocketAddr::new(listen.ip(), port)
}

/// An address, or the empty text for none.
mod address_or_nothing {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use std::net::SocketAddr;

    #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
    pub(super) fn serialize<S: Serializer>(address: &Option<SocketAddr>, to: S) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => to.collect_str(address),
            None => to.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(from)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(D::Error::custom)
    }
}

fn within(key: &'static str, value: u64, (min, max): (u64, u64)) -> Result<(), ConfigError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(ConfigError::Bounds { key, min, max, value }) }
}

impl Config {
    /// Reads the configuration: `overrides` (flags, by key) over the environment over the file's text over defaults.
    ///
    /// Of the environment only variables that begin with [`ENV_PREFIX`] are looked at; `CREDITBANK_ISSUER_NAME` sets
    /// `issuer.name`. A key that does not exist is an error that names it.
    pub fn load(
        file: Option<&str>,
        env: impl Iterator<Item = (String, String)>,
        overrides: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table = match file {
            Some(text) => toml::from_str(text).map_err(|e| ConfigError::Syntax(e.to_string()))?,
            None => toml::Table::new(),
        };
        for (name, value) in env {
            if ENV_OTHERS.contains(&name.as_str()) {
                continue;
            }
            if let Some(key) = name.strip_prefix(ENV_PREFIX) {
                set(&mut table, &key.to_ascii_lowercase(), &value).map_err(|error| match error {
                    ConfigError::UnknownKey(_) => ConfigError::UnknownKey(name.clone()),
                    other @ (ConfigError::Syntax(_)
                    | ConfigError::Shape(_)
                    | ConfigError::Value { .. }
                    | ConfigError::Bounds { .. }) => other,
                })?;
            }
        }
        for (key, value) in overrides {
            set(&mut table, &key, &value)?;
        }
        let dev = table.get("dev").and_then(toml::Value::as_bool).unwrap_or(false);
        if dev && !table.contains_key("log_listen") {
            let listen = table.get("listen").and_then(toml::Value::as_str).and_then(|text| text.parse().ok());
            let beside = beside(listen.unwrap_or(Self::default().listen));
            table.insert("log_listen".to_owned(), toml::Value::String(beside.to_string()));
        }
        if !table.contains_key("reflection") {
            table.insert("reflection".to_owned(), toml::Value::Boolean(dev));
        }
        let config: Self = table.try_into().map_err(|error: toml::de::Error| shape(&error))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        within("cache_bytes", self.cache_bytes, CACHE_BYTES)?;
        within("rows_bytes", self.rows_bytes, ROWS_BYTES)?;
        within("reserve_bytes", self.reserve_bytes, RESERVE_BYTES)?;
        within("queue_max", self.queue_max, QUEUE)?;
        within("group_entries_max", self.group_entries_max, GROUP_ENTRIES)?;
        within("unary_deadline_ms", self.unary_deadline_ms, DEADLINE_MS)?;
        within("batch_deadline_ms", self.batch_deadline_ms, DEADLINE_MS)?;
        if let Some(issuer) = &self.issuer {
            let wrong = |key: &str, expected, value: &str| {
                Err(ConfigError::Value { key: key.to_owned(), expected, value: value.to_owned() })
            };
            if issuer.name.is_empty() || issuer.name.len() > ISSUER_NAME_BYTES_MAX {
                return wrong("issuer.name", "1 to 128 bytes", &issuer.name);
            }
            if issuer.key().is_none() {
                let expected = "64 hexadecimal digits of an Ed25519 public key";
                return wrong("issuer.public_key", expected, &issuer.public_key);
            }
        }
        Ok(())
    }

    /// What holds, as TOML that [`Config::load`] reads back to the same.
    pub fn effective(&self) -> String {
        // Every field has a form in TOML: numbers are bounded far below i64::MAX, paths came from text.
        toml::to_string(self).unwrap_or_else(|error| {
            let mut text = String::new();
            let _ = writeln!(text, "# {error}");
            text
        })
    }

    /// How the ledger is opened under this configuration; whether to accept a clock far ahead is said for one start
    /// only, by hand. The witness policy is read from its file by who calls.
    pub fn open_options(&self, accept_clock: bool, witness_policy: Option<Policy>) -> OpenOptions {
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        OpenOptions {
            cache_bytes: self.cache_bytes,
            rows_bytes: self.rows_bytes,
            reserve_bytes: self.reserve_bytes,
            queue_max: count(self.queue_max),
            group_entries_max: count(self.group_entries_max),
            accept_clock,
            witness_policy,
        }
    }

    /// The cap on a single call.
    pub fn unary_deadline(&self) -> Duration {
        Duration::from_millis(self.unary_deadline_ms)
    }

    /// The cap on a chunk of a batch.
    pub fn batch_deadline(&self) -> Duration {
        Duration::from_millis(self.batch_deadline_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::hex;
    use credit_log::envelope::SigningKey;

    fn load(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        Config::load(Some(file), owned(env).into_iter(), owned(flags))
    }

    #[test]
    fn a_flag_goes_before_the_environment_before_the_file_before_the_default() {
        let file = "queue_max = 10\ngroup_entries_max = 11\nunary_deadline_ms = 1200\n";
        let env =
            [("CREDITBANK_GROUP_ENTRIES_MAX", "21"), ("CREDITBANK_UNARY_DEADLINE_MS", "2200"), ("PATH", "x")];
        let config = load(file, &env, &[("unary_deadline_ms", "3200")]).unwrap();
        let got =
            (config.queue_max, config.group_entries_max, config.unary_deadline_ms, config.batch_deadline_ms);
        assert_eq!(got, (10, 21, 3_200, 60_000));
    }

    #[test]
    fn a_key_that_does_not_exist_is_named() {
        let message = load("quue_max = 1", &[], &[]).unwrap_err().to_string();
        assert!(message.contains("quue_max"), "{message}");
        let message = load("[issuer]\nname='x'\nkey='y'", &[], &[]).unwrap_err().to_string();
        assert!(message.contains("key"), "{message}");
        let unknown = |name: &str| Err(ConfigError::UnknownKey(name.to_owned()));
        assert_eq!(load("", &[("CREDITBANK_QUUE", "1")], &[]), unknown("CREDITBANK_QUUE"));
        assert_eq!(load("", &[], &[("quue", "1")]), unknown("quue"));
        assert!(load("", &[("CREDITBANK_REQUIRE", "python"), ("CREDITBANK_CONFIG", "x")], &[]).is_ok());
    }

    #[test]
    fn a_value_of_another_form_is_refused() {
        assert!(matches!(load("", &[("CREDITBANK_QUEUE_MAX", "many")], &[]), Err(ConfigError::Value { .. })));
        assert!(matches!(load("", &[("CREDITBANK_DEV", "1")], &[]), Err(ConfigError::Value { .. })));
        assert!(matches!(load("queue_max = -1", &[], &[]), Err(ConfigError::Shape(_))));
        assert!(matches!(load("queue_max", &[], &[]), Err(ConfigError::Syntax(_))));
        assert!(matches!(load("listen = 'nowhere'", &[], &[]), Err(ConfigError::Shape(_))));
    }

    #[test]
    fn each_number_is_taken_at_its_bounds_and_refused_beyond() {
        let cases = [
            ("cache_bytes", CACHE_BYTES),
            ("rows_bytes", ROWS_BYTES),
            ("reserve_bytes", RESERVE_BYTES),
            ("queue_max", QUEUE),
            ("group_entries_max", GROUP_ENTRIES),
            ("unary_deadline_ms", DEADLINE_MS),
            ("batch_deadline_ms", DEADLINE_MS),
        ];
        for (key, (min, max)) in cases {
            for value in [min, max] {
                assert!(load(&format!("{key} = {value}"), &[], &[]).is_ok(), "{key} {value}");
            }
            let beyond = [Some(max + 1), min.checked_sub(1)];
            for value in beyond.into_iter().flatten() {
                let refused = load(&format!("{key} = {value}"), &[], &[]);
                assert_eq!(refused, Err(ConfigError::Bounds { key, min, max, value }));
            }
        }
    }

    #[test]
    fn reflection_follows_dev_unless_it_is_set() {
        assert!(!load("", &[], &[]).unwrap().reflection);
        assert!(load("dev = true", &[], &[]).unwrap().reflection);
        assert!(!load("dev = true\nreflection = false", &[], &[]).unwrap().reflection);
        assert!(load("reflection = true", &[], &[]).unwrap().reflection);
    }

    #[test]
    fn the_public_log_of_a_trial_ledger_is_beside_it_unless_it_is_set() {
        let log = |file: &str| load(file, &[], &[]).unwrap().log_listen.map(|address| address.to_string());
        assert_eq!(log(""), None);
        assert_eq!(log("dev = true").as_deref(), Some("127.0.0.1:50052"));
        assert_eq!(log("dev = true\nlisten = '0.0.0.0:0'").as_deref(), Some("0.0.0.0:0"));
        assert_eq!(log("dev = true\nlisten = '127.0.0.1:65535'").as_deref(), Some("127.0.0.1:0"));
        assert_eq!(log("dev = true\nlog_listen = ''"), None);
        assert_eq!(log("log_listen = '[::1]:8080'").as_deref(), Some("[::1]:8080"));
        assert!(matches!(load("log_listen = 'nowhere'", &[], &[]), Err(ConfigError::Shape(_))));
    }

    #[test]
    fn an_issuer_needs_a_name_and_an_admissible_key() {
        let key = hex(&SigningKey::from_seed([7; 32]).public().bytes());
        let env = |name: &str, key: &str| {
            load("", &[("CREDITBANK_ISSUER_NAME", name), ("CREDITBANK_ISSUER_PUBLIC_KEY", key)], &[])
        };
        assert!(env("idp", &key).unwrap().issuer.unwrap().key().is_some());
        assert!(env(&"n".repeat(ISSUER_NAME_BYTES_MAX), &key).is_ok());
        assert!(env(&"n".repeat(ISSUER_NAME_BYTES_MAX + 1), &key).is_err());
        assert!(env("", &key).is_err());
        // The all-zero key is of small order, one digit is missing, one is no digit.
        for bad in ["0".repeat(64).as_str(), &key[1..], &key.replace(&key[..1], "g")] {
            assert!(matches!(env("idp", bad), Err(ConfigError::Value { .. })), "{bad}");
        }
    }

    #[test]
    fn the_effective_configuration_reads_back_to_the_same() {
        let key = hex(&SigningKey::from_seed([7; 32]).public().bytes());
        let file =
            format!("metrics_listen = '127.0.0.1:0'\ndev = true\n[issuer]\nname = 'i'\npublic_key = '{key}'");
        for config in [Config::default(), load(&file, &[], &[]).unwrap()] {
            assert_eq!(load(&config.effective(), &[], &[]), Ok(config));
        }
    }

    #[test]
    fn every_field_can_be_set_by_a_variable() {
        let mut names: Vec<String> = Vec::new();
        let file =
            "metrics_listen = '127.0.0.1:0'\nwitness_policy = 'w'\n[issuer]\nname = 'i'\npublic_key = 'k'";
        let given: Config = toml::from_str(file).unwrap();
        for (key, value) in toml::Table::try_from(&given).unwrap() {
            match value.as_table() {
                Some(inner) => names.extend(inner.keys().map(|name| format!("{key}_{name}"))),
                None => names.push(key),
            }
        }
        names.sort();
        let mut keys: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
        keys.sort_unstable();
        assert_eq!(names, keys);
    }
}

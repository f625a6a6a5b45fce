//! Reads a policy, line by line. Names are bytes: no rule here depends on a version of Unicode.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Error, GROUPS_MAX, Group, LOGS_MAX, Member, NAME_BYTES_MAX, POLICY_BYTES_MAX, Policy, PolicyLog,
    PolicyWitness, Problem, URL_BYTES_MAX, WITNESSES_MAX,
};
use crate::cosignature::CosignerKey;
use crate::decimal;
use crate::note::VerifierKey;

/// The name that stands for no witnesses at all.
const NONE: &[u8] = b"none";

impl Policy {
    /// Reads a policy. Every line, the last one too, ends with a newline.
    pub fn parse(source: &[u8]) -> Result<Self, Error> {
        if source.len() > POLICY_BYTES_MAX {
            return Err(Error::TooLong);
        }
        let mut draft = Draft::default();
        if !source.is_empty() {
            let body = source.strip_suffix(b"\n").ok_or(Error::Unterminated)?;
            for (text, line) in body.split(|byte| *byte == b'\n').zip(1usize..) {
                draft.line(text).map_err(|problem| Error::Line { line, problem })?;
            }
        }
        let Draft { logs, witnesses, keys, groups, names: _, members: _, key_bytes: _, quorum } = draft;
        let quorum = quorum.ok_or(Error::NoQuorum)?.0;
        Ok(Self { logs, witnesses, keys, groups, quorum, source: source.to_vec() })
    }
}

/// What the quorum line said: somebody, or nobody.
struct Quorum(Option<Member>);

/// What the lines so far have said.
#[derive(Default)]
struct Draft {
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    keys: Vec<CosignerKey>,
    groups: Vec<Group>,
    names: BTreeMap<Vec<u8>, Member>,
    /// Names that are members of a group.
    members: BTreeSet<Vec<u8>>,
    /// Keys of logs and witnesses alike: one that is both could say anything in the other's name.
    key_bytes: BTreeSet<[u8; 32]>,
    quorum: Option<Quorum>,
}

impl Draft {
    fn line(&mut self, text: &[u8]) -> Result<(), Problem> {
        if text.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(Problem::Control);
        }
        let words: Vec<&[u8]> =
            text.split(|byte| [b' ', b'\t'].contains(byte)).filter(|word| !word.is_empty()).collect();
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        match *first {
            [b'#', ..] => Ok(()),
            b"log" => self.log(rest),
            b"witness" => self.witness(rest),
            b"group" => self.group(rest),
            b"quorum" => self.quorum(rest),
            other => Err(Problem::Word(shown(other))),
        }
    }

    fn log(&mut self, words: &[&[u8]]) -> Result<(), Problem> {
        let (vkey, url) = match words {
            [vkey] => (*vkey, None),
            [vkey, url] => (*vkey, Some(*url)),
            _ => return Err(Problem::LogForm),
        };
        let key = VerifierKey::parse(utf8(vkey)?).map_err(Problem::Key)?;
        self.fresh_key(key.key().bytes())?;
        if self.logs.len() >= LOGS_MAX {
            return Err(Problem::Logs);
        }
        self.logs.push(PolicyLog { key, url: url.map(read_url).transpose()? });
        Ok(())
    }

    fn witness(&mut self, words: &[&[u8]]) -> Result<(), Problem> {
        let (name, vkey, url) = match words {
            [name, vkey] => (*name, *vkey, None),
            [name, vkey, url] => (*name, *vkey, Some(*url)),
            _ => return Err(Problem::WitnessForm),
        };
        let key = CosignerKey::parse(utf8(vkey)?).map_err(Problem::Key)?;
        self.fresh_key(key.key().bytes())?;
        if self.witnesses.len() >= WITNESSES_MAX {
            return Err(Problem::Witnesses);
        }
        let url = url.map(read_url).transpose()?;
        self.define(name, Member::Witness(self.witnesses.len()))?;
        self.keys.push(key.clone());
        self.witnesses.push(PolicyWitness { name: shown(name), key, url });
        Ok(())
    }

    fn group(&mut self, words: &[&[u8]]) -> Result<(), Problem> {
        let [name, threshold, names @ ..] = words else { return Err(Problem::GroupForm) };
        if names.is_empty() {
            return Err(Problem::GroupForm);
        }
        if self.groups.len() >= GROUPS_MAX {
            return Err(Problem::Groups);
        }
        let mut members = Vec::with_capacity(names.len());
        for member in names {
            members.push(self.known(member)?);
            if !self.members.insert(member.to_vec()) {
                return Err(Problem::MemberTwice(shown(member)));
            }
        }
        let threshold = read_threshold(threshold, members.len())?;
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { threshold, members });
        Ok(())
    }

    fn quorum(&mut self, words: &[&[u8]]) -> Result<(), Problem> {
        let [name] = words else { return Err(Problem::QuorumForm) };
        if self.quorum.is_some() {
            return Err(Problem::QuorumTwice);
        }
        let member = if *name == NONE { None } else { Some(self.known(name)?) };
        self.quorum = Some(Quorum(member));
        Ok(())
    }

    fn fresh_key(&mut self, key: [u8; 32]) -> Result<(), Problem> {
        if self.key_bytes.insert(key) { Ok(()) } else { Err(Problem::KeyTwice) }
    }

    fn define(&mut self, name: &[u8], member: Member) -> Result<(), Problem> {
        if name.len() > NAME_BYTES_MAX {
            return Err(Problem::NameLong);
        }
        if name == NONE || self.names.contains_key(name) {
            return Err(Problem::NameTaken(shown(name)));
        }
        self.names.insert(name.to_vec(), member);
        Ok(())
    }

    fn known(&self, name: &[u8]) -> Result<Member, Problem> {
        self.names.get(name).copied().ok_or_else(|| Problem::NameUnknown(shown(name)))
    }
}

fn read_threshold(text: &[u8], members: usize) -> Result<usize, Problem> {
    let wrong = || Problem::Threshold { threshold: shown(text), members };
    let threshold = match text {
        b"all" => members,
        b"any" => 1,
        _ => {
            let number = std::str::from_utf8(text).ok().and_then(decimal::parse);
            number.and_then(|number| usize::try_from(number).ok()).ok_or_else(wrong)?
        }
    };
    if (1..=members).contains(&threshold) { Ok(threshold) } else { Err(wrong()) }
}

fn read_url(url: &[u8]) -> Result<String, Problem> {
    let text = std::str::from_utf8(url).map_err(|_| Problem::Url)?;
    if text.len() <= URL_BYTES_MAX { Ok(text.to_owned()) } else { Err(Problem::Url) }
}

fn utf8(vkey: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(vkey).map_err(|_| Problem::KeyText)
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

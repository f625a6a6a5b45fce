//! S9: versions follow each other without a gap, none begins in the past unless it says so.
//!
//! A version that is replaced ends where the next one begins, unless it says an earlier end itself.

use crate::book::Book;
use crate::finding::{Code, Findings};
use crate::path::At;
use credit_types::CivilDate;

pub(super) fn check(book: &Book, previous: &[Book], published_on: Option<CivilDate>, found: &mut Findings) {
    let top = At::TOP;
    if book.supersedes.is_some_and(|old| old >= book.version) {
        let en = "it supersedes a version that is not before it";
        found.add(Code::Supersedes, top.key("supersedes"), "取代的版本不早于本版", en);
    }
    let begins_before = |day: CivilDate| book.effective.from.is_none_or(|from| from.0 < day);
    if let Some(day) = published_on.filter(|day| begins_before(*day) && !book.retroactive) {
        found.add(
            Code::Retroactive,
            top.key("effective"),
            format!("生效日早于公布日 {day}"),
            format!("it begins before {day}, the day of its publication"),
        );
    }
    let same = previous.iter().filter(|other| other.id == book.id);
    let Some(last) = same.max_by_key(|other| other.version) else { return };
    let (version, before) = (book.version, last.version);
    if version <= before {
        found.add(
            Code::VersionTaken,
            top.key("version"),
            format!("已有第 {before} 版"),
            format!("there is a version {before} already"),
        );
        return;
    }
    if book.supersedes != Some(before) {
        found.add(
            Code::Supersedes,
            top.key("supersedes"),
            format!("应取代第 {before} 版"),
            format!("it must supersede version {before}"),
        );
    }
    follows(book, last, found);
}

fn follows(book: &Book, last: &Book, found: &mut Findings) {
    let at = At::TOP.key("effective");
    let (from, before) = (book.effective.from, last.version);
    let end = last.effective.until;
    if let Some((from, end)) = from.zip(end).filter(|(from, end)| from > end) {
        found.add(
            Code::VersionGap,
            at,
            format!("第 {before} 版到 {} 为止，本版从 {} 开始，中间无规则可用", end.0, from.0),
            format!(
                "version {before} ends before {}, this begins on {}: no version holds between",
                end.0, from.0
            ),
        );
    }
    // A replaced version gives way from the day on which the next begins; before its own first day it has nothing to
    // give, and an end that it has said stands.
    let starts_no_later = match (from, last.effective.from) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(from), Some(first)) => from <= first,
    };
    let before_end = from.zip(end).is_some_and(|(from, end)| from < end);
    if (starts_no_later || before_end) && !book.retroactive {
        found.add(
            Code::VersionOverlap,
            at,
            format!("与第 {before} 版的有效期重叠"),
            format!("it overlaps version {before}"),
        );
    }
}

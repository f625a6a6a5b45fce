//! What the page says, in Chinese and English, for readers who are no engineers.

use super::tally::Kind;
use super::tree::grouped;
use super::{Checked, Mark, MarkKind, Scope};
use credit_types::Text;
use credit_verify::{CoresReport, Report, Rule, Verdict};

fn text(zh: impl Into<String>, en: impl Into<String>) -> Text {
    Text { zh: zh.into(), en: en.into() }
}

/// What was checked, in a sentence.
pub(super) fn scope(scope: Scope) -> Text {
    match scope {
        Scope::Stopped => {
            text("查验对象：已停止的账本的完整数据", "Checked: the whole data of a stopped ledger")
        }
        Scope::Export => text("查验对象：账本的一份导出", "Checked: an export of the ledger"),
        Scope::Running => text(
            "查验对象：运行中的账本，以审计身份逐条读取",
            "Checked: a running ledger, every entry read as an auditor",
        ),
        Scope::Cores => {
            text("查验对象：人人可见的公开日志", "Checked: the public log, which everybody can see")
        }
    }
}

/// The verdict in a plain sentence.
pub(super) fn verdict(checked: &Checked<'_>) -> Text {
    let size = grouped(checked.head().0);
    match (checked.verdict(), checked) {
        (Verdict::Ok, Checked::Whole(_, Some(_))) => text(
            format!(
                "日志完好：全部 {size} 条通过了每一项检查；但查询用的索引与日志不符，请重建索引（creditbank rebuild）。"
            ),
            format!(
                "The log holds: all {size} entries passed every check. But the index that answers are read from differs from the log: rebuild it (creditbank rebuild)."
            ),
        ),
        (Verdict::Ok, Checked::Whole(_, None)) => text(
            format!(
                "账本完好：全部 {size} 条记录通过了每一项检查。自签名以来，没有一条被改动、删除、插入或倒填日期。"
            ),
            format!(
                "This ledger holds: all {size} entries passed every check. None was changed, removed, slipped in or back-dated since it was signed."
            ),
        ),
        (Verdict::Ok, Checked::Cores(..)) => text(
            format!(
                "公开部分完好：全部 {size} 条的次序、时间与签名的检查点一致，你看到的与所有人看到的是同一份历史。"
            ),
            format!(
                "What is public holds: the order and time of all {size} entries fit the signed checkpoint. You are shown the same history as everybody with this root."
            ),
        ),
        (Verdict::Broken(broken), _) => text(
            format!("这个账本不能信赖：第 {} 条起违反了规则。", grouped(broken.index)),
            format!("Do not rely on this ledger: a rule is broken at entry {}.", grouped(broken.index)),
        ),
        (Verdict::NeedsNewer { index, what: _ }, _) => text(
            format!("第 {} 条之前一切正常；此后的内容需要更新版本的程序才能判断。", grouped(*index)),
            format!(
                "All is right up to entry {}. What follows takes a newer program to judge.",
                grouped(*index)
            ),
        ),
    }
}

/// What to do where a rule is broken.
pub(super) fn advice(rule: Rule) -> Text {
    match rule {
        Rule::LogIdWrong | Rule::CheckpointInvalid | Rule::ManifestInvalid => text(
            "先核对信任文件是否与主管方公布的一致。若一致，给你这份数据的人出示的不是这个账本：请保留副本并告知监管机构。",
            "First compare your trust file with what the authority has published. If it is right, whoever gave you this data shows you another ledger: keep the copy, and tell the regulator.",
        ),
        Rule::HeadInconsistent => text(
            "账本与先前见过的检查点矛盾：被回退，或对不同的人出示不同的历史。请保留这份副本、先前的检查点（heads 目录）与你的回执，交给监管机构。",
            "The ledger contradicts a head that was seen before: it was rolled back, or shows different people different histories. Keep this copy, the earlier head (the folder heads) and your receipts, and go to the regulator.",
        ),
        Rule::FileMissing
        | Rule::FileUnlisted
        | Rule::FileWrong
        | Rule::FrameWrong
        | Rule::SizeWrong
        | Rule::RootWrong => text(
            "副本可能在传输或存储中损坏。请从来源另取一份再查；若仍然如此，请保留两份副本并告知监管机构。",
            "The copy may have been damaged on its way or on a disk. Get another one from its source and check again. If it is the same again, keep both and tell the regulator.",
        ),
        Rule::BookMissing | Rule::BookWrong => text(
            "公开的规则书缺失，或不是当时公布的那一份。请向账本运维方另取一份完整的副本再查；若仍然如此，请告知监管机构。",
            "A public rule book is missing, or is not the one that was published. Get another whole copy from the operator and check again; if it is the same again, tell the regulator.",
        ),
        Rule::DetailsMissing | Rule::DetailsWrong => text(
            "明细不全或与签名的承诺不符。请向账本运维方索取完整的导出；若仍不符，请告知监管机构。",
            "Details are missing, or are not those that were signed for. Ask the operator for a whole export; if it is the same again, tell the regulator.",
        ),
        Rule::NotAnnounced | Rule::UpgradeWrong => text(
            "条目中有主管机构没有宣布过的内容。请先确认程序版本；若已是最新版本，请告知主管机构与监管机构。",
            "An entry holds what the authority has never announced. See whether there is a newer version of this program; if not, tell the authority and the regulator.",
        ),
        Rule::GenesisMissing
        | Rule::CoreNotCanonical
        | Rule::IndexWrong
        | Rule::TimeBackwards
        | Rule::PartsRootWrong
        | Rule::HeadCountsWrong
        | Rule::PartsNotCanonical
        | Rule::EvidenceMissing
        | Rule::StatementNotCanonical
        | Rule::EventsWrong
        | Rule::ActorWrong
        | Rule::SignatureInvalid
        | Rule::ChunkRootWrong
        | Rule::RefusedByRules { reason: _ }
        | Rule::DecisionDiffers
        | Rule::ConversionNotDerived
        | Rule::LinkWrong => text(
            "请不要据这一条及其后的内容作任何认定。原样保留这份副本，连同本报告交给监管机构：任何人都能用它重现这个结果。",
            "Decide nothing by this entry or what follows it. Keep the copy as it is and give it to the regulator with this report: anybody can get the same result from it.",
        ),
    }
}

/// How many of what were checked, and what that means.
pub(super) fn counts(checked: &Checked<'_>) -> Vec<(u64, Text, Text)> {
    match checked {
        Checked::Whole(report, _) => {
            let Report {
                entries,
                statements,
                signatures,
                decisions_replayed,
                structure_only,
                erased,
                size: _,
                root: _,
                verdict: _,
            } = report;
            vec![
                (*entries, text("条目", "entries"), text("逐条读取并判断", "each one read and judged")),
                (
                    *statements,
                    text("声明", "statements"),
                    text("机构与主管方签名的原文", "what institutions and the authority have signed"),
                ),
                (*signatures, text("签名", "signatures"), text("逐个验证", "each one verified")),
                (
                    *decisions_replayed,
                    text("重演的决定", "decisions replayed"),
                    text(
                        "按规则重新作出，结果与所记录的一致",
                        "made again by the rules, with the result that is recorded",
                    ),
                ),
                (
                    *structure_only,
                    text("仅查结构", "structure only"),
                    text(
                        "明细保密，没有对照其承诺；其余均已检查",
                        "details are sealed, and were not held against their commitments; all else was checked",
                    ),
                ),
                (
                    *erased,
                    text("仅查余额", "balance only"),
                    text("明细已随密钥删除", "details were erased with their key"),
                ),
            ]
        }
        Checked::Cores(report, files) => {
            let CoresReport { size, root: _, verdict: _ } = report;
            vec![
                (
                    *size,
                    text("条目核心", "cores of entries"),
                    text("次序、时间与在树中的位置", "their order, their time, their place in the tree"),
                ),
                (
                    *files,
                    text("文件", "files"),
                    text(
                        "分片与条目包，逐个对照签名的根",
                        "tiles and bundles, each held against the signed root",
                    ),
                ),
            ]
        }
    }
}

/// What the check does not say.
pub(super) fn limits(scope: Scope, checked: &Checked<'_>) -> Text {
    if scope == Scope::Cores {
        return text(
            "只查了人人可见的部分。条目的内容是否有应有的签名、决定是否符合规则，须由审计者连同内容验证。",
            "Only what everybody can see was checked. Whether what entries hold is signed as it must be and follows the rules takes an auditor, who sees the contents.",
        );
    }
    let closed = matches!(checked, Checked::Whole(report, _) if report.structure_only > 0);
    let (zh, en) = if closed {
        (
            "成绩、名称等明细是保密的，没有读取。",
            "Details such as titles and marks are sealed and were not read. ",
        )
    } else {
        ("", "")
    };
    text(
        format!(
            "{zh}签名者所说的是否属实、持有账户的人是谁，账本不能证明；检查之后写入的内容也不在本报告之内。"
        ),
        format!(
            "{en}That what a signer says is true, and who the holder of an account is, no ledger can prove. What was written after the check is not in this report."
        ),
    )
}

/// What the picture of the tree shows.
pub(super) fn tree(sum: &str) -> Text {
    text(
        format!(
            "每条记录是一片叶子，两两合并成哈希值，直到顶上一个根：改动任何一条，根就不同。三角形是完整的子树（{sum}）。与别人在相同条数时比较根，就知道看到的是不是同一份账本。"
        ),
        format!(
            "Each entry is a leaf, and two by two they are hashed together up to one root at the top: change any entry, and the root is another one. The triangles are perfect subtrees ({sum}). Compare the root with anybody else's at the same count, and you know whether you see the same ledger."
        ),
    )
}

/// Where the picture ends.
pub(super) fn beyond(index: u64) -> Text {
    let index = grouped(index);
    text(
        format!("图中是第 {index} 条之前的条目：检查到此为止。"),
        format!("The picture has the entries before entry {index}, where the check ended."),
    )
}

/// What of the line of time is worth nothing.
pub(super) fn ahead(index: u64) -> Text {
    let index = grouped(index);
    text(
        format!("红线为第 {index} 条。其上是已读入而不可采信的部分。"),
        format!("The red line is at entry {index}. What is above it was read, and is worth nothing."),
    )
}

/// What a mark is.
pub(super) fn mark(kind: MarkKind, by: &str) -> Text {
    match kind {
        MarkKind::Checked => text("本次验证的日志头", "the head checked here"),
        MarkKind::Seen => text("先前保存的日志头", "the head kept before"),
        MarkKind::Cosigned => text(format!("见证者 {by} 联署"), format!("cosigned by {by}")),
    }
}

/// What the cosignatures come to.
pub(super) fn witnesses(pinned: bool, marks: &[Mark], others: usize) -> Text {
    let count = marks.iter().filter(|mark| mark.kind == MarkKind::Cosigned).count();
    match (pinned, count) {
        (true, 0) => text(
            "信任文件写明了见证策略，而这个检查点还没有其中任何见证者的联署。",
            "The trust file pins a witness policy, and none of its witnesses has cosigned this head yet.",
        ),
        (true, _) => text(
            format!("信任文件所列的见证者中有 {count} 位联署：他们各自看到的与你看到的是同一份历史。"),
            format!(
                "{count} of the witnesses that the trust file pins have cosigned this head: each was shown the same history as you."
            ),
        ),
        (false, _) if others > 0 => text(
            format!("信任文件没有写明见证者；检查点上另有 {others} 个签名，未予采信。"),
            format!(
                "The trust file pins no witnesses; {others} more signatures on the checkpoint do not count."
            ),
        ),
        (false, _) => text(
            "没有见证者。若整个账本被回退，或对不同的人出示不同的历史，只有保存过日志头的人才能发现：请保存本页的根。",
            "There are no witnesses. If the whole ledger is rolled back, or shows different people different histories, only those who kept a head notice: keep the root on this page.",
        ),
    }
}

/// The name of a kind of entries.
pub(super) fn kind(kind: Kind) -> Text {
    match kind {
        Kind::Log => text("账本自身", "the log itself"),
        Kind::Registry => text("机构、框架、密钥与规则书", "institutions, frameworks, keys, rule books"),
        Kind::Accounts => text("学习账户", "accounts"),
        Kind::Records => text("学习成果", "records"),
        Kind::Batches => text("批次", "batches"),
        Kind::Changes => text("成果状态变更", "status changes of records"),
        Kind::Applications => text("转换与兑换申请", "applications"),
        Kind::Closed => text("未公开", "not shown"),
    }
}

/// How the check is repeated.
pub(super) fn again(scope: Scope) -> Text {
    match scope {
        Scope::Stopped => text(
            "有数据目录副本和信任文件的人都能重做这项检查，结果相同：",
            "Whoever has a copy of the data directory and the trust file can repeat this check, with the same result:",
        ),
        Scope::Export => text(
            "有这份导出和信任文件的人都能重做这项检查，不需要网络，结果相同：",
            "Whoever has this export and the trust file can repeat this check, without a network and with the same result:",
        ),
        Scope::Running => text(
            "有审计令牌和信任文件的人都能重做这项检查：",
            "Whoever has an auditor's token and the trust file can repeat this check:",
        ),
        Scope::Cores => text(
            "任何人都能重做这项检查，只需信任文件：",
            "Anybody can repeat this check, with nothing but the trust file:",
        ),
    }
}

/// The command that repeats the check.
pub(super) fn command(scope: Scope, place: &str) -> String {
    let place = quoted(place);
    match scope {
        Scope::Stopped => format!("creditbank verify --dir {place} --trust trust.toml"),
        Scope::Export => format!("creditbank verify export {place} --trust trust.toml"),
        Scope::Running => format!("creditbank verify --url {place} --token-file token --trust trust.toml"),
        Scope::Cores => format!("creditbank verify --cores --url {place} --trust trust.toml"),
    }
}

/// A word of a command line, so that a shell reads just this word.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/.:_-".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_said_in_both_languages() {
        let speaks = |said: Text| {
            assert!(!said.zh.is_ascii() && said.en.is_ascii() && !said.en.is_empty(), "{said:?}");
        };
        for rule in Rule::all() {
            speaks(advice(rule));
        }
        for one in [Scope::Stopped, Scope::Export, Scope::Running, Scope::Cores] {
            speaks(scope(one));
            speaks(again(one));
        }
        for one in Kind::ALL {
            speaks(kind(one));
        }
        for one in [MarkKind::Checked, MarkKind::Seen, MarkKind::Cosigned] {
            speaks(mark(one, "w1"));
        }
        for (pinned, others) in [(true, 0), (false, 0), (false, 2)] {
            speaks(witnesses(pinned, &[], others));
        }
        speaks(tree("1 = 1"));
        speaks(beyond(7));
        speaks(ahead(7));
    }

    #[test]
    fn a_place_is_one_word_of_the_command() {
        assert_eq!(quoted("/srv/ledger"), "/srv/ledger");
        assert_eq!(quoted("my ledger"), "'my ledger'");
        assert_eq!(quoted("it's; rm -rf"), "'it'\\''s; rm -rf'");
        assert_eq!(quoted("账本"), "'账本'");
        assert_eq!(quoted(""), "''");
    }
}

//! What codes are called, in both languages, and how ids are written.

use credit_types::{
    AccountStatus, ApplicationStatus, AssuranceLevel, Bucket, Consumption, ConversionPurpose, HourKind,
    InstitutionKind, KeyPurpose, RecordKind, RecordStatus, Role, Text,
};

fn text(zh: &str, en: &str) -> Text {
    Text { zh: zh.to_owned(), en: en.to_owned() }
}

/// What a kind of records is called.
pub(super) fn record_kind(kind: RecordKind) -> Text {
    match kind {
        RecordKind::FormalCourse => text("学历课程", "formal course"),
        RecordKind::NondegreeCourse => text("非学历课程", "non-degree course"),
        RecordKind::SkillGrade => text("职业技能等级", "skill grade"),
        RecordKind::XCert => text("1+X 证书", "1+X certificate"),
        RecordKind::Qualification => text("职业资格", "qualification"),
        RecordKind::Exam => text("考试", "examination"),
        RecordKind::Cpd => text("继续教育", "continuing education"),
        RecordKind::Activity => text("社区与老年教育活动", "activity"),
        RecordKind::Experience => text("学习经历与业绩", "experience"),
        RecordKind::Award => text("奖励", "award"),
    }
}

/// What a bucket is called.
pub(super) fn bucket(bucket: Bucket) -> Text {
    match bucket {
        Bucket::Issued => text("发放", "issued"),
        Bucket::Available => text("可用", "available"),
        Bucket::Reserved => text("冻结", "reserved"),
        Bucket::Redeemed => text("已兑换", "redeemed"),
        Bucket::Revoked => text("已吊销", "revoked"),
        Bucket::Suspended => text("暂停", "suspended"),
        Bucket::Expired => text("已过期", "expired"),
        Bucket::KeySuspect => text("密钥存疑", "key suspect"),
    }
}

/// What minutes count.
pub(super) fn hour_kind(kind: HourKind) -> Text {
    match kind {
        HourKind::Contact => text("面授", "contact"),
        HourKind::Notional => text("总学习量", "notional"),
        HourKind::Continuing => text("继续教育学时", "continuing"),
        HourKind::Practice => text("实践", "practice"),
    }
}

/// What a record's status is called.
pub(super) fn record_status(status: RecordStatus) -> Text {
    match status {
        RecordStatus::Valid => text("有效", "valid"),
        RecordStatus::Suspended => text("暂停", "suspended"),
        RecordStatus::Revoked => text("已吊销", "revoked"),
        RecordStatus::Superseded => text("已更正替代", "superseded"),
    }
}

/// What an account's status is called.
pub(super) fn account_status(status: AccountStatus) -> Text {
    match status {
        AccountStatus::Active => text("正常", "active"),
        AccountStatus::Suspended => text("暂停", "suspended"),
        AccountStatus::Closed => text("已销户", "closed"),
    }
}

/// How well a person was identified.
pub(super) fn assurance(level: AssuranceLevel) -> Text {
    match level {
        AssuranceLevel::None => text("未核验", "not verified"),
        AssuranceLevel::Phone => text("手机号", "telephone"),
        AssuranceLevel::Document => text("身份证件", "document"),
        AssuranceLevel::DocumentFace => text("身份证件与人脸", "document and face"),
    }
}

/// What an institution is.
pub(super) fn institution_kind(kind: InstitutionKind) -> Text {
    match kind {
        InstitutionKind::University => text("高校", "university"),
        InstitutionKind::VocationalCollege => text("高职", "vocational college"),
        InstitutionKind::VocationalSchool => text("中职", "vocational school"),
        InstitutionKind::TrainingProvider => text("培训机构", "training provider"),
        InstitutionKind::IndustryAssociation => text("行业协会", "industry association"),
        InstitutionKind::CommunityCollege => text("社区学院", "community college"),
        InstitutionKind::EvaluationBody => text("鉴定机构", "evaluation body"),
        InstitutionKind::Employer => text("雇主", "employer"),
        InstitutionKind::Authority => text("主管部门", "authority"),
        InstitutionKind::CreditBank => text("学分银行", "credit bank"),
    }
}

/// What an institution may do.
pub(super) fn role(role: Role) -> Text {
    match role {
        Role::Issuer => text("颁发", "issuer"),
        Role::Evaluator => text("评价", "evaluator"),
        Role::Acceptor => text("认可", "acceptor"),
        Role::Awarder => text("授予", "awarder"),
        Role::Registrar => text("登记", "registrar"),
        Role::Regulator => text("监管", "regulator"),
        Role::Witness => text("见证", "witness"),
    }
}

/// What a key may sign.
pub(super) fn purpose(purpose: KeyPurpose) -> Text {
    match purpose {
        KeyPurpose::Records => text("成果", "records"),
        KeyPurpose::Status => text("状态", "status"),
        KeyPurpose::Decisions => text("决定", "decisions"),
        KeyPurpose::Registry => text("登记", "registry"),
        KeyPurpose::Keys => text("密钥", "keys"),
        KeyPurpose::Recovery => text("恢复", "recovery"),
        KeyPurpose::Tokens => text("令牌", "tokens"),
    }
}

/// Where an application stands.
pub(super) fn application_status(status: ApplicationStatus) -> Text {
    match status {
        ApplicationStatus::UnderReview => text("审核中", "under review"),
        ApplicationStatus::InfoRequested => text("待补充材料", "waiting for what was asked"),
        ApplicationStatus::Posted => text("已入账", "posted"),
        ApplicationStatus::Provisional => text("暂入账", "provisional"),
        ApplicationStatus::Rejected => text("未通过", "rejected"),
        ApplicationStatus::Appealed => text("申诉中", "appealed"),
        ApplicationStatus::Withdrawn => text("已撤回", "withdrawn"),
        ApplicationStatus::Lapsed => text("已失效", "lapsed"),
        ApplicationStatus::Rescinded => text("已撤销", "rescinded"),
        ApplicationStatus::Reversed => text("已冲销", "reversed"),
    }
}

/// What is applied for.
pub(super) fn conversion_purpose(purpose: ConversionPurpose) -> Text {
    match purpose {
        ConversionPurpose::Credit => text("学分转换", "conversion of credit"),
        ConversionPurpose::Award => text("兑换", "award"),
    }
}

/// The code of what is applied for.
pub(super) fn conversion_purpose_code(purpose: ConversionPurpose) -> &'static str {
    match purpose {
        ConversionPurpose::Credit => "CREDIT",
        ConversionPurpose::Award => "AWARD",
    }
}

/// The code of an application's status.
pub(super) fn application_status_code(status: ApplicationStatus) -> &'static str {
    match status {
        ApplicationStatus::UnderReview => "UNDER_REVIEW",
        ApplicationStatus::InfoRequested => "INFO_REQUESTED",
        ApplicationStatus::Posted => "POSTED",
        ApplicationStatus::Provisional => "PROVISIONAL",
        ApplicationStatus::Rejected => "REJECTED",
        ApplicationStatus::Appealed => "APPEALED",
        ApplicationStatus::Withdrawn => "WITHDRAWN",
        ApplicationStatus::Lapsed => "LAPSED",
        ApplicationStatus::Rescinded => "RESCINDED",
        ApplicationStatus::Reversed => "REVERSED",
    }
}

/// The code of which further uses a use excludes.
pub(super) fn consumption_code(consumption: Consumption) -> &'static str {
    match consumption {
        Consumption::Global => "GLOBAL",
        Consumption::OnceForAllDegrees => "ONCE_FOR_ALL_DEGREES",
        Consumption::PerProgramme => "PER_PROGRAMME",
        Consumption::PerAwardLevel => "PER_AWARD_LEVEL",
        Consumption::None => "NONE",
    }
}

/// The code of a bucket, as it stands on the wire without its prefix.
pub(super) fn bucket_code(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Issued => "ISSUED",
        Bucket::Available => "AVAILABLE",
        Bucket::Reserved => "RESERVED",
        Bucket::Redeemed => "REDEEMED",
        Bucket::Revoked => "REVOKED",
        Bucket::Suspended => "SUSPENDED",
        Bucket::Expired => "EXPIRED",
        Bucket::KeySuspect => "KEY_SUSPECT",
    }
}

/// The code of a record's status.
pub(super) fn record_status_code(status: RecordStatus) -> &'static str {
    match status {
        RecordStatus::Valid => "VALID",
        RecordStatus::Suspended => "SUSPENDED",
        RecordStatus::Revoked => "REVOKED",
        RecordStatus::Superseded => "SUPERSEDED",
    }
}

/// The code of an account's status.
pub(super) fn account_status_code(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "ACTIVE",
        AccountStatus::Suspended => "SUSPENDED",
        AccountStatus::Closed => "CLOSED",
    }
}

/// The bytes of hexadecimal digits of either case; `None` of anything else.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .bytes()
        .map(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    if digits.len() % 2 != 0 {
        return None;
    }
    let pairs = digits.chunks_exact(2).map(|pair| match pair {
        [high, low] => (high << 4) | low,
        _ => 0,
    });
    Some(pairs.collect())
}

/// The lower-case hexadecimal digits of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// The name of a value in a list of names.
pub(super) fn name_of<T: Copy + PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}

/// An instant as people read it, in a constant offset from UTC: `2026-11-23 16:05:09 +08:00`.
pub(super) fn instant(us: i64, offset_minutes: i32) -> String {
    let local = us.saturating_add(i64::from(offset_minutes).saturating_mul(60_000_000));
    let date =
        credit_types::CivilDate::at(us, offset_minutes).map(|date| date.to_string()).unwrap_or_default();
    let seconds = local.div_euclid(1_000_000).rem_euclid(86_400);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let (hours_east, minutes_east) = (offset_minutes.unsigned_abs() / 60, offset_minutes.unsigned_abs() % 60);
    format!("{date} {hour:02}:{minute:02}:{second:02} {sign}{hours_east:02}:{minutes_east:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_come_in_pairs() {
        assert_eq!(unhex("00aF"), Some(vec![0, 0xaf]));
        assert_eq!(unhex(""), Some(Vec::new()));
        assert_eq!(hex(&[0, 0xaf, 0x10]), "00af10");
        for bad in ["0", "0g", "0x00", " 00", "００"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_instant_is_shown_in_the_ledgers_offset() {
        assert_eq!(instant(0, 480), "1970-01-01 08:00:00 +08:00");
        assert_eq!(instant(-1, 0), "1969-12-31 23:59:59 +00:00");
        assert_eq!(instant(0, -210), "1969-12-31 20:30:00 -03:30");
    }
}

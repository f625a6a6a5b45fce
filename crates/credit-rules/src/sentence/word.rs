//! The closed vocabularies of a book, as words.

use super::Say;
use crate::book::{
    Aggregate, Basis, CapPer, Column, Consumption, EvidenceKind, Family, Formula, Hit, HourName, KindName,
    KindOrAll, ModeName, Of, SelectBy, Source, YearOf,
};
use crate::ratio::Round;
use credit_types::{DeliveryMode, HourKind, RecordKind};

impl Say<'_> {
    pub(crate) fn select_by(self, by: SelectBy) -> String {
        match by {
            SelectBy::DecisionDate => say!(self, "决定之日", "the day of the decision"),
            SelectBy::EarnedOn => say!(self, "成果取得之日", "the day on which a record was earned"),
            SelectBy::EnrolledOn => say!(self, "入学之日", "the day on which the learner enrolled"),
        }
    }

    pub(crate) fn evidence_kind(self, kind: EvidenceKind) -> String {
        match kind {
            EvidenceKind::Source => say!(self, "公布的文件", "a published text"),
            EvidenceKind::Memory => say!(self, "凭记忆，待核对", "from memory, to be held against the text"),
            EvidenceKind::Sample => say!(self, "示例，作者自定", "a sample, chosen by the author"),
        }
    }

    pub(crate) fn record_kind(self, kind: KindName) -> String {
        match kind.0 {
            RecordKind::FormalCourse => say!(self, "学历课程", "a formal course"),
            RecordKind::NondegreeCourse => say!(self, "非学历课程", "a non-degree course"),
            RecordKind::SkillGrade => say!(self, "职业技能等级", "a skill grade"),
            RecordKind::XCert => say!(self, "1+X 证书", "a 1+X certificate"),
            RecordKind::Qualification => say!(self, "职业资格", "a professional qualification"),
            RecordKind::Exam => say!(self, "考试", "an exam"),
            RecordKind::Cpd => say!(self, "继续教育", "continuing education"),
            RecordKind::Activity => say!(self, "社区与老年教育活动", "an activity"),
            RecordKind::Experience => say!(self, "学习经历与业绩", "experience"),
            RecordKind::Award => say!(self, "奖励", "an award"),
        }
    }

    pub(crate) fn hour_kind(self, hours: HourName) -> String {
        match hours.0 {
            HourKind::Contact => say!(self, "授课学时", "contact time"),
            HourKind::Notional => say!(self, "总学习时间", "learning time in all"),
            HourKind::Continuing => say!(self, "继续教育学时", "continuing-education time"),
            HourKind::Practice => say!(self, "实践学时", "practice time"),
        }
    }

    pub(crate) fn mode(self, mode: ModeName) -> String {
        match mode.0 {
            DeliveryMode::FaceToFace => say!(self, "面授", "face to face"),
            DeliveryMode::Online => say!(self, "网络", "online"),
            DeliveryMode::Blended => say!(self, "混合", "blended"),
            DeliveryMode::SelfStudy => say!(self, "自学", "self-study"),
        }
    }

    pub(crate) fn round(self, round: Round) -> String {
        match round {
            Round::Floor => say!(self, "向下取整", "rounded down"),
            Round::HalfUp => say!(self, "四舍五入", "rounded to the nearest, halves up"),
            Round::HalfEven => {
                say!(self, "四舍六入五取偶", "rounded to the nearest, halves to the even multiple")
            }
            Round::Truncate => say!(self, "舍去尾数", "cut off towards zero"),
            Round::Ceil => say!(self, "向上取整", "rounded up"),
            Round::None => {
                say!(self, "不取整，不是整倍的不予转换", "not rounded: what is no multiple is refused")
            }
        }
    }

    pub(crate) fn aggregate(self, over: Aggregate) -> String {
        match over {
            Aggregate::None => say!(self, "每项成果单独计算", "Each record is worked out alone"),
            Aggregate::PerRule => {
                say!(self, "适用本规则的全部成果先相加", "All records of this rule are added up first")
            }
            Aggregate::PerYear => {
                say!(
                    self,
                    "同一自然年取得的成果先相加",
                    "Records earned in one calendar year are added up first"
                )
            }
            Aggregate::PerSemester => {
                say!(self, "同一半年取得的成果先相加", "Records earned in one half-year are added up first")
            }
            Aggregate::PerProject => {
                say!(self, "同一项目的成果先相加", "Records of one project are added up first")
            }
            Aggregate::PerIssuer => {
                say!(self, "同一机构颁发的成果先相加", "Records of one issuer are added up first")
            }
        }
    }

    pub(crate) fn source(self, source: &Source) -> String {
        match source {
            Source::Hours => say!(self, "学习时间", "its time"),
            Source::CreditValue => say!(self, "原学分", "its credit"),
            Source::Fact(fact) => say!(self, "所载数值“{fact}”", "the number \"{fact}\" that it states"),
        }
    }

    pub(crate) fn per(self, per: CapPer) -> String {
        match per {
            CapPer::Record => say!(self, "每项成果", "for each record"),
            CapPer::Project => say!(self, "每个项目", "for each project"),
            CapPer::Rule => say!(self, "按本规则总计", "by this rule in all"),
            CapPer::Target => say!(self, "每门目标课程", "for each target course"),
            CapPer::Kind => say!(self, "同类规则合计", "by all rules of its kind together"),
            CapPer::Issuer => say!(self, "每个颁发机构", "for each issuer"),
            CapPer::Institution => {
                say!(self, "其他机构的成果合计", "for all other institutions together")
            }
            CapPer::LearnerYear => say!(self, "每人每年", "for each learner and calendar year"),
            CapPer::Semester => say!(self, "每人每半年", "for each learner and half-year"),
            CapPer::Lineage => say!(self, "每个系列", "for each lineage"),
            CapPer::Occupation => say!(self, "每个职业", "for each occupation"),
            CapPer::Subject => say!(self, "每个学科", "for each subject"),
            CapPer::Programme => say!(self, "每个专业", "for the programme"),
        }
    }

    pub(crate) fn year_of(self, year: YearOf) -> String {
        match year {
            YearOf::EarnedOn => say!(self, "成果取得之日", "the day on which a record was earned"),
            YearOf::DecisionDate => say!(self, "决定之日", "the day of the decision"),
        }
    }

    pub(crate) fn of(self, of: Of) -> String {
        match of {
            Of::ProgrammeCredit => say!(self, "专业总学分", "the programme's total"),
            Of::RequirementCredit => say!(self, "该要求的学分", "the requirement's credit"),
            Of::AwardedCredit => say!(self, "已认定学分", "what was awarded"),
        }
    }

    pub(crate) fn family(self, family: Family) -> String {
        match family {
            Family::HighestPerOccupation => {
                say!(self, "同一职业只计最高的一项", "only the best of one occupation counts")
            }
            Family::HighestPerLineage => {
                say!(self, "同一系列只计最高的一项", "only the best of one lineage counts")
            }
            Family::HighestPerTitle => {
                say!(self, "同一名称只计最高的一项", "only the best of one title counts")
            }
            Family::HighestPerCourse => {
                say!(self, "同一课程只计最高的一项", "only the best of one course counts")
            }
        }
    }

    pub(crate) fn consumption(self, consumption: Consumption) -> String {
        match consumption {
            Consumption::ConsumeGlobal => {
                say!(self, "成果用过一次后，永远不能再用", "A record that was used can never be used again")
            }
            Consumption::OnceForAllDegrees => say!(
                self,
                "成果用于一个学位后，不能再用于任何其他学位",
                "A record that was used for one degree can't be used for any other"
            ),
            Consumption::ExclusivePerProgramme => {
                say!(self, "同一成果在同一专业内只能用一次", "A record can be used once in one programme")
            }
            Consumption::ExclusivePerAwardLevel => say!(
                self,
                "同一成果在同一层次的学习证明中只能用一次",
                "A record can be used once for awards of one level"
            ),
            Consumption::NonConsuming => {
                say!(
                    self,
                    "使用不消耗成果，可重复使用",
                    "Use does not consume a record: it can be used again"
                )
            }
        }
    }

    pub(crate) fn hit(self, hit: Hit) -> String {
        match hit {
            Hit::Unique => say!(self, "每项成果至多符合一行", "at most one row fits a record"),
            Hit::Any => say!(self, "几行同时符合时，结果须相同", "rows that fit together must say the same"),
            Hit::Highest => say!(
                self,
                "几行同时符合时，取学分最多的一行",
                "of rows that fit, the one with the most credit counts"
            ),
            Hit::Sum => say!(self, "符合的各行相加", "the rows that fit are added up"),
        }
    }

    pub(crate) fn column(self, column: &Column) -> String {
        match column {
            Column::Level => say!(self, "等级", "level"),
            Column::Grade => say!(self, "成绩等第", "grade"),
            Column::Score => say!(self, "分数", "score"),
            Column::Hours => say!(self, "小时数", "hours"),
            Column::Credit => say!(self, "原学分", "credit of the record"),
            Column::Kind => say!(self, "成果类别", "kind of record"),
            Column::Course => say!(self, "课程", "course"),
            Column::Subject => say!(self, "学科", "subject"),
            Column::Occupation => say!(self, "职业", "occupation"),
            Column::Issuer => say!(self, "颁发机构", "issuer"),
            Column::Fact(fact) => say!(self, "所载“{fact}”", "\"{fact}\" as stated"),
            Column::Programme(fact) => say!(self, "专业的“{fact}”", "\"{fact}\" of the programme"),
        }
    }

    pub(crate) fn basis(self, basis: Basis) -> String {
        match basis {
            Basis::Required => say!(self, "应完成量", "what is required"),
            Basis::Completed => say!(self, "已完成量", "what was completed"),
        }
    }

    pub(crate) fn formula(self, formula: Formula) -> String {
        match formula {
            Formula::LinearPassRange => say!(
                self,
                "修正巴伐利亚公式：1 + 3 ×（最高分 − 得分）÷（最高分 − 及格分）",
                "the modified Bavarian formula: 1 + 3 x (best - grade) / (best - least that passes)"
            ),
            Formula::RankPercentile => {
                say!(self, "按通过者中的名次百分位", "by the percentile among those who passed")
            }
            Formula::LinearRange => say!(
                self,
                "两个数值量表之间按区间线性换算",
                "straight from the range of one numeric scale to that of the other"
            ),
        }
    }

    pub(crate) fn rule_kind(self, kind: &KindOrAll) -> String {
        match kind {
            KindOrAll::All => say!(self, "所有类型", "every kind"),
            KindOrAll::Kind(kind) => say!(self, "“{kind}”", "{kind}"),
        }
    }
}

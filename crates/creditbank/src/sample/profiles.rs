//! Groups of learners: how large they are, when they were born, where they learn, what their records are.

use credit_types::RecordKind;

/// A group of learners.
#[derive(Debug)]
pub(super) struct Profile {
    /// How many of twenty learners belong to it.
    pub(super) share: u32,
    /// The first and last year of birth.
    pub(super) born: (i32, i32),
    /// Where they learn: of each choice, all institutions of one alternative (ids after `cn.yunjiang.`). At most
    /// eight in all, the most student numbers an identity has.
    pub(super) enrolments: &'static [&'static [&'static [&'static str]]],
    /// How often records are of each kind.
    pub(super) kinds: &'static [(RecordKind, u64)],
    /// The institution that employs them, if any.
    pub(super) employer: Option<&'static str>,
}

/// The sum of all shares, so that each learner has one profile.
pub(super) const SHARES: u32 = 20;
/// Count of profiles.
pub(super) const PROFILES_COUNT: u32 = 8;

/// The groups.
pub(super) const PROFILES: [Profile; 8] = [
    // 高校学生
    Profile {
        share: 3,
        born: (2001, 2008),
        enrolments: &[
            &[&["univ"], &["univ"], &["univ", "international"], &["international"]],
            &[&["it-association", "skills", "library", "edu-bureau"]],
        ],
        kinds: &[
            (RecordKind::FormalCourse, 62),
            (RecordKind::Exam, 12),
            (RecordKind::XCert, 10),
            (RecordKind::Activity, 10),
            (RecordKind::Award, 6),
        ],
        employer: None,
    },
    // 职业院校学生
    Profile {
        share: 2,
        born: (2003, 2010),
        enrolments: &[
            &[&["polytechnic"], &["technical-school"]],
            &[&["it-association", "skills", "library", "edu-bureau"]],
        ],
        kinds: &[
            (RecordKind::FormalCourse, 55),
            (RecordKind::SkillGrade, 15),
            (RecordKind::XCert, 15),
            (RecordKind::Activity, 8),
            (RecordKind::Exam, 4),
            (RecordKind::Award, 3),
        ],
        employer: None,
    },
    // 在职进修学员
    Profile {
        share: 4,
        born: (1975, 2004),
        enrolments: &[
            &[&["openuniv", "ce-network", "skills", "library"]],
            &[&["east-college"], &["west-college"], &["edu-bureau"]],
        ],
        kinds: &[
            (RecordKind::FormalCourse, 48),
            (RecordKind::NondegreeCourse, 16),
            (RecordKind::Exam, 12),
            (RecordKind::SkillGrade, 6),
            (RecordKind::Experience, 6),
            (RecordKind::Activity, 8),
            (RecordKind::Qualification, 4),
        ],
        employer: None,
    },
    // 专业技术人员
    Profile {
        share: 4,
        born: (1968, 2000),
        enrolments: &[
            &[&["ce-network", "skills"]],
            &[&["it-association"], &["openuniv"], &["employer-academy"]],
        ],
        kinds: &[
            (RecordKind::Cpd, 70),
            (RecordKind::NondegreeCourse, 15),
            (RecordKind::Qualification, 10),
            (RecordKind::Exam, 5),
        ],
        employer: None,
    },
    // 教师
    Profile {
        share: 2,
        born: (1968, 2000),
        enrolments: &[&[&["teachers", "openuniv", "library", "edu-bureau"]]],
        kinds: &[
            (RecordKind::Cpd, 65),
            (RecordKind::NondegreeCourse, 20),
            (RecordKind::Activity, 10),
            (RecordKind::Award, 5),
        ],
        employer: None,
    },
    // 干部
    Profile {
        share: 1,
        born: (1967, 1998),
        enrolments: &[&[&["cadre-academy", "library"]]],
        kinds: &[(RecordKind::Cpd, 80), (RecordKind::Activity, 12), (RecordKind::Award, 8)],
        employer: None,
    },
    // 产业工人和务工人员
    Profile {
        share: 2,
        born: (1970, 2005),
        enrolments: &[
            &[&["employer-academy", "skills"]],
            &[&["technical-school"], &["openuniv"]],
            &[
                &["east-college.gulou"],
                &["east-college.heping"],
                &["west-college.xinmin"],
                &["west-college.tiyuchang"],
            ],
        ],
        kinds: &[
            (RecordKind::SkillGrade, 25),
            (RecordKind::NondegreeCourse, 25),
            (RecordKind::Cpd, 20),
            (RecordKind::Experience, 15),
            (RecordKind::Activity, 15),
        ],
        employer: Some("employer-academy"),
    },
    // 老年学员和社区居民
    Profile {
        share: 2,
        born: (1940, 1966),
        enrolments: &[
            &[
                &["east-college", "east-college.gulou"],
                &["east-college", "east-college.heping"],
                &["east-college", "east-college.liuwan"],
                &["west-college", "west-college.xinmin"],
                &["west-college", "west-college.tiyuchang"],
                &["west-college", "west-college.shiqiao"],
                &["west-college", "west-college.taoyuan"],
            ],
            &[&["library"]],
        ],
        kinds: &[(RecordKind::Activity, 72), (RecordKind::NondegreeCourse, 25), (RecordKind::Award, 3)],
        employer: None,
    },
];

/// The profile of a learner, and which of that profile's learners it is, from 0.
pub(super) fn profile_of(learner: u32) -> (usize, &'static Profile, u32) {
    let round = learner.checked_div(SHARES).unwrap_or(0);
    let mut seat = learner.checked_rem(SHARES).unwrap_or(0);
    let mut found = (0, &PROFILES[0], 0);
    for (number, profile) in PROFILES.iter().enumerate() {
        if seat < profile.share {
            let rank = round.saturating_mul(profile.share).saturating_add(seat);
            return (number, profile, rank);
        }
        seat = seat.saturating_sub(profile.share);
        found = (number, profile, 0);
    }
    found
}

//! What is planned: records, offers, and what bounds them.

/// The most records of one model.
pub const RECORDS_MAX: usize = 512;
/// The most offers of one model.
pub const OFFERS_MAX: usize = 4_096;
/// The most lines of one offer: a use is split over few requirements.
pub const OFFER_LINES_MAX: usize = 16;
/// The most lines of all offers together.
pub const LINES_MAX: usize = 8_192;
/// The most records that one offer consumes: a year of study records summed into one.
pub const OFFER_RECORDS_MAX: usize = 256;
/// The most caps of one model.
pub const CAPS_MAX: usize = 1_024;
/// The most cliques of one model.
pub const CLIQUES_MAX: usize = 1_024;
/// The most needs of one model.
pub const NEEDS_MAX: usize = 256;
/// The most records of offers, members of caps and offers of cliques, together: what one look at a model costs.
pub const INCIDENCES_MAX: usize = 65_536;
/// The most bytes of the key of a record or an offer.
pub const KEY_BYTES_MAX: usize = 256;
/// The most milli-credits of one line: a million credits, as of one amount in the ledger.
pub const LINE_MILLI_MAX: i64 = credit_types::limits::CREDITS_MILLI_MAX;

/// A record that may be consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its canonical id: 1 to [`KEY_BYTES_MAX`] bytes, unlike every other record's.
    pub key: Vec<u8>,
    /// The last day on which it is good, in days since 1970; `None` if it never ends.
    pub expires_on: Option<i32>,
}

/// One legal use of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What the use is, as canonical bytes or their hash: 1 to [`KEY_BYTES_MAX`] bytes, unlike every other offer's.
    pub key: Vec<u8>,
    /// The records that it consumes, all of them whole; none for a use that consumes nothing.
    pub records: Vec<usize>,
    /// What it grants, in the order that belongs to the key.
    pub lines: Vec<Line>,
    /// Whether less than everything may be granted.
    pub mode: Mode,
}

/// What an offer grants to one need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The need that it counts to; `None` for credit that counts only to totals.
    pub need: Option<usize>,
    /// The most that it grants, in milli-credits from 0 to [`LINE_MILLI_MAX`]; 0 is a waiver.
    pub milli: i64,
}

/// Whether less than everything may be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Every line grants exactly its value.
    Whole,
    /// Each line grants a multiple of `step`, at most its value; all together at most `total`, and something.
    Trim {
        /// The granularity in milli-credits, at least 1.
        step: i64,
        /// The most that all lines grant together, in milli-credits.
        total: i64,
    },
}

/// An upper bound that holds at the same time as all others: of a rule, a kind, a kind and year, an issuer, a need, a
/// target or the programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// The most, in milli-credits or as a count; not negative. `i64::MAX` bounds nothing.
    pub limit: i64,
    /// What is bounded.
    pub by: By,
    /// The lines that it is about, as indices of an offer and of a line in it.
    pub members: Vec<(usize, usize)>,
    /// What earlier decisions have used of it, in the same unit; not negative.
    pub used: i64,
}

/// What a cap bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The credit granted on the member lines.
    Credit,
    /// The member lines of taken offers, each counted as one whatever it grants.
    Count,
}

/// Offers of which at most one is taken: the highest of a family, the best of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clique {
    /// The offers.
    pub offers: Vec<usize>,
}

/// What a programme or an award asks for. Credit above it is bounded by a cap, if it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The credit that completes it, in milli-credits, not negative; of no meaning for [`NeedKind::Met`].
    pub required: i64,
    /// What completes it.
    pub kind: NeedKind,
}

/// What completes a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NeedKind {
    /// Credit of the required amount.
    Credit,
    /// Any line of a taken offer, also one of 0; such lines belong to whole offers.
    Met,
}

/// Which uses of records are legal, and what bounds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// The records.
    pub records: Vec<Record>,
    /// The legal uses.
    pub offers: Vec<Offer>,
    /// The bounds.
    pub caps: Vec<Cap>,
    /// The exclusions.
    pub cliques: Vec<Clique>,
    /// The needs.
    pub needs: Vec<Need>,
}

/// Why a model is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// There is more of something than a model may have.
    #[error("{what} are at most {max}, are {count}; plan fewer records or narrow the rules")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
        /// How many there are.
        count: usize,
    },
    /// A key is empty, too long, or somebody else's too.
    #[error("the key of {what} {index} must be 1 to {KEY_BYTES_MAX} bytes and unlike every other")]
    Key {
        /// Of what.
        what: &'static str,
        /// Which one.
        index: usize,
    },
    /// Something names what isn't there, or names it twice.
    #[error("{what} {index} names {named}, which is not there or named twice")]
    Reference {
        /// What names it.
        what: &'static str,
        /// Which one.
        index: usize,
        /// What is named.
        named: usize,
    },
    /// An amount is out of its range.
    #[error("{what} {index} has the amount {milli}, which is out of range")]
    Amount {
        /// Of what.
        what: &'static str,
        /// Which one.
        index: usize,
        /// The amount.
        milli: i64,
    },
    /// An offer that may be trimmed counts to a need of the kind met: nobody could say whether 0 meets it.
    #[error("offer {offer} may be trimmed, so it can't count to need {need}, which is met or not")]
    TrimmedMet {
        /// The offer.
        offer: usize,
        /// The need.
        need: usize,
    },
}

impl Cap {
    /// What is left of it.
    pub fn left(&self) -> i64 {
        self.limit.saturating_sub(self.used).max(0)
    }
}

impl Offer {
    /// The most that it grants, in milli-credits.
    pub fn milli_max(&self) -> i64 {
        let lines = self.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.milli));
        match self.mode {
            Mode::Whole => lines,
            Mode::Trim { step, total } => {
                let whole = |milli: i64| milli.saturating_sub(milli.checked_rem(step).unwrap_or(0));
                let lines = self.lines.iter().fold(0_i64, |sum, line| sum.saturating_add(whole(line.milli)));
                lines.min(whole(total))
            }
        }
    }
}

impl Model {
    /// Whether the model is within its limits and names only what is there.
    pub fn validate(&self) -> Result<(), ModelError> {
        self.counts()?;
        keys("record", self.records.iter().map(|record| record.key.as_slice()))?;
        keys("offer", self.offers.iter().map(|offer| offer.key.as_slice()))?;
        for (index, offer) in self.offers.iter().enumerate() {
            self.offer(index, offer)?;
        }
        for (index, cap) in self.caps.iter().enumerate() {
            self.cap(index, cap)?;
        }
        for (index, clique) in self.cliques.iter().enumerate() {
            distinct("clique", index, &clique.offers, self.offers.len())?;
        }
        for (index, need) in self.needs.iter().enumerate() {
            amount("need", index, need.required, 0..=i64::MAX)?;
        }
        Ok(())
    }

    fn counts(&self) -> Result<(), ModelError> {
        let lines = self.offers.iter().map(|offer| offer.lines.len()).sum();
        let of_offer = |count: fn(&Offer) -> usize| self.offers.iter().map(count).max().unwrap_or(0);
        let incidences = self.offers.iter().map(|offer| offer.records.len()).sum::<usize>();
        let incidences = self.caps.iter().fold(incidences, |sum, cap| sum.saturating_add(cap.members.len()));
        let incidences =
            self.cliques.iter().fold(incidences, |sum, one| sum.saturating_add(one.offers.len()));
        for (what, max, count) in [
            ("records", RECORDS_MAX, self.records.len()),
            ("offers", OFFERS_MAX, self.offers.len()),
            ("caps", CAPS_MAX, self.caps.len()),
            ("cliques", CLIQUES_MAX, self.cliques.len()),
            ("needs", NEEDS_MAX, self.needs.len()),
            ("lines", LINES_MAX, lines),
            ("lines of an offer", OFFER_LINES_MAX, of_offer(|offer| offer.lines.len())),
            ("records of an offer", OFFER_RECORDS_MAX, of_offer(|offer| offer.records.len())),
            ("incidences", INCIDENCES_MAX, incidences),
        ] {
            if count > max {
                return Err(ModelError::TooMany { what, max, count });
            }
        }
        Ok(())
    }

    fn offer(&self, index: usize, offer: &Offer) -> Result<(), ModelError> {
        distinct("offer", index, &offer.records, self.records.len())?;
        if let Mode::Trim { step, total } = offer.mode {
            amount("offer", index, step, 1..=LINE_MILLI_MAX)?;
            amount("offer", index, total, 0..=LINE_MILLI_MAX)?;
        }
        for line in &offer.lines {
            amount("offer", index, line.milli, 0..=LINE_MILLI_MAX)?;
            let Some(named) = line.need else { continue };
            let need = self.needs.get(named).ok_or(ModelError::Reference { what: "offer", index, named })?;
            match (need.kind, offer.mode) {
                (NeedKind::Met, Mode::Trim { .. }) => {
                    return Err(ModelError::TrimmedMet { offer: index, need: named });
                }
                (NeedKind::Met, Mode::Whole) | (NeedKind::Credit, Mode::Whole | Mode::Trim { .. }) => {}
            }
        }
        Ok(())
    }

    fn cap(&self, index: usize, cap: &Cap) -> Result<(), ModelError> {
        amount("cap", index, cap.limit, 0..=i64::MAX)?;
        amount("cap", index, cap.used, 0..=i64::MAX)?;
        let mut members = cap.members.clone();
        members.sort_unstable();
        for pair in members.windows(2) {
            if let [one, other] = pair
                && one == other
            {
                return Err(ModelError::Reference { what: "cap", index, named: one.0 });
            }
        }
        for (named, line) in members {
            if self.offers.get(named).is_none_or(|offer| line >= offer.lines.len()) {
                return Err(ModelError::Reference { what: "cap", index, named });
            }
        }
        Ok(())
    }
}

fn amount(
    what: &'static str,
    index: usize,
    milli: i64,
    range: std::ops::RangeInclusive<i64>,
) -> Result<(), ModelError> {
    if range.contains(&milli) { Ok(()) } else { Err(ModelError::Amount { what, index, milli }) }
}

fn keys<'a>(what: &'static str, keys: impl Iterator<Item = &'a [u8]>) -> Result<(), ModelError> {
    let mut seen = std::collections::BTreeSet::new();
    for (index, key) in keys.enumerate() {
        if key.is_empty() || key.len() > KEY_BYTES_MAX || !seen.insert(key) {
            return Err(ModelError::Key { what, index });
        }
    }
    Ok(())
}

fn distinct(what: &'static str, index: usize, named: &[usize], count: usize) -> Result<(), ModelError> {
    let mut seen = std::collections::BTreeSet::new();
    for &one in named {
        if one >= count || !seen.insert(one) {
            return Err(ModelError::Reference { what, index, named: one });
        }
    }
    Ok(())
}

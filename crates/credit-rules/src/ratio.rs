//! Exact fractions and the one rounding that a rule may do.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// An exact fraction, reduced, with a positive denominator. Every operation says `None` where it would not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rational {
    num: i128,
    den: i128,
}

/// The greatest common divisor of two magnitudes; 1 where both are 0.
fn gcd(left: u128, right: u128) -> u128 {
    let (mut a, mut b) = (left, right);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a.max(1)
}

impl Rational {
    /// Zero.
    pub const ZERO: Self = Self { num: 0, den: 1 };
    /// One.
    pub const ONE: Self = Self { num: 1, den: 1 };

    /// `num / den`; `None` where `den` is 0 or the reduced fraction does not fit.
    pub fn new(num: i128, den: i128) -> Option<Self> {
        if den == 0 {
            return None;
        }
        let divisor = i128::try_from(gcd(num.unsigned_abs(), den.unsigned_abs())).ok()?;
        let (num, den) = (num.checked_div(divisor)?, den.checked_div(divisor)?);
        if den < 0 {
            return Some(Self { num: num.checked_neg()?, den: den.checked_neg()? });
        }
        Some(Self { num, den })
    }

    /// A whole number.
    pub fn whole(value: i64) -> Self {
        Self { num: i128::from(value), den: 1 }
    }

    /// The numerator of the reduced fraction.
    pub fn num(self) -> i128 {
        self.num
    }

    /// The denominator of the reduced fraction, at least 1.
    pub fn den(self) -> i128 {
        self.den
    }

    /// The product.
    pub fn times(self, other: Self) -> Option<Self> {
        // Reduced crosswise first: the product of two reduced fractions then needs no further division.
        let left = Self::new(self.num, other.den)?;
        let right = Self::new(other.num, self.den)?;
        Some(Self { num: left.num.checked_mul(right.num)?, den: left.den.checked_mul(right.den)? })
    }

    /// The quotient; `None` by zero.
    pub fn over(self, other: Self) -> Option<Self> {
        self.times(Self::new(other.den, other.num)?)
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Option<Self> {
        let left = self.num.checked_mul(other.den)?;
        let right = other.num.checked_mul(self.den)?;
        Self::new(left.checked_add(right)?, self.den.checked_mul(other.den)?)
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { num: other.num.checked_neg()?, den: other.den })
    }

    /// Which is larger; `None` where the comparison would not fit.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        Some(self.num.checked_mul(other.den)?.cmp(&other.num.checked_mul(self.den)?))
    }

    /// The nearest multiple of `step` by a rule of rounding, as a count of what the fraction counts.
    pub fn rounded(self, round: Round, step: i64) -> Option<i64> {
        let step = i128::from(step);
        let scaled = self.den.checked_mul(step)?;
        let whole = self.num.checked_div_euclid(scaled)?;
        let rest = self.num.checked_rem_euclid(scaled)?;
        let twice = rest.checked_mul(2)?;
        let up = match round {
            Round::Floor => false,
            Round::Truncate => self.num < 0 && rest != 0,
            Round::Ceil => rest != 0,
            // Halves go away from zero, as on every transcript.
            Round::HalfUp => twice > scaled || (twice == scaled && self.num >= 0),
            Round::HalfEven => twice > scaled || (twice == scaled && whole.checked_rem(2)? != 0),
            Round::None if rest == 0 => false,
            Round::None => return None,
        };
        let steps = whole.checked_add(i128::from(up))?;
        i64::try_from(steps.checked_mul(step)?).ok()
    }
}

impl std::fmt::Display for Rational {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

/// How an exact result becomes a multiple of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// Down.
    #[default]
    Floor,
    /// To the nearest; a half away from zero.
    HalfUp,
    /// To the nearest; a half to the even multiple.
    HalfEven,
    /// Towards zero.
    Truncate,
    /// Up; a check warns of it.
    Ceil,
    /// Not at all: a result that is no multiple is refused.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rational(num: i128, den: i128) -> Rational {
        Rational::new(num, den).unwrap()
    }

    #[test]
    fn fractions_are_reduced_and_exact() {
        assert_eq!(rational(6, -4), rational(-3, 2));
        assert_eq!(rational(6, 1).times(rational(25, 45)).unwrap(), rational(10, 3));
        assert_eq!(rational(1, 3).plus(rational(1, 6)).unwrap(), rational(1, 2));
        assert_eq!(rational(1, 3).minus(rational(1, 3)).unwrap(), Rational::ZERO);
        assert_eq!(rational(1, 2).over(Rational::ZERO), None);
        assert_eq!(Rational::new(1, 0), None);
        assert_eq!(rational(1, 3).compare(rational(1, 2)), Some(Ordering::Less));
    }

    #[test]
    fn what_does_not_fit_is_none_and_never_wraps() {
        let huge = rational(i128::MAX, 1);
        assert_eq!(huge.plus(Rational::ONE), None);
        assert_eq!(huge.times(rational(2, 1)), None);
        assert_eq!(huge.rounded(Round::Floor, 1), None);
        assert_eq!(rational(i128::from(i64::MAX), 1).rounded(Round::Floor, 1), Some(i64::MAX));
        assert_eq!(rational(i128::from(i64::MAX) + 1, 1).rounded(Round::Floor, 1), None);
        assert_eq!(Rational::new(i128::MIN, -1), None);
    }

    #[test]
    fn each_rounding_goes_its_way() {
        let cases = [
            // num, den, step, floor, half up, half even, truncate, ceil
            (21_000, 16, 100, 1_300, 1_300, 1_300, 1_300, 1_400),
            (250, 1, 100, 200, 300, 200, 200, 300),
            (350, 1, 100, 300, 400, 400, 300, 400),
            (-250, 1, 100, -300, -300, -200, -200, -200),
            (300, 1, 100, 300, 300, 300, 300, 300),
        ];
        for (num, den, step, floor, half_up, half_even, truncate, ceil) in cases {
            let value = rational(num, den);
            let all = [Round::Floor, Round::HalfUp, Round::HalfEven, Round::Truncate, Round::Ceil];
            let got = all.map(|round| value.rounded(round, step).unwrap());
            assert_eq!(got, [floor, half_up, half_even, truncate, ceil], "{value} step {step}");
        }
        assert_eq!(rational(300, 1).rounded(Round::None, 100), Some(300));
        assert_eq!(rational(301, 1).rounded(Round::None, 100), None);
        assert_eq!(rational(1, 1).rounded(Round::Floor, 0), None);
    }
}

//! The arithmetic of a batch: terms, sums of subsets, the equation.
#![expect(clippy::arithmetic_side_effects, reason = "adding points and scalars neither overflows nor panics")]

use std::collections::BTreeMap;
use std::iter::once;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity as _, VartimeMultiscalarMul as _};

use super::weights::{WEIGHT_BYTES, Weight};

/// The y of the identity, big-endian.
const Y_OF_IDENTITY: [u8; 32] = {
    let mut y = [0; 32];
    y[31] = 1;
    y
};

/// The y of the point of order 2, big-endian: p - 1 = 2^255 - 20.
const Y_OF_ORDER_TWO: [u8; 32] = {
    let mut y = [0xff; 32];
    y[0] = 0x7f;
    y[31] = 0xec;
    y
};

/// A signature as the equation takes it.
pub(super) struct Term {
    key: EdwardsPoint,
    key_bytes: [u8; 32],
    pub(super) r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

impl Term {
    /// The term of a signature; `None` where s or R are not as rule 1 wants them.
    pub(super) fn new(
        key: EdwardsPoint,
        key_bytes: [u8; 32],
        r: &[u8; 32],
        s: &[u8; 32],
        k: &[u8; 64],
    ) -> Option<Self> {
        let r = point_of_canonical(r)?;
        let s = Option::from(Scalar::from_canonical_bytes(*s))?;
        Some(Self { key, key_bytes, r, s, k: Scalar::from_bytes_mod_order_wide(k) })
    }
}

/// The point of a canonical encoding; `None` where the encoding isn't canonical, names no point, or names the identity
/// or the point of order 2.
///
/// An encoding is y below p and the sign of x. One that isn't canonical has y from p on, or the sign of x = 0, which
/// only the two points have that are refused here with either sign. What else is of small order has torsion.
pub(super) fn point_of_canonical(encoding: &[u8; 32]) -> Option<EdwardsPoint> {
    let mut y = *encoding;
    y.reverse();
    if let Some(first) = y.first_mut() {
        *first &= 0x7f;
    }
    if y == Y_OF_IDENTITY || y >= Y_OF_ORDER_TWO {
        return None;
    }
    CompressedEdwardsY(*encoding).decompress()
}

/// For each bit of the weights, from the lowest on, the sum of the points whose weight has it.
pub(super) fn bit_sums<'p>(
    points: impl Iterator<Item = &'p EdwardsPoint> + Clone,
    weights: &[Weight],
) -> Vec<EdwardsPoint> {
    let mut sums = Vec::with_capacity(WEIGHT_BYTES * 8);
    for byte in 0..WEIGHT_BYTES {
        let mut buckets = vec![EdwardsPoint::identity(); 256];
        for (point, weight) in points.clone().zip(weights) {
            let value = weight.get(byte).map_or(0, |value| usize::from(*value));
            if let Some(bucket) = buckets.get_mut(value) {
                *bucket += point;
            }
        }
        sums.extend(sums_of_bits(buckets));
    }
    sums
}

/// Of points by the value of a byte: for each bit, from the lowest on, the sum of those whose value has it. The upper
/// half has the highest bit; added to the lower half, it leaves the same question one bit narrower.
fn sums_of_bits(mut by_value: Vec<EdwardsPoint>) -> Vec<EdwardsPoint> {
    let mut sums = Vec::new();
    while by_value.len() > 1 {
        let upper = by_value.split_off(by_value.len() / 2);
        sums.push(upper.iter().sum());
        for (low, high) in by_value.iter_mut().zip(&upper) {
            *low += high;
        }
    }
    sums.reverse();
    sums
}

/// Whether each sum is in the prime-order subgroup.
pub(super) fn all_torsion_free(sums: &[EdwardsPoint]) -> bool {
    sums.iter().all(EdwardsPoint::is_torsion_free)
}

/// Whether the sum of z R, as the sums of its bits give it, is the sum of z s B - z k A.
pub(super) fn adds_up(terms: &[Term], weights: &[Weight], sums: &[EdwardsPoint]) -> bool {
    let left = sums.iter().rev().fold(EdwardsPoint::identity(), |sum, bit| sum + sum + bit);
    let mut of_base = Scalar::ZERO;
    // The terms of one key are one term.
    let mut of_keys: BTreeMap<[u8; 32], (EdwardsPoint, Scalar)> = BTreeMap::new();
    for (term, weight) in terms.iter().zip(weights) {
        let z = Scalar::from(u64::from_le_bytes(*weight));
        of_base += z * term.s;
        let (_, of_key) = of_keys.entry(term.key_bytes).or_insert((term.key, Scalar::ZERO));
        *of_key -= z * term.k;
    }
    let scalars = once(of_base).chain(of_keys.values().map(|(_, scalar)| *scalar));
    let points = once(ED25519_BASEPOINT_POINT).chain(of_keys.values().map(|(point, _)| *point));
    left == EdwardsPoint::vartime_multiscalar_mul(scalars, points)
}

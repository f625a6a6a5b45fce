//! The arithmetic beside its definition, and signatures that are made to pass where they must not.
#![expect(clippy::arithmetic_side_effects, reason = "adding points and scalars does not overflow")]

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use curve25519_dalek::traits::{Identity as _, IsIdentity as _};
use sha2::{Digest as _, Sha512};

use super::*;
use crate::envelope::{KeyError, SigningKey};

/// Draws bytes that follow from a seed.
struct Drawn {
    seed: u64,
    count: u64,
}

impl Drawn {
    fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    fn bytes(&mut self) -> [u8; 64] {
        self.count += 1;
        let counted = Sha512::new().chain_update(self.seed.to_le_bytes());
        counted.chain_update(self.count.to_le_bytes()).finalize().into()
    }

    fn below(&mut self, end: usize) -> usize {
        let drawn = u64::from_le_bytes(*self.bytes().first_chunk().unwrap());
        usize::try_from(drawn % u64::try_from(end).unwrap()).unwrap()
    }
}

fn batch_of(seed: u8) -> StrictBatch {
    StrictBatch::new(BatchSeed([seed; 32]))
}

fn scalar_of(seed: &[u8; 32]) -> Scalar {
    let hash: [u8; 64] = Sha512::digest(seed).into();
    Scalar::from_bytes_mod_order(clamp_integer(*hash.first_chunk().unwrap()))
}

/// What the equation wants of s, for an R in whatever encoding whose logarithm is `nonce`.
fn signature_with(seed: &[u8; 32], message: &[u8], r: [u8; 32], nonce: Scalar) -> [u8; 64] {
    let key = SigningKey::from_seed(*seed).public().bytes();
    let k: [u8; 64] = Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize().into();
    let s = nonce + Scalar::from_bytes_mod_order_wide(&k) * scalar_of(seed);
    [r, s.to_bytes()].concat().try_into().unwrap()
}

/// A signature that is right but for the torsion that was added to its R.
fn with_torsion(seed: &[u8; 32], message: &[u8], torsion: EdwardsPoint) -> [u8; 64] {
    let nonce =
        Scalar::from_bytes_mod_order_wide(&Sha512::digest([seed.as_slice(), message].concat()).into());
    let r = ED25519_BASEPOINT_POINT * nonce + torsion;
    signature_with(seed, message, r.compress().to_bytes(), nonce)
}

/// Adds valid signatures by so many keys in turn.
fn push_valid(batch: &mut StrictBatch, count: usize, keys: usize) {
    for number in 0..count {
        let key = SigningKey::from_seed([u8::try_from(number % keys).unwrap(); 32]);
        let message = format!("message {number}");
        batch.push(&key.public(), message.as_bytes(), &key.sign(message.as_bytes())).unwrap();
    }
}

/// Whether equation 3 alone takes a batch.
fn adds_up(batch: &StrictBatch) -> bool {
    let (terms, weights) = batch.weighed().unwrap();
    let sums = equation::bit_sums(terms.iter().map(|term| &term.r), &weights);
    equation::adds_up(&terms, &weights, &sums)
}

/// Which signatures strict verification refuses.
fn refused(batch: &StrictBatch) -> Vec<usize> {
    let verdicts = batch.signed().map(|(item, message)| item.key.verify(message, &item.signature));
    verdicts.enumerate().filter_map(|(number, verdict)| verdict.is_err().then_some(number)).collect()
}

fn named(batch: &StrictBatch) -> Vec<usize> {
    batch.verify().err().map(|FalseSignatures { numbers }| numbers).unwrap_or_default()
}

#[test]
fn valid_signatures_hold_together_however_many_there_are() {
    for (count, keys) in [(0, 1), (1, 1), (2, 1), (2, 2), (7, 3), (ALONE_MAX + 1, 5), (300, 200), (300, 1)] {
        let mut batch = batch_of(1);
        push_valid(&mut batch, count, keys);
        assert!(batch.holds_together(), "{count} by {keys}");
        assert_eq!((batch.verify(), batch.len(), batch.is_empty()), (Ok(()), count, count == 0));
    }
}

#[test]
fn a_batch_takes_so_many_signatures_and_no_more() {
    let key = SigningKey::from_seed([3; 32]);
    let signature = key.sign(b"message");
    let mut batch = batch_of(2);
    for _ in 0..BATCH_SIGNATURES_MAX {
        batch.push(&key.public(), b"message", &signature).unwrap();
    }
    assert_eq!(batch.verify(), Ok(()));
    assert_eq!(batch.push(&key.public(), b"message", &signature), Err(BatchFull));
    assert_eq!(batch.push_statement(&key.public(), "a/b", b"", &signature), Err(BatchFull));
    assert_eq!((batch.len(), batch.messages.len()), (BATCH_SIGNATURES_MAX, 7 * BATCH_SIGNATURES_MAX));
    assert!(batch.holds_together());
}

#[test]
fn a_false_signature_is_named_and_no_other_wherever_it_is() {
    for count in [1, 2, ALONE_MAX, ALONE_MAX + 1, ALONE_MAX + 40] {
        for at in [0, count / 2, count - 1] {
            let mut batch = batch_of(3);
            push_valid(&mut batch, count, 4);
            batch.items[at].signature[40] ^= 1;
            assert!(!batch.holds_together());
            assert_eq!(named(&batch), [at], "{at} of {count}");
        }
    }
}

#[test]
fn a_statement_is_checked_over_its_pre_authentication_encoding() {
    let key = SigningKey::from_seed([4; 32]);
    let signature = key.sign_statement("a/b", b"payload");
    let mut batch = batch_of(4);
    batch.push_statement(&key.public(), "a/b", b"payload", &signature).unwrap();
    batch.push(&key.public(), &crate::envelope::pae("a/b", b"payload"), &signature).unwrap();
    assert!(batch.holds_together());
    batch.push_statement(&key.public(), "a/bp", b"ayload", &signature).unwrap();
    batch.push_statement(&key.public(), "a/b", b"payload", &key.sign(b"payload")).unwrap();
    assert!(!batch.holds_together());
    assert_eq!(named(&batch), [2, 3]);
}

#[test]
fn torsion_that_cancels_out_passes_the_equation_and_not_the_test_of_subsets() {
    let seeds = [[5; 32], [6; 32]];
    for torsion in EIGHT_TORSION.into_iter().filter(|point| !point.is_identity()) {
        let mut passed = 0;
        for drawn in 0..64 {
            let mut batch = batch_of(drawn);
            for (seed, torsion) in seeds.iter().zip([torsion, -torsion]) {
                let key = SigningKey::from_seed(*seed).public();
                batch.push(&key, b"message", &with_torsion(seed, b"message", torsion)).unwrap();
            }
            passed += u32::from(adds_up(&batch));
            assert!(!batch.holds_together(), "seed {drawn}");
            if drawn == 0 {
                push_valid(&mut batch, ALONE_MAX, 3);
                assert_eq!(named(&batch), [0, 1]);
            }
        }
        // Of order 2 about every second time, of order 8 every eighth.
        let order_two = (torsion + torsion).is_identity();
        assert!(passed >= if order_two { 16 } else { 1 }, "{passed} passed");
        assert!(passed <= 48, "{passed} passed");
    }
}

#[test]
fn torsion_in_one_signature_or_in_all_is_found() {
    for torsion in EIGHT_TORSION.into_iter().filter(|point| !point.is_identity()) {
        for many in [1, 8, ALONE_MAX + 1] {
            let mut batch = batch_of(7);
            for number in 0..many {
                let seed = [u8::try_from(number).unwrap(); 32];
                let key = SigningKey::from_seed(seed).public();
                batch.push(&key, b"message", &with_torsion(&seed, b"message", torsion)).unwrap();
            }
            assert!(!batch.holds_together());
            assert_eq!(named(&batch), (0..many).collect::<Vec<_>>());
        }
    }
    // What forges here is sound where it forges nothing.
    let plain = with_torsion(&[8; 32], b"message", EdwardsPoint::identity());
    assert!(SigningKey::from_seed([8; 32]).public().verify(b"message", &plain).is_ok());
}

#[test]
fn an_r_of_small_order_is_refused_though_the_equation_holds() {
    let seed = [9; 32];
    let key = SigningKey::from_seed(seed).public();
    for torsion in EIGHT_TORSION {
        for sign in [0, 0x80] {
            let mut r = torsion.compress().to_bytes();
            r[31] ^= sign;
            let mut batch = batch_of(9);
            batch.push(&key, b"message", &signature_with(&seed, b"message", r, Scalar::ZERO)).unwrap();
            assert!(!batch.holds_together());
            push_valid(&mut batch, ALONE_MAX + 1, 2);
            assert!(!batch.holds_together());
            assert_eq!(named(&batch), [0]);
        }
    }
}

#[test]
fn a_key_with_torsion_cannot_come_into_a_batch() {
    for torsion in EIGHT_TORSION {
        let key = SigningKey::from_seed([10; 32]).public().point() + torsion;
        let admitted = PublicKey::admit(&key.compress().to_bytes()).map(|_| ());
        let want = if torsion.is_identity() { Ok(()) } else { Err(KeyError::Torsion) };
        assert_eq!(admitted, want);
    }
}

#[test]
fn only_canonical_encodings_are_points() {
    let defined = |encoding: &[u8; 32]| {
        let point = CompressedEdwardsY(*encoding).decompress()?;
        let canonical = point.compress().to_bytes() == *encoding;
        (canonical && !(point + point).is_identity()).then_some(point)
    };
    let mut encodings = Vec::new();
    for low in 0..=255u8 {
        for (fill, top) in [(0, 0), (0xff, 0x7f), (0xff, 0x7e), (0, 0x7f), (0xff, 0)] {
            let mut encoding = [fill; 32];
            (encoding[0], encoding[31]) = (low, top);
            encodings.push(encoding);
        }
    }
    let mut drawn = Drawn::new(11);
    encodings.extend((0..1_000).map(|_| *drawn.bytes().first_chunk().unwrap()));
    encodings.extend(EIGHT_TORSION.map(|point| point.compress().to_bytes()));
    let (mut points, mut others) = (0, 0);
    for mut encoding in encodings {
        for _ in 0..2 {
            let found = equation::point_of_canonical(&encoding);
            assert_eq!(found, defined(&encoding), "{encoding:?}");
            (points, others) = if found.is_some() { (points + 1, others) } else { (points, others + 1) };
            encoding[31] ^= 0x80;
        }
    }
    assert!(points > 1_000 && others > 1_000, "{points} {others}");
}

#[test]
fn the_sums_of_bits_are_what_they_are_defined_to_be() {
    let mut drawn = Drawn::new(12);
    let points: Vec<EdwardsPoint> =
        (1..=20u64).map(|n| ED25519_BASEPOINT_POINT * Scalar::from(n * n) + EIGHT_TORSION[3]).collect();
    let random = (0..20).map(|_| *drawn.bytes().first_chunk().unwrap()).collect();
    for weights in [random, vec![[0; 8]; 20], vec![[0xff; 8]; 20], vec![[1, 0, 0, 0, 0, 0, 0, 0x80]; 20]] {
        let sums = equation::bit_sums(points.iter(), &weights);
        assert_eq!(sums.len(), 64);
        for (bit, sum) in sums.iter().enumerate() {
            let has = |weight: &[u8; 8]| u64::from_le_bytes(*weight) >> bit & 1 == 1;
            let of_bit = points.iter().zip(&weights).filter(|(_, weight)| has(weight));
            assert_eq!(*sum, of_bit.map(|(point, _)| point).sum(), "bit {bit}");
        }
    }
}

#[test]
fn weights_follow_from_the_seed_and_from_all_that_is_checked() {
    let drawn = |seed: u8, bound: &[([u8; 64], [u8; 32])], count: usize| {
        let mut weights = Weights::new(&BatchSeed([seed; 32]));
        for (k, s) in bound {
            weights.bind(k, s);
        }
        weights.draw(count)
    };
    let bound = [([1; 64], [2; 32]), ([3; 64], [4; 32])];
    let first = drawn(0, &bound, 9);
    assert_eq!(drawn(0, &bound, 9), first);
    assert_eq!(drawn(0, &bound, 1), first[..1]);
    assert_ne!(drawn(1, &bound, 9), first);
    for (at, of_k) in [(0, true), (0, false), (1, true), (1, false)] {
        let mut other = bound;
        let (k, s) = &mut other[at];
        if of_k {
            k[63] ^= 1;
        } else {
            s[31] ^= 1;
        }
        assert!(drawn(0, &other, 9).iter().zip(&first).all(|(ours, theirs)| ours != theirs));
    }
    // No bit is stuck, and no weight comes twice.
    let mut many = drawn(0, &bound, 4_096);
    for bit in 0..64 {
        let ones = many.iter().filter(|weight| u64::from_le_bytes(**weight) >> bit & 1 == 1).count();
        assert!((1_848..=2_248).contains(&ones), "bit {bit}: {ones}");
    }
    many.sort_unstable();
    many.dedup();
    assert_eq!(many.len(), 4_096);
    assert_eq!(format!("{:?}", BatchSeed([0xab; 32])), "BatchSeed");
}

/// The group order L, little-endian, added to s.
fn beyond_order(signature: &mut [u8; 64]) {
    let order = (-Scalar::ONE).to_bytes();
    // L - 1, and a carry of 1.
    let mut carry = 1u16;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
}

#[test]
fn an_s_beyond_the_group_order_is_refused_though_the_equation_holds() {
    let key = SigningKey::from_seed([13; 32]);
    let mut signature = key.sign(b"message");
    beyond_order(&mut signature);
    let mut batch = batch_of(13);
    push_valid(&mut batch, ALONE_MAX, 4);
    batch.push(&key.public(), b"message", &signature).unwrap();
    assert!(!batch.holds_together());
    assert_eq!(named(&batch), [ALONE_MAX]);
}

/// Pushes a signature with one of the things that can be wrong with it, or with none.
fn push_bent(batch: &mut StrictBatch, drawn: &mut Drawn) {
    let seed = [u8::try_from(drawn.below(20)).unwrap(); 32];
    let key = SigningKey::from_seed(seed);
    let message = drawn.bytes();
    let message = &message[..drawn.below(64)];
    let mut signature = key.sign(message);
    let mut public = key.public();
    match drawn.below(8) {
        0 => signature[drawn.below(64)] ^= 1 << drawn.below(8),
        1 => beyond_order(&mut signature),
        2 => signature = with_torsion(&seed, message, EIGHT_TORSION[drawn.below(8)]),
        3 => {
            let r = EIGHT_TORSION[drawn.below(8)].compress().to_bytes();
            signature = signature_with(&seed, message, r, Scalar::ZERO);
        }
        4 => public = SigningKey::from_seed([0xee; 32]).public(),
        5 => signature = key.sign(b"another message"),
        6 => signature[31] ^= 0x80,
        _ => signature = drawn.bytes(),
    }
    batch.push(&public, message, &signature).unwrap();
}

#[test]
fn bent_batches_are_judged_as_strict_verification_judges_them() {
    let (mut sound, mut bent) = (0, 0);
    for seed in 0..60 {
        let mut drawn = Drawn::new(seed);
        let mut batch = batch_of(drawn.bytes()[0]);
        let bad = [0, 0, 1, 1, 2, 40][drawn.below(6)];
        let size = drawn.below(2 * ALONE_MAX);
        let places: Vec<usize> = (0..bad).map(|_| drawn.below(size + 1)).collect();
        for number in 0..=size {
            if places.contains(&number) {
                push_bent(&mut batch, &mut drawn);
            } else {
                let key = SigningKey::from_seed([u8::try_from(drawn.below(20)).unwrap(); 32]);
                let message = drawn.bytes();
                batch.push(&key.public(), &message, &key.sign(&message)).unwrap();
            }
        }
        let refused = refused(&batch);
        assert_eq!(batch.holds_together(), refused.is_empty(), "seed {seed}");
        assert_eq!(named(&batch), refused, "seed {seed}");
        (sound, bent) = if refused.is_empty() { (sound + 1, bent) } else { (sound, bent + 1) };
    }
    assert!(sound > 5 && bent > 20, "{sound} sound, {bent} bent");
}

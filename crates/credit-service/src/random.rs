//! All randomness of the running ledger, from the operating system's generator.

use crate::failure::Failure;
use credit_types::{AccountRef, CommandId, Epoch};

/// `N` random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut out = [0u8; N];
    getrandom::fill(&mut out).map_err(|error| Failure::Fault(format!("draw random bytes: {error}")))?;
    Ok(out)
}

/// A new account's id.
pub(crate) fn account_ref() -> Result<AccountRef, Failure> {
    bytes().map(AccountRef)
}

/// A run's id.
pub(crate) fn epoch() -> Result<Epoch, Failure> {
    bytes().map(Epoch)
}

/// A UUIDv7 for a statement of our own.
pub fn command_id(now_us: i64) -> Result<CommandId, Failure> {
    let millis = u64::try_from(now_us.div_euclid(1_000)).unwrap_or(0);
    let random = bytes::<10>()?;
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
    Ok(CommandId(*id.as_bytes()))
}

/// An account number: 15 random digits and the ISO 7064 MOD 11,10 check digit.
pub(crate) fn account_number() -> Result<String, Failure> {
    let mut digits = Vec::with_capacity(ACCOUNT_DIGITS);
    while digits.len() < ACCOUNT_DIGITS {
        let [byte] = bytes::<1>()?;
        // 250 is a multiple of 10: what lies above would favour the digits 0 to 5.
        if byte < 250 {
            digits.push(byte % 10);
        }
    }
    let check = check_digit(&digits);
    Ok(digits.iter().chain([&check]).map(|digit| char::from(b'0'.saturating_add(*digit))).collect())
}

/// Digits of an account number without its check digit.
const ACCOUNT_DIGITS: usize = 15;

/// ISO 7064 MOD 11,10 over digits 0 to 9.
fn check_digit(digits: &[u8]) -> u8 {
    let product = digits.iter().fold(10u8, |product, digit| {
        let sum = product.saturating_add(*digit) % 10;
        let sum = if sum == 0 { 10 } else { sum };
        sum.saturating_mul(2) % 11
    });
    11u8.saturating_sub(product) % 10
}

/// Whether a text is an account number with a right check digit.
pub(crate) fn is_account_number(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().map(|byte| byte.wrapping_sub(b'0')).collect();
    match digits.split_last() {
        Some((check, rest)) => {
            rest.len() == ACCOUNT_DIGITS
                && digits.iter().all(|digit| *digit < 10)
                && *check == check_digit(rest)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        // ISO 7064 MOD 11,10: the standard's own example 0794 has check digit 5.
        assert_eq!(check_digit(&[0, 7, 9, 4]), 5);
    }

    #[test]
    fn an_account_number_is_sixteen_digits_and_every_single_error_shows() {
        let number = account_number().unwrap();
        assert_eq!(number.len(), 16);
        assert!(is_account_number(&number));
        for at in 0..16 {
            for digit in b'0'..=b'9' {
                let mut wrong = number.clone().into_bytes();
                if wrong[at] != digit {
                    wrong[at] = digit;
                    assert!(!is_account_number(std::str::from_utf8(&wrong).unwrap()));
                }
            }
        }
        assert!(!is_account_number(""));
        assert!(!is_account_number(&number[1..]));
    }
}

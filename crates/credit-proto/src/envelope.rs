//! The envelope of a signed statement: type, payload, signatures.

use credit_types::Kid;
use credit_types::limits::{PAYLOAD_BYTES_MAX, PAYLOAD_TYPE_BYTES_MAX, SIGNATURES_MAX};

use crate::field::{ascending, ascii, count, ensure, sized};
use crate::invalid::{At as _, InvalidField};
use crate::{strict, v1};

/// The bytes of an Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

/// A signed statement as it travels and as it stands in the log; what its signatures are worth isn't known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The payload type.
    pub payload_type: String,
    /// The canonical bytes of the message that the type names.
    pub payload: Vec<u8>,
    /// The signatures, 1 to 16, ascending by kid, no kid twice.
    pub signatures: Vec<(Kid, [u8; 64])>,
}

impl Envelope {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        strict::encode(&v1::Envelope::from(self))
    }

    /// Reads canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidField> {
        strict::decode::<v1::Envelope>(bytes)?.try_into()
    }
}

impl TryFrom<v1::Envelope> for Envelope {
    type Error = InvalidField;

    fn try_from(wire: v1::Envelope) -> Result<Self, InvalidField> {
        Self::within(wire, PAYLOAD_BYTES_MAX)
    }
}

impl Envelope {
    /// Takes an envelope with a payload of at most so many bytes.
    pub(crate) fn within(wire: v1::Envelope, payload_bytes_max: usize) -> Result<Self, InvalidField> {
        let v1::Envelope { payload_type, payload, signatures: wires } = wire;
        let payload_type = ascii("payload_type", payload_type, 1..=PAYLOAD_TYPE_BYTES_MAX)?;
        if payload.len() > payload_bytes_max {
            let problem =
                format!("has {} bytes, must have at most {payload_bytes_max}: shorten it", payload.len());
            return Err(InvalidField::new("payload", problem));
        }
        count("signatures", &wires, 1..=SIGNATURES_MAX)?;
        let mut signatures = Vec::with_capacity(wires.len());
        for (position, wire) in wires.into_iter().enumerate() {
            signatures.push(signature(wire).at_element("signatures", position)?);
        }
        ascending("signatures", signatures.iter().map(|(kid, _)| kid))?;
        Ok(Self { payload_type, payload, signatures })
    }
}

fn signature(wire: v1::Signature) -> Result<(Kid, [u8; 64]), InvalidField> {
    let v1::Signature { kid, signature } = wire;
    let kid = sized("kid", &kid, Kid::from_slice)?;
    ensure(!signature.is_empty(), "signature", "is missing: set it")?;
    let signature = <[u8; SIGNATURE_BYTES]>::try_from(signature).map_err(|signature| {
        let problem =
            format!("must be {SIGNATURE_BYTES} bytes, is {}: send the whole value", signature.len());
        InvalidField::new("signature", problem)
    })?;
    Ok((kid, signature))
}

impl From<&Envelope> for v1::Envelope {
    fn from(envelope: &Envelope) -> Self {
        let Envelope { payload_type, payload, signatures } = envelope;
        let signatures = signatures
            .iter()
            .map(|(kid, signature)| v1::Signature { kid: kid.0.to_vec(), signature: signature.to_vec() })
            .collect();
        Self { payload_type: payload_type.clone(), payload: payload.clone(), signatures }
    }
}

impl From<Envelope> for v1::Envelope {
    fn from(envelope: Envelope) -> Self {
        Self::from(&envelope)
    }
}

//! Institutions, their keys, frameworks: what the authority and owners of keys sign.

use credit_log::envelope::SigningKey;
use credit_proto::{Signable, v1};
use credit_types::{
    FrameworkPublication, InstitutionAdmission, KeyAddition, KeyCompromise, KeyPurpose, KeyRetirement, Kid,
    ProtocolUpgrade, SignerId,
};

use crate::builder::Client;
use crate::call::registry;
use crate::error::ClientError;
use crate::outbox;
use crate::receipt::Recorded;
use crate::signer::{AuthoritySigner, Outgoing, SignerError, seal};

/// Who decides about an institution's keys.
#[derive(Debug, Clone, Copy)]
pub enum KeyAuthority<'a> {
    /// The institution itself, by its KEYS key or, without one, its RECOVERY key.
    Owner,
    /// The authority, k of n.
    Authority(&'a AuthoritySigner),
}

/// Which of the keys at hand are the private halves of those that a statement brings.
fn possession(
    brought: impl IntoIterator<Item = Kid>,
    keys: &[SigningKey],
) -> Result<Vec<&SigningKey>, SignerError> {
    let of = |kid: Kid| keys.iter().find(|key| key.public().kid() == kid.0);
    brought.into_iter().map(|kid| of(kid).ok_or(SignerError::NoPossession { kid })).collect()
}

impl Client {
    /// Signs what the authority says, or an owner about keys.
    pub(crate) async fn about_keys<B: Signable>(
        &self,
        by: KeyAuthority<'_>,
        body: &B,
        possession: &[&SigningKey],
    ) -> Result<Outgoing, ClientError> {
        let outgoing = match by {
            KeyAuthority::Authority(authority) => {
                let header = self.header(SignerId::Authority).await?;
                seal(&header, body, &authority.with(possession))?
            }
            KeyAuthority::Owner => {
                let header = self.header(self.signer_id()?).await?;
                let own = self.signer()?.key(&[KeyPurpose::Keys, KeyPurpose::Recovery])?;
                let keys: Vec<&SigningKey> = [own].into_iter().chain(possession.iter().copied()).collect();
                seal(&header, body, &keys)?
            }
        };
        if let Some(folder) = &self.shared.outbox {
            outbox::keep(folder, &outgoing).map_err(ClientError::Outbox)?;
        }
        Ok(outgoing)
    }

    /// Admits an institution: signed by the authority, and by each of its first keys as a proof of possession.
    pub async fn admit_institution(
        &self,
        authority: &AuthoritySigner,
        admission: &InstitutionAdmission,
        new_keys: &[SigningKey],
    ) -> Result<Recorded, ClientError> {
        let possession = possession(admission.keys.iter().map(|key| key.key.kid), new_keys)?;
        let outgoing = self.about_keys(KeyAuthority::Authority(authority), admission, &possession).await?;
        let envelope = Some((&outgoing.envelope).into());
        let request = v1::AdmitInstitutionRequest { envelope, want_receipt: true };
        let call = |channel, request| async move { registry(channel).admit_institution(request).await };
        let v1::AdmitInstitutionResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("AdmitInstitution", &outgoing, position).await?.0)
    }

    /// Publishes a framework, signed by the authority.
    pub async fn publish_framework(
        &self,
        authority: &AuthoritySigner,
        framework: &FrameworkPublication,
    ) -> Result<Recorded, ClientError> {
        let outgoing = self.about_keys(KeyAuthority::Authority(authority), framework, &[]).await?;
        let envelope = Some((&outgoing.envelope).into());
        let request = v1::PublishFrameworkRequest { envelope, want_receipt: true };
        let call = |channel, request| async move { registry(channel).publish_framework(request).await };
        let v1::PublishFrameworkResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("PublishFramework", &outgoing, position).await?.0)
    }

    /// Announces a newer protocol or format, signed by the authority. It holds from the next entry on.
    pub async fn upgrade_protocol(
        &self,
        authority: &AuthoritySigner,
        upgrade: ProtocolUpgrade,
    ) -> Result<Recorded, ClientError> {
        let outgoing = self.about_keys(KeyAuthority::Authority(authority), &upgrade, &[]).await?;
        let envelope = Some((&outgoing.envelope).into());
        let request = v1::UpgradeProtocolRequest { envelope, want_receipt: true };
        let call = |channel, request| async move { registry(channel).upgrade_protocol(request).await };
        let v1::UpgradeProtocolResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("UpgradeProtocol", &outgoing, position).await?.0)
    }

    /// Adds a key, which signs too as a proof of possession.
    pub async fn add_key(
        &self,
        by: KeyAuthority<'_>,
        addition: &KeyAddition,
        new_key: &SigningKey,
    ) -> Result<Recorded, ClientError> {
        let possession = possession([addition.key.key.kid], std::slice::from_ref(new_key))?;
        let outgoing = self.about_keys(by, addition, &possession).await?;
        let envelope = Some((&outgoing.envelope).into());
        let request = v1::AddSigningKeyRequest { envelope, want_receipt: true };
        let call = |channel, request| async move { registry(channel).add_signing_key(request).await };
        let v1::AddSigningKeyResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("AddSigningKey", &outgoing, position).await?.0)
    }

    /// Retires a key: nothing that it signs from the entry on is accepted; what it signed stays.
    pub async fn retire_key(
        &self,
        by: KeyAuthority<'_>,
        retirement: &KeyRetirement,
    ) -> Result<Recorded, ClientError> {
        let outgoing = self.about_keys(by, retirement, &[]).await?;
        let envelope = Some((&outgoing.envelope).into());
        let request = v1::RetireSigningKeyRequest { envelope, want_receipt: true };
        let call = |channel, request| async move { registry(channel).retire_signing_key(request).await };
        let v1::RetireSigningKeyResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("RetireSigningKey", &outgoing, position).await?.0)
    }

    /// Reports a key as compromised: nothing that it signs is accepted, and what it signed from the suspect index on
    /// is in doubt.
    pub async fn report_key_compromise(
        &self,
        by: KeyAuthority<'_>,
        compromise: &KeyCompromise,
    ) -> Result<Recorded, ClientError> {
        let outgoing = self.about_keys(by, compromise, &[]).await?;
        let envelope = Some((&outgoing.envelope).into());
        let request = v1::ReportKeyCompromiseRequest { envelope, want_receipt: true };
        let call = |channel, request| async move { registry(channel).report_key_compromise(request).await };
        let v1::ReportKeyCompromiseResponse { position } = self.call(request, call).await?;
        Ok(self.recorded("ReportKeyCompromise", &outgoing, position).await?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_that_a_statement_brings_signs_for_itself_and_none_else() {
        let keys: Vec<SigningKey> = (1..=3).map(|seed| SigningKey::from_seed([seed; 32])).collect();
        let kid = |seed| Kid(SigningKey::from_seed([seed; 32]).public().kid());
        let found = possession([kid(3), kid(1)], &keys).unwrap();
        let found: Vec<Kid> = found.into_iter().map(|key| Kid(key.public().kid())).collect();
        assert_eq!(found, [kid(3), kid(1)]);
        let missing = possession([kid(1), kid(9)], &keys).unwrap_err();
        assert_eq!(missing, SignerError::NoPossession { kid: kid(9) });
    }
}

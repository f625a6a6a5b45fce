//! Qualification frameworks.

use credit_types::limits::{LEVEL_TENTHS_MAX, SCHEME_MINUTES_MAX, SCHEMES_MAX, STEP_MILLI_MAX};
use credit_types::{CreditScheme, FrameworkId, FrameworkPublication, Header, LevelScale, SchemeId};

use crate::enumeration::Enumerated as _;
use crate::field::{ascending, count, enumeration, named, range, text, text_wire};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::{Reading, Stage};
use crate::statement::{Signable, header, header_wire};
use crate::v1;

impl Signable for FrameworkPublication {
    const TYPE: &'static str = payload_type::FRAMEWORK_PUBLICATION;
    type Wire = v1::FrameworkPublication;

    fn to_wire(&self, header: Option<&Header>) -> v1::FrameworkPublication {
        let Self { framework_id, version, title, schemes, levels } = self;
        v1::FrameworkPublication {
            header: header_wire(header),
            framework_id: framework_id.as_str().to_owned(),
            version: *version,
            title: text_wire(title),
            schemes: schemes.iter().map(scheme_wire).collect(),
            levels: levels.as_ref().map(scale_wire),
        }
    }

    fn from_wire(
        wire: v1::FrameworkPublication,
        reading: Reading,
    ) -> Result<(Option<Header>, Self), InvalidField> {
        let v1::FrameworkPublication {
            header: header_wire,
            framework_id,
            version,
            title,
            schemes: scheme_wires,
            levels,
        } = wire;
        let header = header(header_wire)?;
        count("schemes", &scheme_wires, 0..=SCHEMES_MAX)?;
        let mut schemes = Vec::with_capacity(scheme_wires.len());
        for (position, wire) in scheme_wires.into_iter().enumerate() {
            schemes.push(scheme(wire, reading.stage).at_element("schemes", position)?);
        }
        let ids: Vec<&SchemeId> = schemes.iter().map(|scheme| &scheme.scheme_id).collect();
        ascending("schemes", &ids)?;
        let body = Self {
            framework_id: named("framework_id", framework_id, FrameworkId::new)?,
            version: range("version", version, 1..=u32::MAX)?,
            title: text("title", title, reading.stage)?,
            schemes,
            levels: levels.map(scale).transpose().at("levels")?,
        };
        Ok((header, body))
    }
}

fn scheme(wire: v1::CreditScheme, stage: Stage) -> Result<CreditScheme, InvalidField> {
    let v1::CreditScheme { scheme_id, kind, step_milli, notional_minutes, label } = wire;
    Ok(CreditScheme {
        scheme_id: named("scheme_id", scheme_id, SchemeId::new)?,
        kind: enumeration("kind", kind)?,
        step_milli: range("step_milli", step_milli, 1..=STEP_MILLI_MAX)?,
        notional_minutes: range("notional_minutes", notional_minutes, 0..=SCHEME_MINUTES_MAX)?,
        label: text("label", label, stage)?,
    })
}

fn scheme_wire(scheme: &CreditScheme) -> v1::CreditScheme {
    let CreditScheme { scheme_id, kind, step_milli, notional_minutes, label } = scheme;
    v1::CreditScheme {
        scheme_id: scheme_id.as_str().to_owned(),
        kind: kind.number(),
        step_milli: *step_milli,
        notional_minutes: *notional_minutes,
        label: text_wire(label),
    }
}

fn scale(wire: v1::LevelScale) -> Result<LevelScale, InvalidField> {
    let v1::LevelScale { min_tenths, max_tenths, step_tenths } = wire;
    Ok(LevelScale {
        min_tenths: range("min_tenths", min_tenths, 0..=LEVEL_TENTHS_MAX)?,
        max_tenths: range("max_tenths", max_tenths, min_tenths..=LEVEL_TENTHS_MAX)?,
        step_tenths: range("step_tenths", step_tenths, 1..=LEVEL_TENTHS_MAX)?,
    })
}

fn scale_wire(scale: &LevelScale) -> v1::LevelScale {
    let LevelScale { min_tenths, max_tenths, step_tenths } = *scale;
    v1::LevelScale { min_tenths, max_tenths, step_tenths }
}

//! One look at everything: what is wrong is raised once, what is right again is said once, and both are on the disk
//! before anybody is told.

use super::super::Context;
use super::super::evidence::{Evidence, Judgement, Shown};
use super::super::labels::instant;
use super::alarm::{Found, worse};
use super::follow::{Conflict, Follower, Round, SeenHead, Trouble};
use super::service::{Meaning, SETTLED, Service, ServiceTrouble, meaning};
use super::state::{Folder, Standing, State};
use super::webhook::Webhook;
use super::{is_over, not_kept, passed};
use crate::ending::{CommandError, Exit};
use crate::language::{Language, Phrase};
use credit_client::Trust;
use credit_log::policy::{Policy, not_before_s};
use credit_service::clock::Clock;
use credit_types::{Digest, Text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How long what may pass is borne.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) stalled_s: u64,
    pub(super) unreachable_s: u64,
    pub(super) witnessed_s: u64,
}

/// A monitor at work.
pub(super) struct Monitor {
    pub(super) trust: Trust,
    pub(super) url: String,
    pub(super) bounds: Bounds,
    pub(super) folder: Folder,
    pub(super) state: State,
    pub(super) follower: Follower,
    pub(super) service: Option<Service>,
    pub(super) webhook: Option<Webhook>,
    pub(super) clock: Clock,
}

/// What a look has found, and which alarms it can say something about.
#[derive(Default)]
struct Looked {
    found: Vec<Found>,
    settled: BTreeSet<&'static str>,
    round: Option<Round>,
    witnessed: Option<bool>,
}

/// The alarms that a good look at the log settles.
const LOG_SETTLES: [&str; 5] =
    ["FORK", "ROLLBACK", "CHECKPOINT_INVALID", "BAD_ENTRY:CORES", "NEEDS_NEWER_VERIFIER"];

impl Monitor {
    /// Looks once; how a monitor ends that stops here.
    pub(super) async fn round(&mut self, context: &Context) -> Result<Exit, CommandError> {
        let now_us = self.clock.now_us();
        let mut looked = Looked::default();
        self.look_at_log(&mut looked, now_us)?;
        if looked.round.is_some() {
            self.look_at_witnesses(context, &mut looked, now_us).await?;
            self.look_at_service(context, &mut looked, now_us).await?;
        }
        self.settle(context, &looked, now_us)?;
        let exits = self.state.standing.values().map(|standing| {
            [Exit::Refused, Exit::Usage, Exit::Broken, Exit::Unreachable, Exit::NeedsNewer]
                .into_iter()
                .find(|exit| exit.number() == standing.exit)
                .unwrap_or(Exit::Broken)
        });
        Ok(exits.fold(Exit::Done, worse))
    }

    /// Whether something still waits for the webhook.
    pub(super) fn undelivered(&self) -> bool {
        self.webhook.is_some() && !self.state.queue.is_empty()
    }

    fn look_at_log(&mut self, looked: &mut Looked, now_us: i64) -> Result<(), CommandError> {
        let outcome = self.follower.round();
        if let Err(Trouble::Silent(detail)) = &outcome {
            let since = *self.state.log_silent_us.get_or_insert(now_us);
            if is_over(since, now_us, self.bounds.unreachable_s) {
                looked.found.push(Found::unreachable("log", passed(since, now_us), detail));
            }
        } else {
            self.state.log_silent_us = None;
            looked.settled.insert("UNREACHABLE:log");
        }
        match outcome {
            Ok(round) => {
                looked.settled.extend(LOG_SETTLES);
                if self.state.shown != digest(&round.shown) {
                    self.state.shown = digest(&round.shown);
                    self.state.fresh_at_us = now_us;
                    looked.settled.insert("STALLED");
                }
                self.state.head = Some(round.seen.note.clone());
                self.state.recorded_at_us = self.follower.recorded_at_us();
                looked.round = Some(round);
            }
            Err(Trouble::Silent(_)) => {}
            Err(Trouble::Wrong(found)) => looked.found.push(found),
            Err(Trouble::Conflict(conflict)) => {
                let found = self.convict(*conflict, &self.url, now_us)?;
                looked.found.push(found);
            }
            Err(Trouble::Ended(error)) => return Err(error),
        }
        if is_over(self.state.fresh_at_us, now_us, self.bounds.stalled_s) {
            let size = self.follower.seen().map(|seen| seen.head.size);
            looked.found.push(Found::stalled(size, passed(self.state.fresh_at_us, now_us)));
        }
        Ok(())
    }

    /// Keeps both heads as evidence.
    fn convict(&self, conflict: Conflict, from: &str, now_us: i64) -> Result<Found, CommandError> {
        let Conflict { code, seen, shown, prefix } = conflict;
        let (seen_size, shown_size) = (seen.head.size, shown.head.size);
        let as_shown =
            |seen: SeenHead, at_us, from: &str| Shown { checkpoint: seen.note, at_us, from: from.to_owned() };
        let seen = as_shown(seen, self.state.fresh_at_us, &self.url);
        let evidence = Evidence::new(&self.trust, seen, as_shown(shown, now_us, from), prefix);
        let judged = evidence.judge(&self.trust).map_err(not_kept)?;
        let path = self.folder.evidence_path(code, seen_size, shown_size);
        Folder::keep(&path, &evidence)?;
        let proved = judged.judgement == Judgement::TwoHistories;
        Ok(Found::conflict(code, seen_size, shown_size, proved, &path.display().to_string()))
    }

    async fn look_at_witnesses(
        &mut self,
        context: &Context,
        looked: &mut Looked,
        now_us: i64,
    ) -> Result<(), CommandError> {
        let Some(policy) = self.trust.witness_policy.clone().filter(Policy::asks_for_witnesses) else {
            return Ok(());
        };
        let Some(Round { seen: SeenHead { note, head }, shown: _, new: _ }) = &looked.round else {
            return Ok(());
        };
        let size = head.size;
        let mut witnessed = match policy.judge(note, not_before_s(self.state.recorded_at_us)) {
            Ok(judged) => judged.met.then_some(size),
            Err(error) => {
                looked.settled.remove("CHECKPOINT_INVALID");
                looked.found.push(Found::invalid(&error.to_string()));
                return Ok(());
            }
        };
        if witnessed.is_none()
            && let Some(service) = &self.service
        {
            match service.witnessed(context).await {
                Ok(size) => witnessed = size,
                Err(trouble) => self.troubled(trouble, looked, now_us)?,
            }
        }
        looked.settled.insert("NOT_WITNESSED");
        looked.witnessed = Some(witnessed == Some(size));
        let awaited =
            self.state.unwitnessed.filter(|(from, _)| witnessed.is_none_or(|reached| reached < *from));
        self.state.unwitnessed = match (awaited, witnessed) {
            (_, Some(reached)) if reached >= size => None,
            (Some(awaited), _) => Some(awaited),
            (None, _) => Some((size, now_us)),
        };
        if let Some((from, since_us)) = self.state.unwitnessed
            && is_over(since_us, now_us, self.bounds.witnessed_s)
        {
            looked.found.push(Found::not_witnessed(from, passed(since_us, now_us)));
        }
        Ok(())
    }

    async fn look_at_service(
        &mut self,
        context: &Context,
        looked: &mut Looked,
        now_us: i64,
    ) -> Result<(), CommandError> {
        let (Some(service), Some(round)) = (&mut self.service, &looked.round) else { return Ok(()) };
        match service.round(context, &self.trust, &mut self.state, round, now_us).await {
            Ok(found) => {
                self.state.service_silent_us = None;
                looked.settled.extend(SETTLED);
                looked.found.extend(found);
                Ok(())
            }
            Err(trouble) => self.troubled(trouble, looked, now_us),
        }
    }

    fn troubled(
        &mut self,
        trouble: ServiceTrouble,
        looked: &mut Looked,
        now_us: i64,
    ) -> Result<(), CommandError> {
        match meaning(trouble, &self.trust) {
            Meaning::Silent(detail) => {
                let since = *self.state.service_silent_us.get_or_insert(now_us);
                if is_over(since, now_us, self.bounds.unreachable_s) {
                    looked.found.push(Found::unreachable("service", passed(since, now_us), &detail));
                }
            }
            Meaning::Conflict(heads) => {
                let (seen, shown) = *heads;
                if let Trouble::Conflict(conflict) = self.follower.conflict(seen, shown) {
                    looked.settled.remove(conflict.code.name());
                    let found = self.convict(*conflict, "service", now_us)?;
                    looked.found.push(found);
                }
            }
            Meaning::Wrong(found) => looked.found.push(found),
            Meaning::Ended(error) => return Err(error),
        }
        Ok(())
    }

    /// Raises what is new, says what is right again, keeps both, and tells.
    fn settle(&mut self, context: &Context, looked: &Looked, now_us: i64) -> Result<(), CommandError> {
        let mut told: Vec<(Text, Value)> = Vec::new();
        for found in &looked.found {
            if self.state.raise(found, now_us) {
                told.push((found.text.clone(), self.alarm(found, now_us)));
            }
        }
        let stands: BTreeSet<String> = looked.found.iter().map(Found::key).collect();
        let is_settled = |key: &str| {
            looked.settled.iter().any(|settled| key == *settled || key.starts_with(&format!("{settled}:")))
        };
        let gone: Vec<String> = self
            .state
            .standing
            .keys()
            .filter(|key| !stands.contains(*key) && is_settled(key))
            .cloned()
            .collect();
        for key in gone {
            if let Some(standing) = self.state.standing.remove(&key) {
                let text = Phrase::MonitorCleared.with(&[&key]);
                told.push((text.clone(), self.cleared(&key, &standing, &text, now_us)));
            }
        }
        if self.webhook.is_some() {
            for (_, document) in &told {
                self.state.enqueue(document.clone())?;
            }
        }
        self.folder.save(&self.state)?;
        for (text, document) in &told {
            tell(context, text, document);
        }
        self.heartbeat(context, looked, now_us);
        self.deliver(context)
    }

    /// Posts what waits for the webhook.
    fn deliver(&mut self, context: &Context) -> Result<(), CommandError> {
        let Some(webhook) = &self.webhook else { return Ok(()) };
        let waiting = self.state.queue.len();
        if let Err(why) = webhook.deliver(&mut self.state) {
            context.output.note(Phrase::MonitorNotDelivered, &[&self.state.queue.len(), &why]);
        }
        if self.state.queue.len() == waiting { Ok(()) } else { self.folder.save(&self.state) }
    }

    fn alarm(&self, found: &Found, now_us: i64) -> Value {
        let Found { code, about, text: Text { zh, en }, more } = found;
        let document = json!({
            "event": "alarm",
            "code": code.name(),
            "about": about,
            "exit": code.exit().number(),
            "at_us": now_us,
            "log": self.url,
            "log_id": self.trust.log_id.to_string(),
            "origin": self.trust.origin,
            "message_zh": zh,
            "message_en": en,
        });
        super::super::recorded::with(document, more.clone())
    }

    fn cleared(&self, key: &str, standing: &Standing, text: &Text, now_us: i64) -> Value {
        json!({
            "event": "cleared",
            "code": standing.code,
            "about": key.split_once(':').map(|(_, about)| about),
            "since_us": standing.since_us,
            "at_us": now_us,
            "log": self.url,
            "log_id": self.trust.log_id.to_string(),
            "origin": self.trust.origin,
            "message_zh": text.zh,
            "message_en": text.en,
        })
    }

    /// A line for each look, so that who reads them can tell a quiet log from a dead monitor.
    fn heartbeat(&self, context: &Context, looked: &Looked, now_us: i64) {
        let seen = self.follower.seen();
        let size = seen.map(|seen| seen.head.size);
        let root = seen.map(|seen| Digest(seen.head.root).to_string());
        let new = looked.round.as_ref().map(|round| round.new);
        let standing: Vec<&String> = self.state.standing.keys().collect();
        let audited = self.service.as_ref().and_then(Service::audited);
        context.output.line(
            Phrase::MonitorLooked,
            &[
                &instant(now_us, 480),
                &size.unwrap_or(0),
                &new.unwrap_or(0),
                &root.clone().unwrap_or_default(),
                &standing.len(),
            ],
        );
        context.output.json(&json!({
            "event": "looked",
            "at_us": now_us,
            "size": size,
            "root": root,
            "new": new,
            "recorded_at_us": self.state.recorded_at_us,
            "fresh_at_us": self.state.fresh_at_us,
            "witnessed": looked.witnessed,
            "audited": audited,
            "standing": standing,
            "undelivered": self.state.queue.len(),
        }));
    }
}

/// What the log shows of itself, as it is kept.
fn digest(shown: &str) -> String {
    Digest(credit_log::hash::sha256(shown.as_bytes())).to_string()
}

fn tell(context: &Context, text: &Text, document: &Value) {
    let is_alarm = document.get("event").and_then(Value::as_str) == Some("alarm");
    if is_alarm {
        let code = document.get("code").and_then(Value::as_str).unwrap_or_default();
        let of = |language: Language| Phrase::MonitorAlarm.with(&[&code, &language.of(text)]);
        context.output.text(&Text { zh: of(Language::Zh).zh, en: of(Language::En).en });
    } else {
        context.output.text(text);
    }
    context.output.json(document);
}

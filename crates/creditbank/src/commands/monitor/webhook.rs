//! Alarms posted to an address. What could not be delivered stays in the state and is tried again; the same document may
//! arrive twice, never not at all.

use super::state::{Delivery, State};
use std::time::Duration;
use ureq::Agent;

/// How long a delivery may take.
const POST_TIME: Duration = Duration::from_secs(10);
/// How often a document is posted in one round, at most.
pub(crate) const POST_TRIES_MAX: u32 = 3;
/// How long to wait before the next try.
const TRY_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 500 });

/// Where alarms go.
pub(super) struct Webhook {
    agent: Agent,
    url: String,
}

impl Webhook {
    pub(super) fn new(url: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(POST_TIME))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("creditbank/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: Agent::new_with_config(config), url: url.to_owned() }
    }

    /// Posts what waits, in its order, up to the first that is not taken; what was taken is out of the queue. Says why
    /// the rest still waits.
    pub(super) fn deliver(&self, state: &mut State) -> Result<(), String> {
        let waiting = std::mem::take(&mut state.queue);
        let mut waiting = waiting.into_iter();
        while let Some(delivery) = waiting.next() {
            if let Err(why) = self.post(&delivery) {
                state.queue = std::iter::once(delivery).chain(waiting).collect();
                return Err(why);
            }
        }
        Ok(())
    }

    fn post(&self, delivery: &Delivery) -> Result<(), String> {
        let Delivery { number, document } = delivery;
        let mut document = document.clone();
        if let serde_json::Value::Object(fields) = &mut document {
            fields.insert("delivery".to_owned(), serde_json::Value::from(*number));
        }
        let body = document.to_string();
        let mut tries = 1u32;
        loop {
            let sent = self.agent.post(&self.url).content_type("application/json").send(&body);
            let why = match sent {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => format!("status {}", answer.status().as_u16()),
                Err(error) => error.to_string(),
            };
            if tries >= POST_TRIES_MAX {
                return Err(why);
            }
            tries = tries.saturating_add(1);
            std::thread::sleep(TRY_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::listener::answering;
    use super::*;
    use credit_types::LogId;
    use serde_json::json;

    #[test]
    fn what_is_not_taken_stays_in_its_order() {
        let most = usize::try_from(POST_TRIES_MAX).unwrap();
        for (refused, left) in [(0, 0), (most - 1, 0), (most, 2)] {
            let (url, bodies) =
                answering([vec![(503, String::new()); refused], vec![(204, String::new()); 2]].concat());
            let mut state = State::new(LogId([1; 32]), 0);
            for code in ["FORK", "STALLED"] {
                state.enqueue(json!({ "code": code })).unwrap();
            }
            let delivered = Webhook::new(&url).deliver(&mut state);
            assert_eq!((delivered.is_ok(), state.queue.len()), (left == 0, left), "{refused}");
            let bodies: Vec<serde_json::Value> =
                bodies.try_iter().map(|body| serde_json::from_str(&body).unwrap()).collect();
            assert_eq!(bodies[0], json!({ "code": "FORK", "delivery": 1 }));
            if left == 0 {
                assert_eq!(bodies.last(), Some(&json!({ "code": "STALLED", "delivery": 2 })));
            }
        }
    }

    #[test]
    fn a_redirection_is_no_receipt() {
        let (url, _) = answering(vec![(302, String::new()); 3]);
        let mut state = State::new(LogId([1; 32]), 0);
        state.enqueue(json!({})).unwrap();
        assert!(Webhook::new(&url).deliver(&mut state).is_err());
        assert_eq!(state.queue.len(), 1);
    }
}

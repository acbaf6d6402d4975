//! The counters of the server, shown in the OpenMetrics text format at `/metrics`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    pub reason: &'static str,
}

/// All counters. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    pub edits_accepted: Counter,
    pub edits_refused: Family<Reason, Counter>,
    pub entries_committed: Counter,
    pub commits: Counter,
    pub commits_failed: Counter,
    pub deliveries: Counter,
    pub slow_receivers_closed: Counter,
    pub connections_refused: Counter,
    pub ledgers_diverged: Counter,
    pub sign_ins_refused: Counter,
    pub rooms_open: Gauge,
    pub connections_open: Gauge,
}

impl Metrics {
    #[must_use]
    pub(crate) fn render(&self) -> String {
        let mut registry = Registry::with_prefix("accord");
        let r = &mut registry;
        r.register("edits_accepted", "Edits integrated", self.edits_accepted.clone());
        r.register("edits_refused", "Edits refused, by reason", self.edits_refused.clone());
        r.register("entries_committed", "Ledger entries on disk", self.entries_committed.clone());
        r.register("commits", "Commits: one disk sync each", self.commits.clone());
        r.register("commits_failed", "Commits that failed", self.commits_failed.clone());
        r.register("deliveries", "Frames handed to connections", self.deliveries.clone());
        r.register(
            "slow_receivers_closed",
            "Connections closed because they read too slowly",
            self.slow_receivers_closed.clone(),
        );
        r.register(
            "connections_refused",
            "Connections refused because too many were open",
            self.connections_refused.clone(),
        );
        r.register(
            // The metric keeps its original name, because existing monitoring can depend on it.
            "ledgers_betrayed",
            "Clients that remember a ledger other than the server's",
            self.ledgers_diverged.clone(),
        );
        r.register(
            "sign_ins_refused",
            "Sign-ins with a wrong password or for an unknown account",
            self.sign_ins_refused.clone(),
        );
        r.register("rooms_open", "Documents open", self.rooms_open.clone());
        r.register("connections_open", "Sync connections open", self.connections_open.clone());
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

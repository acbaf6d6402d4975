//! Limits for requests behind a proxy, by the client's address that the proxy names. All connections come from the
//! proxy, so a limit on connections would treat everybody as one client.

use crate::site::AddressGroup;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of requests behind a proxy that are being answered, for each address group. Clones share the counts.
#[derive(Debug, Clone)]
pub(super) struct ForwardedRequests {
    per_group: usize,
    held: Arc<Mutex<HashMap<AddressGroup, usize>>>,
}

/// The place of one request in the count of its address group. Dropping it gives the place back.
#[derive(Debug)]
pub(super) struct RequestPlace {
    requests: ForwardedRequests,
    group: AddressGroup,
}

impl ForwardedRequests {
    pub(super) fn new(per_group: usize) -> Self {
        Self { per_group, held: Arc::default() }
    }

    /// Takes a place in the count of an address group, or returns `None` if the group has none left.
    pub(super) fn begin(&self, group: AddressGroup) -> Option<RequestPlace> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(group).or_default();
        if *count >= self.per_group {
            return None;
        }
        *count += 1;
        Some(RequestPlace { requests: self.clone(), group })
    }
}

impl Drop for RequestPlace {
    fn drop(&mut self) {
        let mut held = self.requests.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.group) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.group);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn requests_of_one_network_are_counted_together_and_end() {
        let requests = ForwardedRequests::new(2);
        let at = |address: &str| AddressGroup::of(address.parse::<IpAddr>().unwrap());
        let _first = requests.begin(at("2001:db8::1")).unwrap();
        let second = requests.begin(at("2001:db8::2")).unwrap();
        assert!(requests.begin(at("2001:db8::3")).is_none());
        assert!(requests.begin(at("2001:db8:0:1::3")).is_some(), "another network");
        drop(second);
        assert!(requests.begin(at("2001:db8::3")).is_some());
    }
}

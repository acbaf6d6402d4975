//! Known devices: browsers in which a person has signed in before.
//!
//! Each known device has a secret in a cookie. The secret signs nobody in. It only gives its person a budget of
//! password tries that strangers can't use up. Known devices outlive sessions and restarts of the server.

use super::{Change, People, Result, encode, hash, parse, secret};
use crate::site::AddressGroup;
use crate::store::{Record, StoreError, Swap};
use accord_document::ids::{Digest, PersonId};
use serde::{Deserialize, Serialize};

const DEVICE: &str = "device";
/// Maximum number of known devices of one person. Beyond it, the device with the oldest sign-in is forgotten.
const MAX_DEVICES: usize = 20;
/// Time for which a device is kept after its person last signed in with it, in milliseconds: half a year.
pub(crate) const KEEP_DEVICE_MS: u64 = 182 * 86_400_000;
/// Minimum time between two records of a sign-in on the same device and from the same address group, in milliseconds.
const MIN_RECORD_INTERVAL_MS: u64 = 86_400_000;
/// Maximum number of secrets that are read from one browser's cookie.
const MAX_SECRETS: usize = 5;
/// Maximum length of a secret in a browser's cookie, in bytes.
const MAX_SECRET_BYTES: usize = 64;
/// Replaces the id of a person who does not exist, so that looking for their devices takes just as long.
const NOBODY: &str = "nobody";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Device {
    /// The time of the first sign-in, in milliseconds since the Unix epoch.
    since: u64,
    /// The time of the last sign-in, accurate to a day, in milliseconds since the Unix epoch.
    seen: u64,
    /// The address group of the last recorded sign-in.
    from: String,
}

/// The device secrets in a browser's cookie: one for each person who signs in with that browser.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeviceSecrets(Vec<String>);

impl DeviceSecrets {
    /// Reads a cookie's value. Values that can't be secrets are ignored, as are secrets beyond [`MAX_SECRETS`].
    #[must_use]
    pub(crate) fn parse(cookie: &str) -> Self {
        let fits = |secret: &&str| (1..=MAX_SECRET_BYTES).contains(&secret.len());
        Self(cookie.split('.').filter(fits).take(MAX_SECRETS).map(str::to_owned).collect())
    }

    /// Returns the value of the cookie that contains these secrets.
    #[must_use]
    pub(crate) fn cookie(&self) -> String {
        self.0.join(".")
    }

    /// Returns the secrets with `secret` first. If there are too many, the last one is left out.
    fn with(&self, secret: String) -> Self {
        let others = self.0.iter().filter(|other| **other != secret).cloned();
        Self(std::iter::once(secret.clone()).chain(others).take(MAX_SECRETS).collect())
    }
}

/// Whether a person has signed in before with the device, or from the network, of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Familiar {
    /// A device with which this person signed in before. The digest is the key of the device's budget.
    Device(Digest),
    /// An unknown device in a network from which this person signed in before with another device.
    Network,
    No,
}

fn key(person: &str, secret: &str) -> String {
    format!("{person}/{}", hash(secret))
}

impl People {
    /// Looks up whether a person has signed in before with the device, or from the network, of a request. The lookup
    /// reads just as much if there is no such person.
    pub(super) fn familiar(
        &self,
        person: Option<&PersonId>,
        devices: &DeviceSecrets,
        from: AddressGroup,
    ) -> Result<Familiar> {
        let id = person.map_or(NOBODY, PersonId::as_str);
        let now = self.clock.now_ms();
        let mut familiar = Familiar::No;
        let own: Vec<String> = devices.0.iter().map(|secret| key(id, secret)).collect();
        for (known, record) in self.store.scan(DEVICE, &format!("{id}/"))? {
            let device: Device = parse(&record.value)?;
            if now.saturating_sub(device.seen) >= KEEP_DEVICE_MS {
                continue;
            }
            if own.contains(&known) {
                return Ok(Familiar::Device(super::digest(&known)));
            }
            if device.from == from.to_string() {
                familiar = Familiar::Network;
            }
        }
        Ok(familiar)
    }

    /// Remembers the device with which a person has signed in, and returns the secrets for its cookie.
    pub(crate) fn remember_device(
        &self,
        person: &PersonId,
        devices: &DeviceSecrets,
        from: AddressGroup,
    ) -> Result<DeviceSecrets> {
        let now = self.clock.now_ms();
        let mut all = self.devices(person)?;
        let own = devices.0.iter().find_map(|secret| {
            let key = key(person.as_str(), secret);
            let at = all.iter().position(|(known, ..)| *known == key)?;
            Some((secret.clone(), all.remove(at)))
        });
        let seen = Device { since: now, seen: now, from: from.to_string() };
        let (secret, key, expected, device) = match own {
            Some((secret, (_, _, known)))
                if known.from == seen.from
                    && now.saturating_sub(known.seen) < MIN_RECORD_INTERVAL_MS =>
            {
                return Ok(devices.with(secret));
            }
            Some((secret, (key, record, known))) => {
                (secret, key, Some(record.revision), Device { since: known.since, ..seen })
            }
            None => {
                let secret = secret();
                let key = key(person.as_str(), &secret);
                (secret, key, None, seen)
            }
        };
        all.sort_by_key(|(_, _, device)| std::cmp::Reverse(device.seen));
        let kept = all
            .iter()
            .take_while(|(_, _, device)| now.saturating_sub(device.seen) < KEEP_DEVICE_MS);
        let kept = kept.count().min(MAX_DEVICES - 1);
        let mut swaps: Vec<Swap> = all.drain(kept..).map(removal).collect();
        swaps.push(Swap { kind: DEVICE, key, expected, value: Some(encode(&device)?) });
        match self.store.swap_all(&swaps) {
            Ok(()) => Ok(devices.with(secret)),
            // The same person has signed in at the same time in another window, and that sign-in was recorded. This
            // sign-in is not recorded: the device is remembered at the person's next sign-in.
            Err(StoreError::Conflict) => Ok(devices.clone()),
            Err(error) => Err(error),
        }
    }

    fn devices(&self, person: &PersonId) -> Result<Vec<(String, Record, Device)>> {
        let all = self.store.scan(DEVICE, &format!("{person}/"))?;
        let read = |(key, record): (String, Record)| {
            let device = parse(&record.value)?;
            Ok((key, record, device))
        };
        all.into_iter().map(read).collect()
    }

    /// Returns the changes that remove a person's devices from the store, except those whose secrets are in `but`.
    pub(super) fn device_removals(
        &self,
        person: &PersonId,
        but: &DeviceSecrets,
    ) -> Result<Vec<Swap>> {
        let own: Vec<String> = but.0.iter().map(|secret| key(person.as_str(), secret)).collect();
        let all = self.devices(person)?.into_iter();
        Ok(all.filter(|(key, ..)| !own.contains(key)).map(removal).collect())
    }

    /// Forgets a person's devices, except those whose secrets are in `but`.
    ///
    /// # Errors
    /// Returns an error if the store fails.
    pub(crate) fn forget_devices(&self, person: &PersonId, but: &DeviceSecrets) -> Change<()> {
        loop {
            match self.store.swap_all(&self.device_removals(person, but)?) {
                // The person has just signed in on one of the devices, so the devices are read again.
                Err(StoreError::Conflict) => {}
                done => return Ok(done?),
            }
        }
    }

    /// Removes the devices with which nobody has signed in for [`KEEP_DEVICE_MS`].
    pub(crate) fn expire_devices(&self) -> Result<()> {
        let now = self.clock.now_ms();
        for (key, record) in self.store.scan(DEVICE, "")? {
            let device: Device = parse(&record.value)?;
            if now.saturating_sub(device.seen) >= KEEP_DEVICE_MS {
                match self.store.swap(DEVICE, &key, Some(record.revision), None) {
                    Ok(()) | Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

fn removal((key, record, _): (String, Record, Device)) -> Swap {
    Swap { kind: DEVICE, key, expected: Some(record.revision), value: None }
}

#[cfg(test)]
mod tests {
    use super::super::tests::people;
    use super::*;
    use std::net::IpAddr;
    use std::sync::atomic::Ordering;

    fn at(n: u8) -> AddressGroup {
        AddressGroup::of(IpAddr::from([10, 0, 0, n]))
    }

    #[test]
    fn a_device_is_known_to_its_own_person_for_half_a_year_after_the_last_sign_in() {
        let (people, now) = people();
        let [ana, ben] = ["ana", "ben"].map(PersonId::new);
        let none = DeviceSecrets::default();
        let of_ana = people.remember_device(&ana, &none, at(1)).unwrap();
        let familiar = |person, devices: &DeviceSecrets, from| {
            people.familiar(Some(person), devices, at(from)).unwrap()
        };
        assert!(matches!(familiar(&ana, &of_ana, 9), Familiar::Device(_)));
        assert_eq!(familiar(&ben, &of_ana, 1), Familiar::No);
        assert_eq!(familiar(&ana, &none, 1), Familiar::Network);
        assert_eq!(familiar(&ana, &DeviceSecrets::parse("made.up"), 9), Familiar::No);
        // A colleague signs in with the same browser. The browser is then a known device of both people.
        let of_both = people.remember_device(&ben, &of_ana, at(1)).unwrap();
        assert!(matches!(familiar(&ana, &of_both, 9), Familiar::Device(_)));
        assert!(matches!(familiar(&ben, &of_both, 9), Familiar::Device(_)));
        assert_eq!(people.remember_device(&ana, &of_both, at(1)).unwrap().0.len(), 2);
        // Ana signs in again, so her device is kept for another half year. Ben does not, so his device is forgotten.
        now.fetch_add(KEEP_DEVICE_MS - 1, Ordering::Relaxed);
        people.remember_device(&ana, &of_both, at(2)).unwrap();
        now.fetch_add(1, Ordering::Relaxed);
        assert!(matches!(familiar(&ana, &of_both, 9), Familiar::Device(_)));
        assert_eq!(familiar(&ana, &none, 1), Familiar::No, "the network is the last one's");
        assert_eq!(familiar(&ben, &of_both, 9), Familiar::No);
        people.expire_devices().unwrap();
        assert_eq!(people.devices(&ben).unwrap().len(), 0);
        assert_eq!(people.devices(&ana).unwrap().len(), 1);
    }

    #[test]
    fn a_person_has_a_bounded_number_of_devices_and_the_newest_stay() {
        let (people, now) = people();
        let ana = PersonId::new("ana");
        let mut made = Vec::new();
        for _ in 0..MAX_DEVICES + 5 {
            now.fetch_add(1_000, Ordering::Relaxed);
            made.push(people.remember_device(&ana, &DeviceSecrets::default(), at(1)).unwrap());
        }
        assert_eq!(people.devices(&ana).unwrap().len(), MAX_DEVICES);
        let known = |devices: &DeviceSecrets| {
            matches!(people.familiar(Some(&ana), devices, at(9)).unwrap(), Familiar::Device(_))
        };
        assert_eq!(made.iter().map(known).position(|known| known), Some(5));
        people.forget_devices(&ana, &made[10]).unwrap();
        assert_eq!(made.iter().filter(|devices| known(devices)).count(), 1);
    }

    #[test]
    fn no_cookie_makes_it_read_much() {
        let long = format!("{}.{}", "x".repeat(65), ["a"; 1_000].join("."));
        let read = DeviceSecrets::parse(&long);
        assert_eq!(read.cookie(), "a.a.a.a.a");
        assert_eq!(DeviceSecrets::parse("").cookie(), "");
    }
}

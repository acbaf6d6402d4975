//! Browsers that somebody has signed in with before. Each has a secret, kept as a cookie, that signs nobody
//! in: it only gives its person a budget of tries that strangers can't use up. They outlive sessions and
//! restarts.

use super::{Change, People, Result, encode, hash, parse, secret};
use crate::site::AddressGroup;
use crate::store::{Record, StoreError, Swap};
use accord_document::ids::{Digest, PersonId};
use serde::{Deserialize, Serialize};

const DEVICE: &str = "device";
/// Devices kept for one person. Beyond that the one that was used longest ago is forgotten.
const MAX_DEVICES: usize = 20;
/// How long a device is kept since its person last signed in with it, in milliseconds: half a year.
pub(crate) const KEEP_DEVICE_MS: u64 = 182 * 86_400_000;
/// The last sign-in is written down this often, in milliseconds.
const NOTED_MS: u64 = 86_400_000;
/// People whose devices one browser can be, and the longest secret, in bytes.
const MAX_SECRETS: usize = 5;
const MAX_SECRET_BYTES: usize = 64;
/// Stands in for the id of nobody, so that looking for their devices costs as much.
const NOBODY: &str = "nobody";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Device {
    /// Milliseconds since the Unix epoch: the first sign-in, and the last within a day.
    since: u64,
    seen: u64,
    /// The address group of the last sign-in.
    from: String,
}

/// The device secrets that a browser brings, one for each person who signs in with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeviceSecrets(Vec<String>);

impl DeviceSecrets {
    /// Reads a cookie's value. What can't be a secret is left out.
    #[must_use]
    pub(crate) fn parse(cookie: &str) -> Self {
        let fits = |secret: &&str| (1..=MAX_SECRET_BYTES).contains(&secret.len());
        Self(cookie.split('.').filter(fits).take(MAX_SECRETS).map(str::to_owned).collect())
    }

    /// The value for the cookie.
    #[must_use]
    pub(crate) fn cookie(&self) -> String {
        self.0.join(".")
    }

    /// The secrets with one more, the oldest left out where there are too many.
    fn with(&self, secret: String) -> Self {
        let others = self.0.iter().filter(|other| **other != secret).cloned();
        Self(std::iter::once(secret.clone()).chain(others).take(MAX_SECRETS).collect())
    }
}

/// Where a sign-in comes from, as its person knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Familiar {
    /// A device that this person signed in with before.
    Device(Digest),
    /// A network that they signed in from before, with another device.
    Place,
    No,
}

fn key(person: &str, secret: &str) -> String {
    format!("{person}/{}", hash(secret))
}

impl People {
    /// How well a person knows the device and the network of a request. For nobody it reads as much.
    pub(super) fn familiar(
        &self,
        person: Option<&PersonId>,
        devices: &DeviceSecrets,
        from: AddressGroup,
    ) -> Result<Familiar> {
        let id = person.map_or(NOBODY, PersonId::as_str);
        let now = self.clock.now_ms();
        let mut place = Familiar::No;
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
                place = Familiar::Place;
            }
        }
        Ok(place)
    }

    /// Remembers the device that a person has signed in with, and gives the secrets for its cookie.
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
                if known.from == seen.from && now.saturating_sub(known.seen) < NOTED_MS =>
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
            // The same person, in another window: their next sign-in is remembered.
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

    /// What removes a person's devices from the store, but for one that this browser is.
    pub(super) fn device_removals(
        &self,
        person: &PersonId,
        but: &DeviceSecrets,
    ) -> Result<Vec<Swap>> {
        let own: Vec<String> = but.0.iter().map(|secret| key(person.as_str(), secret)).collect();
        let all = self.devices(person)?.into_iter();
        Ok(all.filter(|(key, ..)| !own.contains(key)).map(removal).collect())
    }

    /// Forgets a person's devices, but for one that this browser is.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn forget_devices(&self, person: &PersonId, but: &DeviceSecrets) -> Change<()> {
        loop {
            match self.store.swap_all(&self.device_removals(person, but)?) {
                // They are signing in at one of them at this moment.
                Err(StoreError::Conflict) => {}
                done => return Ok(done?),
            }
        }
    }

    /// Removes devices that were not used for long.
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
        assert_eq!(familiar(&ana, &none, 1), Familiar::Place);
        assert_eq!(familiar(&ana, &DeviceSecrets::parse("made.up"), 9), Familiar::No);
        // A colleague signs in with the same browser: it is known to both.
        let of_both = people.remember_device(&ben, &of_ana, at(1)).unwrap();
        assert!(matches!(familiar(&ana, &of_both, 9), Familiar::Device(_)));
        assert!(matches!(familiar(&ben, &of_both, 9), Familiar::Device(_)));
        assert_eq!(people.remember_device(&ana, &of_both, at(1)).unwrap().0.len(), 2);
        // Used again, it is kept from then on; unused, it goes.
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

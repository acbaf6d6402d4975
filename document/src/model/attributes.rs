//! The attributes of a run of characters, or of a step of a Delta.
//!
//! Many pieces of one text have equal attributes, and a link can take kilobytes. So names, values and whole sets of
//! attributes are shared: copying a text copies only its characters.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use yrs::types::Attrs;
use yrs::{Any, Number};

/// An attribute: its name and its value, both shared.
type Attribute = (Arc<str>, Arc<Value>);

/// A set of attributes, sorted by name. In a step of a Delta, the value `null` clears an attribute.
///
/// ```
/// use accord_document::model::attributes::Attributes;
///
/// let mut attributes: Attributes = [("bold", true.into())].into_iter().collect();
/// attributes.insert("header", 2.into());
/// assert_eq!(attributes.get("bold"), Some(&true.into()));
/// assert_eq!(serde_json::to_string(&attributes).unwrap(), r#"{"bold":true,"header":2}"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attributes(
    /// The attributes, sorted by name without duplicates. An empty set is `None`, never an empty list.
    Option<Arc<Vec<Attribute>>>,
);

impl Attributes {
    /// Returns an empty set of attributes.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Whether the set has no attributes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the number of attributes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all().len()
    }

    /// Returns the value of an attribute, or `None` if the set does not have it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.place(name).ok()?;
        Some(&*self.all()[at].1)
    }

    /// Whether the set has an attribute with this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.place(name).is_ok()
    }

    /// Returns the names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.all().iter().map(|(name, value)| (&**name, &**value))
    }

    /// Sets an attribute to a value. If the set already has the attribute, the new value replaces the old one.
    pub fn insert(&mut self, name: &str, value: Value) {
        self.insert_shared(&name.into(), &Arc::new(value));
    }

    /// Sets an attribute to a value that other sets of attributes share.
    pub(crate) fn insert_shared(&mut self, name: &Arc<str>, value: &Arc<Value>) {
        let place = self.place(name);
        let all = Arc::make_mut(self.0.get_or_insert_default());
        match place {
            Ok(at) => all[at].1 = value.clone(),
            Err(at) => all.insert(at, (name.clone(), value.clone())),
        }
    }

    /// Removes an attribute. Does nothing if the set does not have it.
    pub fn remove(&mut self, name: &str) {
        let (Ok(at), Some(all)) = (self.place(name), &mut self.0) else { return };
        if all.len() == 1 {
            self.0 = None;
        } else {
            Arc::make_mut(all).remove(at);
        }
    }

    /// Returns the attributes for which `is_kept` returns true.
    #[must_use]
    pub fn filtered(&self, is_kept: impl Fn(&str, &Value) -> bool) -> Self {
        if self.iter().all(|(name, value)| is_kept(name, value)) {
            return self.clone();
        }
        let kept = self.all().iter().filter(|(name, value)| is_kept(name, value));
        Self::sorted(kept.cloned())
    }

    /// Returns the changes that turn these attributes into `others`: values to set, and `null` for each attribute to
    /// clear.
    pub(crate) fn changes_to(&self, others: &Self) -> Self {
        let cleared = self.all().iter().filter(|(name, _)| !others.contains(name));
        let cleared = cleared.map(|(name, _)| (name.clone(), Arc::new(Value::Null)));
        let set = others.all().iter().filter(|(name, value)| self.get(name) != Some(&**value));
        Self::sorted(cleared.chain(set.cloned()))
    }

    /// Converts the set to attributes of yrs. Returns `None` if the set is empty.
    pub(crate) fn to_yrs(&self) -> Option<Box<Attrs>> {
        let all = self.0.as_ref()?;
        Some(Box::new(all.iter().map(|(name, value)| (name.clone(), to_any(value))).collect()))
    }

    /// Builds the set from attributes in any order. If a name occurs more than once, only its last value is kept.
    fn sorted(attributes: impl Iterator<Item = Attribute>) -> Self {
        let mut all: Vec<Attribute> = Vec::with_capacity(attributes.size_hint().0);
        for attribute in attributes {
            match find(&all, &attribute.0) {
                Ok(at) => all[at] = attribute,
                Err(at) => all.insert(at, attribute),
            }
        }
        all.shrink_to_fit();
        Self((!all.is_empty()).then(|| Arc::new(all)))
    }

    fn all(&self) -> &[Attribute] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        find(self.all(), name)
    }
}

/// Returns the index of an attribute in a sorted list. If the list does not contain the attribute, returns, as an
/// error, the index at which to insert it.
fn find(all: &[Attribute], name: &str) -> Result<usize, usize> {
    all.binary_search_by(|(other, _)| (**other).cmp(name))
}

/// Collects attributes in any order. If a name occurs more than once, only its last value is kept.
impl<N: Into<Arc<str>>> FromIterator<(N, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(iter: I) -> Self {
        let all = iter.into_iter().map(|(name, value)| (name.into(), Arc::new(value)));
        Self::sorted(all)
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Map::deserialize(deserializer)?.into_iter().collect())
    }
}

/// Converts attributes of yrs. A value that several pieces of text share in yrs is converted once, and shared here as
/// well.
#[derive(Default)]
pub(crate) struct AttributesReader {
    /// The converted values, by [`identity`]. The map also owns each value of yrs, so that no later value can get the
    /// same address.
    converted: HashMap<(u8, u64), (Any, Arc<Value>)>,
}

impl AttributesReader {
    pub(crate) fn read(&mut self, attrs: Option<&Attrs>) -> Attributes {
        let all = attrs.into_iter().flatten();
        Attributes::sorted(all.map(|(name, value)| (name.clone(), self.value(value))))
    }

    fn value(&mut self, any: &Any) -> Arc<Value> {
        let convert = || (any.clone(), Arc::new(any_to_json(any)));
        self.converted.entry(identity(any)).or_insert_with(convert).1.clone()
    }
}

/// Returns a key that consists of the kind of a value, and either the value itself or its address. Two values that
/// exist at the same time have the same key only if they are equal.
fn identity(any: &Any) -> (u8, u64) {
    let address = |place: *const u8| place.addr() as u64;
    match any {
        Any::Null => (0, 0),
        Any::Undefined => (1, 0),
        Any::Bool(is) => (2, u64::from(*is)),
        Any::Number(Number::Int(number)) => (3, number.cast_unsigned()),
        Any::Number(Number::Float(number)) => (4, number.to_bits()),
        Any::String(text) => (5, address(text.as_ptr())),
        Any::Buffer(bytes) => (6, address(bytes.as_ptr())),
        Any::Array(values) => (7, address(values.as_ptr().cast())),
        Any::Map(values) => (8, address(Arc::as_ptr(values).cast())),
    }
}

/// Converts a JSON value to a value of yrs. An integer above `i64::MAX` becomes a float, as it would in JavaScript.
pub(crate) fn to_any(value: &Value) -> Any {
    match value {
        Value::Null => Any::Null,
        Value::Bool(is) => Any::Bool(*is),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Any::Number(Number::Int(number)),
            None => Any::Number(Number::Float(number.as_f64().unwrap_or_default())),
        },
        Value::String(text) => Any::String(text.as_str().into()),
        Value::Array(values) => Any::Array(values.iter().map(to_any).collect()),
        Value::Object(values) => {
            let values = values.iter().map(|(name, value)| (name.clone(), to_any(value)));
            Any::Map(Arc::new(values.collect()))
        }
    }
}

/// Converts a value of yrs to JSON. A whole number becomes an integer, and bytes become a list of numbers.
pub(crate) fn any_to_json(any: &Any) -> Value {
    match any {
        Any::Null | Any::Undefined => Value::Null,
        Any::Bool(is) => Value::Bool(*is),
        Any::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.into(),
            (None, number) => number.into(),
        },
        Any::String(text) => Value::String(String::from(&**text)),
        Any::Buffer(bytes) => Value::Array(bytes.iter().map(|byte| Value::from(*byte)).collect()),
        Any::Array(values) => Value::Array(values.iter().map(any_to_json).collect()),
        Any::Map(values) => {
            let mut object = Map::new();
            // `collect` would sort the members first, which adds kilobytes of code to the WebAssembly module of the
            // browser.
            object.extend(values.iter().map(|(name, value)| (name.clone(), any_to_json(value))));
            Value::Object(object)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: Value) -> Attributes {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn attributes_are_written_in_the_order_of_their_names_and_the_last_value_counts() {
        let attributes: Attributes =
            serde_json::from_str(r#"{"b": 1, "a": [1], "c": null, "b": 2}"#).unwrap();
        assert_eq!(serde_json::to_string(&attributes).unwrap(), r#"{"a":[1],"b":2,"c":null}"#);
        assert_eq!(attributes.len(), 3);
        assert!(serde_json::from_str::<Attributes>("[]").is_err());
    }

    #[test]
    fn a_copy_shares_and_a_change_of_it_changes_it_alone() {
        let attributes = read(json!({"bold": true, "link": "x"}));
        let mut copy = attributes.clone();
        copy.insert("bold", 1.into());
        copy.insert("a", 2.into());
        copy.remove("link");
        copy.remove("nothing");
        assert_eq!(copy, read(json!({"a": 2, "bold": 1})));
        assert_eq!(attributes, read(json!({"bold": true, "link": "x"})));
        copy.remove("a");
        copy.remove("bold");
        assert!(copy.is_empty());
        assert_eq!(copy, Attributes::new());
    }

    #[test]
    fn filtering_keeps_what_is_meant() {
        let attributes = read(json!({"a": 1, "b": 2}));
        assert_eq!(attributes.filtered(|name, _| name == "b"), read(json!({"b": 2})));
        assert_eq!(attributes.filtered(|_, _| true), attributes);
        assert!(attributes.filtered(|_, _| false).is_empty());
    }

    #[test]
    fn steps_lead_from_one_set_to_another() {
        let steps = read(json!({"a": 1, "b": 2})).changes_to(&read(json!({"b": 3, "c": 4})));
        assert_eq!(steps, read(json!({"a": null, "b": 3, "c": 4})));
        assert!(steps.changes_to(&steps).is_empty());
    }

    #[test]
    fn what_yrs_shares_is_shared_and_what_it_holds_is_read() {
        let long = Any::from("v".repeat(1_000));
        let attrs = |bold: Any| Attrs::from([("bold".into(), bold), ("long".into(), long.clone())]);
        let mut reader = AttributesReader::default();
        let one = reader.read(Some(&attrs(Any::Bool(true))));
        let other = reader.read(Some(&attrs(Any::Bool(false))));
        assert!(std::ptr::eq(one.get("long").unwrap(), other.get("long").unwrap()));
        assert_eq!((one.get("bold"), other.get("bold")), (Some(&json!(true)), Some(&json!(false))));
        assert!(reader.read(None).is_empty());
    }

    #[test]
    fn values_go_into_yrs_and_come_back_as_yrs_itself_has_them_as_json() {
        let all = json!([null, false, true, 0, -1, 1.5, 1e300, i64::MAX, "", "ä", [[]], {"a": {"b": [1]}}]);
        assert_eq!(any_to_json(&to_any(&all)), all);
        let encoded = |any: &Any| {
            let mut bytes = Vec::new();
            any.encode(&mut bytes);
            bytes
        };
        // No object in `all` has more than one key, because yrs encodes the keys of an object in any order.
        let of_yrs: Any = serde_json::from_value(all).unwrap();
        assert_eq!(encoded(&to_any(&any_to_json(&of_yrs))), encoded(&of_yrs));
        let more = [
            Any::Undefined,
            Any::Number(Number::Float(2.0)),
            Any::Number(Number::Float(f64::NAN)),
            Any::Buffer([0, 255].as_slice().into()),
        ];
        for any in more {
            assert_eq!(any_to_json(&any), serde_json::to_value(&any).unwrap(), "{any:?}");
        }
        assert_eq!(any_to_json(&to_any(&json!(u64::MAX))), json!(1.8446744073709552e19));
    }
}

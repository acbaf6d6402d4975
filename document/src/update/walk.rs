//! The order of causality: structs are visited once everything that they refer to has been visited.

use super::scan::Struct;

/// Visits the structs of several clients as integration would. `fronts` has the structs of each client, in ascending
/// order; `visit` takes a struct, or says that something it refers to has not come yet.
///
/// Each pass moves every client as far as it can go, so the walk costs the number of structs plus, for each pass, the
/// number of clients. It ends when a pass makes no progress, and gives whether all structs were taken.
///
/// # Errors
/// With the first error of `visit`, after which nothing more is visited.
pub(super) fn causal_walk<'s, C: Copy, E>(
    mut fronts: Vec<(C, &'s [Struct<'s>])>,
    mut visit: impl FnMut(C, &Struct<'s>) -> Result<bool, E>,
) -> Result<bool, E> {
    let mut progress = true;
    while progress {
        progress = false;
        for (client, structs) in &mut fronts {
            while let Some((first, rest)) = structs.split_first() {
                if !visit(*client, first)? {
                    break;
                }
                *structs = rest;
                progress = true;
            }
        }
        fronts.retain(|(_, structs)| !structs.is_empty());
    }
    Ok(fronts.is_empty())
}

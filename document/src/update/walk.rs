//! A walk over structs in causal order: each struct is visited after everything that it refers to.

use super::scan::Struct;

/// Visits the structs of several clients in an order in which they can be integrated. Returns whether all were
/// visited.
///
/// `fronts` contains the structs of each client, in ascending order of their clocks. `visit` returns `true` if it has
/// handled the struct, or `false` if the struct refers to something that has not been visited yet.
///
/// Each pass advances every client as far as possible, so the cost is the number of structs plus, for each pass, the
/// number of clients. The walk ends when a pass makes no progress.
///
/// # Errors
/// Returns the first error of `visit`. No further struct is visited after it.
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

//! A role permits exactly what the table says: people of every role call every route of the API, and no route is
//! missing from the table (`table`). The submodules test what people can do over a sync connection (`messages`), and
//! when a role or a session ends (`changes`).

mod changes;
mod messages;
mod table;
mod world;

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use table::{VISITORS, table};
use world::World;

#[test]
fn every_route_gives_every_seat_what_the_table_says() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut world = World::start(dir.path())?;
    let (_, api) = world.fay.get("/api/v1/openapi.json")?;
    let described: BTreeSet<_> = api["paths"]
        .as_object()
        .context("the API has paths")?
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(|(method, _)| format!("{method} {}", path.trim_start_matches("/api/v1")))
        })
        .collect();
    let tried: BTreeSet<_> =
        table().iter().map(|(method, route, ..)| format!("{method} {route}")).collect();
    assert_eq!(tried, described, "the table is of all routes");

    let mut wrong = Vec::new();
    for (method, route, body, expected) in table() {
        for (name, expected) in VISITORS.into_iter().zip(expected) {
            // An earlier request can have ended the sessions of these two, so they sign in again.
            (world.fay, world.ida) = (world.server.visit("fay")?, world.server.visit("ida")?);
            let path = world.fill(route)?;
            let visitor = world.visitor(name)?;
            let (status, answer) = visitor.request(&method.to_uppercase(), &path, body.clone())?;
            if status != expected {
                wrong.push(format!(
                    "{method} {route} as {name}: {status}, not {expected}: {answer}"
                ));
            }
            // Every refusal contains a code for programs and a sentence for people.
            if status >= 400 && (answer["error"].is_null() || answer["message"].is_null()) {
                wrong.push(format!("{method} {route} as {name}: no reason in {answer}"));
            }
            // A visitor who has just joined leaves again, so that the plan has the same people for the next row.
            for joined in ["stranger", "administrator"] {
                if route == "/invitations/{secret}" && name == joined && status == 200 {
                    world.unseat(&visitor.id()?)?;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

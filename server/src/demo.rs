//! The demo: a plan of an invented city with its people. Anybody on this machine can sign in as any of them.

use crate::people::{People, Person};
use crate::plans::{ActError, DocumentToAdd, Plans, installation};
use crate::store::StoreError;
use accord_document::body::Act;
use accord_document::ids::{DocumentId, PersonId, PlanId, SessionId};
use accord_document::model::Draft;
use accord_document::model::MilestoneDraft;
use accord_document::model::attributes::Attributes;
use accord_document::model::delta::Op;
use accord_document::people::{Actor, Seat, Sector, Standing};

pub(crate) const PLAN: &str = "demo";

/// The demo people: sign-in name, full name, seat, sector. The administrator runs the installation and gets no seat in
/// the plan.
pub(crate) const PEOPLE: [(&str, &str, Seat, Sector); 6] = [
    ("ana", "Ana Ferreira", Seat::Author, Sector::Government),
    ("ben", "Ben Okafor", Seat::Author, Sector::CivilSociety),
    ("ada", "Ada Lindqvist", Seat::Adviser, Sector::Adviser),
    ("obi", "Obi Mensah", Seat::Observer, Sector::Other),
    ("fay", "Fay Duarte", Seat::Facilitator, Sector::Government),
    ("ida", "Ida Novak", Seat::Administrator, Sector::Other),
];

pub(crate) fn person_id(name: &str) -> PersonId {
    PersonId::new(format!("demo-{name}"))
}

/// Creates the people, the plan and the documents of the demo that do not exist yet.
pub(crate) async fn seed(plans: &Plans, people: &People) -> Result<(), StoreError> {
    let adding = people.clone();
    tokio::task::spawn_blocking(move || add_people(&adding))
        .await
        .map_err(|error| StoreError::Failed(error.to_string()))??;
    let id = PlanId::new(PLAN);
    fill(plans, &id).await.map_err(|error| match error {
        ActError::Store(error) => error,
        other => StoreError::Failed(format!("the demo's plan can't be created: {other}")),
    })
}

fn add_people(people: &People) -> Result<(), StoreError> {
    for (name, full_name, seat, _) in PEOPLE {
        people.add_demo(&Person {
            id: person_id(name),
            name: full_name.into(),
            email: None,
            administrator: seat == Seat::Administrator,
            since: 0,
            email_verified: false,
            forgotten: false,
        })?;
    }
    Ok(())
}

async fn fill(plans: &Plans, id: &PlanId) -> Result<(), ActError> {
    if plans.get(id).is_none() {
        let title = "Riverton: Open Government Action Plan 2027–2028";
        plans.create(id.clone(), title.into(), &installation(), None).await?;
        let seats = PEOPLE.into_iter().filter_map(|(name, _, seat, sector)| {
            let standing = Standing::new(seat, sector, seat == Seat::Author).ok()?;
            Some(Act::Seat { person: person_id(name), standing })
        });
        plans.act_all(id, &installation(), seats.collect(), None).await?;
    }
    let fay = Actor {
        person: person_id("fay"),
        seat: Seat::Facilitator,
        sector: Sector::Government,
        session: SessionId::new("demo"),
    };
    let commitments = [("demo", procurement()), ("demo-budget", budget()), ("demo-water", water())];
    for (document, draft) in commitments {
        let document = DocumentId::new(document);
        let fresh = plans.home(&document).is_none();
        let facilitates = plans
            .get(id)
            .and_then(|plan| plan.standing(&fay.person))
            .is_some_and(|standing| standing.seat == fay.seat);
        if fresh && facilitates {
            let new =
                DocumentToAdd { id: document, language: "en", translates: None, draft: &draft };
            plans.add_document(id, &fay, new, None).await?;
        }
    }
    Ok(())
}

fn words(paragraphs: &[&str]) -> Vec<Op> {
    // The template already contains the newline that ends the last paragraph, so this text does not end with one.
    vec![Op::text(&paragraphs.join("\n"))]
}

fn list(items: &[&str]) -> Vec<Op> {
    let bullet = || Attributes::from_iter([("list", "bullet".into())]);
    let mut ops = Vec::new();
    for (at, item) in items.iter().enumerate() {
        ops.push(Op::text(item));
        if at + 1 < items.len() {
            ops.push(Op::insert("\n", bullet()));
        } else {
            ops.push(Op::retain(1, bullet()));
        }
    }
    ops
}

fn milestone(
    id: &str,
    what: &str,
    outputs: &str,
    who: &str,
    due: &str,
    words: &str,
) -> MilestoneDraft {
    MilestoneDraft {
        id: id.into(),
        what: vec![Op::text(what)],
        outputs: vec![Op::text(outputs)],
        who: vec![Op::text(who)],
        due: due.into(),
        due_text: words.into(),
    }
}

fn procurement() -> Draft {
    Draft {
        texts: vec![
            ("title", words(&["Every public contract above €10,000 is published within ten days"])),
            (
                "brief",
                words(&[
                    "The city will publish each contract it signs, with its price, its supplier and every later change, as open data that residents can search and compare.",
                ]),
            ),
            ("lead", words(&["Department of Finance, City of Riverton"])),
            ("supporting_government", list(&["Legal Services", "Office for Digital Riverton"])),
            (
                "supporting_civil_society",
                list(&["Follow the Money Riverton", "Chamber of Small Builders"]),
            ),
            (
                "problem",
                words(&[
                    "Residents and small firms can't see what the city buys, from whom, and at what price. Contracts are filed on paper in eleven departments, and a request for one takes six weeks on average.",
                    "When contracts change after signing, nobody outside the department learns of it.",
                ]),
            ),
            (
                "causes",
                words(&[
                    "Each department keeps its own register. There is no rule that says when a contract must be published, and no one is responsible for doing it.",
                ]),
            ),
            (
                "solution",
                list(&[
                    "One register for all departments, kept by the Department of Finance.",
                    "Publication within ten days of signing, in the Open Contracting Data Standard.",
                    "Every amendment published like the contract itself.",
                ]),
            ),
        ],
        milestones: vec![
            milestone(
                "m1",
                "Agree on the register’s fields with departments and civil society",
                "A published data dictionary",
                "Department of Finance with Follow the Money Riverton",
                "2027-03-31",
                "",
            ),
            milestone(
                "m2",
                "Publish all contracts signed since January 2026",
                "Register online with search and download",
                "Office for Digital Riverton",
                "",
                "Autumn 2027",
            ),
        ],
        facts: vec![
            ("period_from".into(), "2027-01-01".into()),
            ("period_to".into(), "2028-12-31".into()),
        ],
    }
}

fn budget() -> Draft {
    Draft {
        texts: vec![
            ("title", words(&["Residents decide on a tenth of the investment budget"])),
            ("lead", words(&["Office of the Mayor"])),
            (
                "problem",
                words(&[
                    "Fewer than two hundred people attend the yearly budget hearing, most of them from three of fourteen districts.",
                ]),
            ),
        ],
        ..Draft::default()
    }
}

fn water() -> Draft {
    Draft {
        texts: vec![("title", words(&["Open data on drinking water quality, street by street"]))],
        ..Draft::default()
    }
}

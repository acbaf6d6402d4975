//! Golden ledgers of a plan and of an installation's audit record.

use super::{actor_in, golden};
use accord_document::audit::{self, AuditState};
use accord_document::body::{Act, AuditAction, AuditEvent, Genesis};
use accord_document::ids::{Digest, DocumentId, LineageId, PersonId, PlanId, Seq};
use accord_document::ledger::Outcome;
use accord_document::people::{Seat, Sector, Standing};
use accord_document::plan::{self, PlanState};

#[test]
fn the_golden_ledger_of_a_plan_replays_to_the_same_head_and_seats() {
    const HEAD: &str = "679cb43523d6e5344db3ea02f86d9e8c2933d19a4bfc76d7036e25a225df81e1";
    let ida = actor_in("ida", Seat::Administrator, Sector::Other);
    let fay = actor_in("fay", Seat::Facilitator, Sector::Government);
    let ben = actor_in("ben", Seat::Author, Sector::CivilSociety);
    let make_plan = || {
        let genesis = Genesis {
            lineage: LineageId::new("golden"),
            schema: plan::PLAN_SCHEMA.into(),
            language: String::new(),
            rules: 1,
        };
        let genesis = genesis.entry(ida.clone(), 1_750_000_000_000, [0; 16]);
        let mut state = PlanState::begin(&genesis).unwrap();
        let facilitator = Standing::new(Seat::Facilitator, Sector::Government, false).unwrap();
        let author = Standing::new(Seat::Author, Sector::CivilSociety, true).unwrap();
        let observer = Standing::new(Seat::Observer, Sector::CivilSociety, false).unwrap();
        let invitation = Digest([7; 32]);
        let (kept, gone) = (DocumentId::new("kept"), DocumentId::new("gone"));
        let fays = fay.person.clone();
        let acts = [
            (&ida, Act::Title { title: "열린 정부 2027".into() }),
            (&ida, Act::Seat { person: fays, standing: facilitator }),
            (&fay, Act::Invite { invitation, standing: author, expires: 1_760_000_000_000 }),
            (&ben, Act::Join { invitation }),
            (
                &ben,
                Act::AddDocument {
                    document: kept.clone(),
                    language: "ko".into(),
                    translates: None,
                },
            ),
            (
                &fay,
                Act::AddDocument {
                    document: gone.clone(),
                    language: "en".into(),
                    translates: None,
                },
            ),
            (&fay, Act::Archive { document: kept.clone() }),
            (&fay, Act::Unarchive { document: kept }),
            (&fay, Act::Delete { document: gone }),
            (&fay, Act::Invite { invitation: Digest([8; 32]), standing: observer, expires: 9 }),
            (&fay, Act::Revoke { invitation: Digest([8; 32]) }),
            (&fay, Act::Seat { person: ben.person.clone(), standing: observer }),
            (&fay, Act::Unseat { person: ben.person.clone() }),
            (&fay, Act::Close),
            (&fay, Act::Reopen),
        ];
        let mut entries = vec![genesis];
        for (n, (by, act)) in (1u8..).zip(acts) {
            let time = 1_750_000_000_000 + u64::from(n) * 1_000;
            entries.push(state.act(by, time, [n; 16], act).unwrap());
        }
        entries
    };
    let entries = golden("plan-1.bin", make_plan);
    let mut state = PlanState::begin(&entries[0]).unwrap();
    for entry in &entries[1..] {
        assert_eq!(state.apply(entry).unwrap(), Outcome::Applied, "entry {}", entry.seq);
    }
    assert_eq!(state.title(), "열린 정부 2027");
    assert_eq!(state.seats().count(), 1);
    assert_eq!(state.last_standing(&ben.person).unwrap().seat, Seat::Observer);
    assert_eq!(state.documents().len(), 1);
    assert_eq!(state.position().head.to_string(), HEAD);
}

#[test]
fn the_golden_audit_record_verifies_to_the_same_head() {
    const HEAD: &str = "334d6b4774ce8187386c5c9925cf35c93613239ddbe17c9cb020722386dcf723";
    let ida = actor_in("ida", Seat::Administrator, Sector::Other);
    let make_audit = || {
        let genesis = Genesis {
            lineage: LineageId::new("golden"),
            schema: audit::AUDIT_SCHEMA.into(),
            language: String::new(),
            rules: 1,
        };
        let genesis = genesis.entry(ida.clone(), 1_750_000_000_000, [0; 16]);
        let mut state = AuditState::begin(&genesis).unwrap();
        let (plan, person) = (PlanId::new("plan"), PersonId::new("ben"));
        let actions = [
            AuditAction::CreatePlan { plan: plan.clone() },
            AuditAction::InPlan { plan: plan.clone(), act: Act::Close },
            AuditAction::MakeAdministrator { person: person.clone() },
            AuditAction::EndAdministrator { person: person.clone() },
            AuditAction::MakeResetLink { person: person.clone() },
            AuditAction::EndSessions { person: person.clone() },
            AuditAction::Forget { person },
            AuditAction::AddProvider { issuer: "https://id.example".into() },
            AuditAction::RemoveProvider { issuer: "https://id.example".into() },
            AuditAction::Redact { plan: plan.clone(), document: DocumentId::new("d"), seq: Seq(3) },
            AuditAction::Export { plan: Some(plan) },
        ];
        let mut entries = vec![genesis];
        for (n, action) in (1u8..).zip(actions) {
            let from = (n % 2 == 0).then(|| "203.0.113.7".to_owned());
            let time = 1_750_000_000_000 + u64::from(n) * 1_000;
            entries.push(state.record(&ida, time, [n; 16], AuditEvent { action, from }));
        }
        entries
    };
    let entries = golden("audit-1.bin", make_audit);
    let mut state = AuditState::begin(&entries[0]).unwrap();
    for entry in &entries[1..] {
        state.apply(entry).unwrap();
    }
    assert_eq!(state.position().head.to_string(), HEAD);
}

//! The server on which permissions are tested, and the visitors who test them.

use accord_tests::{Server, Visitor, secret};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

/// A server with the people of the demo, and with others who join.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) fay: Visitor,
    pub(super) ida: Visitor,
    joined: u32,
}

impl World {
    pub(super) fn start(dir: &std::path::Path) -> Result<Self> {
        let server = Server::start(dir)?;
        let (fay, ida) = (server.visit("fay")?, server.visit("ida")?);
        Ok(Self { server, fay, ida, joined: 0 })
    }

    pub(super) fn visitor(&mut self, name: &str) -> Result<Visitor> {
        match name {
            "nobody" => Ok(Visitor::nobody(&self.server.address)),
            "stranger" => {
                let (stranger, id) = self.newcomer("author", "government")?;
                ensure!(self.unseat(&id)? == 204);
                Ok(stranger)
            }
            "observer" => self.server.visit("obi"),
            "adviser" => self.server.visit("ada"),
            "author" => self.server.visit("ana"),
            "facilitator" => self.server.visit("fay"),
            "administrator" => self.server.visit("ida"),
            other => bail!("no {other}"),
        }
    }

    /// Creates a user account that joins the demo plan. Returns the visitor and their id.
    pub(super) fn newcomer(&mut self, seat: &str, sector: &str) -> Result<(Visitor, String)> {
        self.joined += 1;
        let link = self.fay.invite(seat, sector)?;
        let email = format!("person{}@x.org", self.joined);
        let visitor = Visitor::join(&self.server.address, &link, &email)?;
        let id = visitor.id()?;
        Ok((visitor, id))
    }

    pub(super) fn unseat(&self, person: &str) -> Result<u16> {
        let path = format!("/api/v1/plans/demo/people/{person}");
        Ok(self.fay.request("DELETE", &path, None)?.0)
    }

    fn propose(&self, document: &str) -> Result<u64> {
        let (_, path) = self.fay.get(&format!("/api/v1/documents/{document}/release"))?;
        let wanted = json!({ "digest": path["digest"] });
        let (_, made) =
            self.fay.post(&format!("/api/v1/documents/{document}/proposals"), wanted)?;
        made["seq"].as_u64().with_context(|| format!("no proposal: {made}"))
    }

    fn freeze(&self, document: &str) -> Result<()> {
        let proposal = self.propose(document)?;
        let (_, path) = self.fay.get(&format!("/api/v1/documents/{document}/release"))?;
        let signature = json!({ "digest": path["digest"] });
        let path = format!("/api/v1/documents/{document}/proposals/{proposal}/signature");
        for name in ["ana", "ben"] {
            let (status, answer) =
                self.server.visit(name)?.request("PUT", &path, Some(signature.clone()))?;
            ensure!(status == 200, "{status} {answer}");
        }
        Ok(())
    }

    /// Returns the path of a route, with a newly made object for each of its parameters.
    pub(super) fn fill(&mut self, route: &str) -> Result<String> {
        let mut path = route.replace("{plan}", "demo").replace("{session}", "none");
        path = path.replace("{kind}", "html");
        path = path.replace("{provider}", "none");
        if path.contains("{document}") {
            let document = self.fay.create("To be tried")?;
            if path.contains("{proposal}") {
                path = path.replace("{proposal}", &self.propose(&document)?.to_string());
            }
            if path.contains("{number}") || path.contains("/reopening") {
                self.freeze(&document)?;
                path = path.replace("{number}", "1");
            }
            path = path.replace("{document}", &document);
        }
        if path.contains("{launch}") {
            let document = self.fay.create("To be launched")?;
            self.freeze(&document)?;
            // The launch is in the year 2125, so that it is still ahead when it is called off.
            let launch =
                json!({ "documents": [document], "opens": 4_900_000_000_000_u64, "zone": "UTC" });
            let (_, made) = self.fay.post("/api/v1/plans/demo/launches", launch)?;
            path = path.replace("{launch}", &made["seq"].to_string());
        }
        if path.contains("{person}") {
            path = path.replace("{person}", &self.newcomer("observer", "other")?.1);
        }
        if path.contains("{invitation}") {
            self.fay.invite("observer", "other")?;
            let (_, people) = self.fay.get("/api/v1/plans/demo/people")?;
            let id = people["invitations"][0]["id"].as_str().context("an open invitation")?;
            path = path.replace("{invitation}", id);
        }
        if path.contains("{secret}") {
            let link = if path.starts_with("/links") {
                let person = self.newcomer("observer", "other")?.1;
                let made = format!("/api/v1/administration/people/{person}/reset");
                self.ida.post(&made, json!({}))?.1["link"].clone()
            } else {
                self.fay.invite("observer", "other")?.into()
            };
            path = path.replace("{secret}", secret(link.as_str().context("a link")?));
        }
        Ok(format!("/api/v1{path}"))
    }
}

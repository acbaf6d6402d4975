//! Runs stories, in which people use Accord in real browsers. Each test runs one script of `tests/node`, which starts
//! its own server.

use accord_tests::{accord_binary, node};
use anyhow::Result;
use std::sync::{Mutex, PoisonError};

/// The lock that lets only one story run at a time, because browsers need much memory and processor time.
static ONE: Mutex<()> = Mutex::new(());

fn story(script: &str) -> Result<()> {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let binary = accord_binary();
    accord_tests::node_with(script, &[], &[("ACCORD_BIN", binary.as_os_str())]).map(drop)
}

#[test]
fn two_people_write_in_one_paragraph_and_see_each_others_carets() -> Result<()> {
    story("together.mjs")
}

#[test]
fn undo_never_takes_a_colleagues_words() -> Result<()> {
    story("undo.mjs")
}

#[test]
fn a_korean_composition_survives_edits_in_its_line() -> Result<()> {
    story("ime.mjs")
}

#[test]
fn offline_edits_survive_reloads_restarts_and_other_people_on_the_laptop() -> Result<()> {
    story("offline.mjs")
}

#[test]
fn after_an_update_of_the_app_a_commitment_opens_without_a_network() -> Result<()> {
    story("updated_app.mjs")
}

#[test]
fn a_browser_and_a_stock_client_share_a_text() -> Result<()> {
    story("with_stock.mjs")
}

#[test]
fn what_is_pasted_from_word_and_the_web_becomes_what_a_text_can_hold() -> Result<()> {
    story("paste.mjs")
}

#[test]
fn a_change_chosen_in_the_list_comes_onto_the_screen() -> Result<()> {
    story("chosen.mjs")
}

#[test]
fn what_is_signed_is_what_is_seen() -> Result<()> {
    story("seen.mjs")
}

#[test]
fn from_an_empty_folder_people_get_in_write_and_lose_their_seats() -> Result<()> {
    story("first_start.mjs")
}

#[test]
fn people_sign_in_with_a_provider_and_one_that_lies_is_not_believed() -> Result<()> {
    story("oidc.mjs")
}

#[test]
fn an_address_is_confirmed_by_a_mailed_link_in_its_person_s_browser() -> Result<()> {
    story("confirm.mjs")
}

#[test]
fn a_redacted_passage_is_gone_from_every_page_and_every_device() -> Result<()> {
    story("redact.mjs")
}

#[test]
fn a_disagreement_is_read_from_the_history_page_alone() -> Result<()> {
    story("history.mjs")
}

#[test]
fn every_page_is_accessible_and_works_by_keyboard() -> Result<()> {
    story("accessible.mjs")
}

#[test]
fn the_editor_and_a_stock_quill_end_in_the_same_delta() -> Result<()> {
    node("quill.mjs", &["60"]).map(drop)
}

#[test]
fn words_stay_their_authors_wherever_others_put_them() -> Result<()> {
    story("moved.mjs")
}

#[test]
fn a_commitment_is_signed_launched_checked_and_followed_by_its_successor() -> Result<()> {
    story("release.mjs")
}

#[test]
fn nothing_that_somebody_writes_runs_on_any_page() -> Result<()> {
    story("xss.mjs")
}

#[test]
fn two_governments_bring_in_sign_launch_and_replace_their_own_commitments() -> Result<()> {
    story("summit.mjs")
}

//! The promises of Accord. Each file has one subject. All files are in one binary, so that only one has to be linked.

#![allow(clippy::unwrap_used)]

mod addresses;
mod backup;
mod bad_input;
mod browser;
mod connections;
mod costs;
mod defences;
mod examples;
mod files;
mod forgery;
mod freeze;
mod golden;
mod heavy_updates;
mod history;
mod intents;
mod joining;
mod launch;
mod lock_out;
mod long_histories;
mod metrics;
mod odd_requests;
mod permissions;
mod providers;
mod questions;
mod real_input;
mod release;
mod repair;
mod running;
mod same_reading;
mod sealing;
mod seen;
mod simulation;
mod sockets;
mod start_up;
mod stock_clients;
mod stopping;
mod survives;
mod tampering;
mod verify;
mod who_has_an_account;

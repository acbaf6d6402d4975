//! The limit on open files (`RLIMIT_NOFILE`). The server raises this limit as far as the operating system allows.
//! Connections never use all of the files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Maximum number of open files reserved for everything but connections: the store, child processes, outgoing requests,
/// and commands of the command line.
const MOST_RESERVED: usize = 512;
/// Minimum number of open files reserved for everything but connections: the store, child processes, outgoing requests,
/// and commands of the command line.
const LEAST_RESERVED: usize = 64;
/// Minimum number of connections that are allowed, however low the limit on open files is.
const LEAST_CONNECTIONS: usize = 16;

/// Raises the limit on open files to the hard limit, and returns the new limit.
pub(crate) fn raise_open_files() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        if let Err(error) = raised {
            tracing::warn!(%error, "the limit of open files can't be raised");
        }
    }
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Returns the number of connections that can be open in a process that can open `open_files` files. A quarter of the
/// files, at least 64 and at most 512, is reserved for everything else. At least 16 connections are always allowed.
pub(super) fn connections_for(open_files: usize) -> usize {
    let reserve = (open_files / 4).clamp(LEAST_RESERVED, MOST_RESERVED);
    open_files.saturating_sub(reserve).max(LEAST_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_of_open_files_is_left() {
        for (open_files, connections) in
            [(40, 16), (128, 64), (256, 192), (1_024, 768), (20_000, 19_488)]
        {
            assert_eq!(connections_for(open_files), connections, "{open_files} open files");
        }
        assert!(connections_for(usize::MAX) > 1_000_000);
    }
}

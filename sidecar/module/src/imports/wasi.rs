//! WASI preview 1, with the types of its witx description (`wasi_snapshot_preview1`).

use crate::{
    ValType::{self, I32, I64},
    imports::{KnownImport, Needs, Wasi},
};

const fn p1(name: &'static str, params: &'static [ValType], descriptor: Wasi) -> KnownImport {
    let needs = Needs::Wasi(descriptor);
    KnownImport { module: "wasi_snapshot_preview1", name, params, results: &[I32], needs, built: false }
}

pub(super) const PREVIEW1: &[KnownImport] = &[
    p1("args_get", &[I32, I32], Wasi::Any),
    p1("args_sizes_get", &[I32, I32], Wasi::Any),
    p1("environ_get", &[I32, I32], Wasi::Any),
    p1("environ_sizes_get", &[I32, I32], Wasi::Any),
    p1("clock_res_get", &[I32, I32], Wasi::Clocks),
    p1("clock_time_get", &[I32, I64, I32], Wasi::Clocks),
    p1("fd_advise", &[I32, I64, I64, I32], Wasi::Any),
    p1("fd_allocate", &[I32, I64, I64], Wasi::Any),
    p1("fd_close", &[I32], Wasi::Stdio),
    p1("fd_datasync", &[I32], Wasi::Any),
    p1("fd_fdstat_get", &[I32, I32], Wasi::Stdio),
    p1("fd_fdstat_set_flags", &[I32, I32], Wasi::Any),
    p1("fd_fdstat_set_rights", &[I32, I64, I64], Wasi::Any),
    p1("fd_filestat_get", &[I32, I32], Wasi::Any),
    p1("fd_filestat_set_size", &[I32, I64], Wasi::Any),
    p1("fd_filestat_set_times", &[I32, I64, I64, I32], Wasi::Any),
    p1("fd_pread", &[I32, I32, I32, I64, I32], Wasi::Any),
    p1("fd_prestat_get", &[I32, I32], Wasi::Any),
    p1("fd_prestat_dir_name", &[I32, I32, I32], Wasi::Any),
    p1("fd_pwrite", &[I32, I32, I32, I64, I32], Wasi::Any),
    p1("fd_read", &[I32, I32, I32, I32], Wasi::Stdio),
    p1("fd_readdir", &[I32, I32, I32, I64, I32], Wasi::Any),
    p1("fd_renumber", &[I32, I32], Wasi::Any),
    p1("fd_seek", &[I32, I64, I32, I32], Wasi::Stdio),
    p1("fd_sync", &[I32], Wasi::Any),
    p1("fd_tell", &[I32, I32], Wasi::Any),
    p1("fd_write", &[I32, I32, I32, I32], Wasi::Stdio),
    p1("path_create_directory", &[I32, I32, I32], Wasi::Any),
    p1("path_filestat_get", &[I32, I32, I32, I32, I32], Wasi::Any),
    p1("path_filestat_set_times", &[I32, I32, I32, I32, I64, I64, I32], Wasi::Any),
    p1("path_link", &[I32, I32, I32, I32, I32, I32, I32], Wasi::Any),
    p1("path_open", &[I32, I32, I32, I32, I32, I64, I64, I32, I32], Wasi::Any),
    p1("path_readlink", &[I32, I32, I32, I32, I32, I32], Wasi::Any),
    p1("path_remove_directory", &[I32, I32, I32], Wasi::Any),
    p1("path_rename", &[I32, I32, I32, I32, I32, I32], Wasi::Any),
    p1("path_symlink", &[I32, I32, I32, I32, I32], Wasi::Any),
    p1("path_unlink_file", &[I32, I32, I32], Wasi::Any),
    p1("poll_oneoff", &[I32, I32, I32, I32], Wasi::Clocks),
    KnownImport { results: &[], ..p1("proc_exit", &[I32], Wasi::Any) },
    p1("proc_raise", &[I32], Wasi::Any),
    p1("sched_yield", &[], Wasi::Any),
    p1("random_get", &[I32, I32], Wasi::Random),
    p1("sock_accept", &[I32, I32, I32], Wasi::Any),
    p1("sock_recv", &[I32, I32, I32, I32, I32, I32], Wasi::Any),
    p1("sock_send", &[I32, I32, I32, I32, I32], Wasi::Any),
    p1("sock_shutdown", &[I32, I32], Wasi::Any),
];

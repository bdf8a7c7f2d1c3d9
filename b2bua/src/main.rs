//! The binary `liaison`.
#![forbid(unsafe_code)]

/// An allocator with a heap for each thread, and pages for each size, is less held up by what standing calls keep than the C
/// library's is by the pieces between them (`benches/RESULTS.md`, "Calls that stand").
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    b2bua::cli::main()
}

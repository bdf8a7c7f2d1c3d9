//! The binary `liaison`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    b2bua::cli::main()
}

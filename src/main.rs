//! The binary: `siskin`, also as `kubectl-siskin` and `kubectl-argo-rollouts`. Everything is in the library.

fn main() -> std::process::ExitCode {
    siskin::cli::main(std::env::args_os())
}

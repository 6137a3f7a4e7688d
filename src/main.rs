//! The binary: `siskin`, also as `kubectl-siskin` and `kubectl-argo-rollouts`. Everything is in the library.

#![forbid(unsafe_code)]

/// Gives memory back after a relist, which the system's allocator does not.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    // Fails only where a provider is installed already, which then serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    siskin::cli::main(std::env::args_os())
}

#!/usr/bin/env bash
# Runs a command that needs a component of the toolchain: component.sh NAME COMMAND...
#
# rustup installs what rust-toolchain.toml names, at the first use. A toolchain without rustup may lack a component:
# then the exit code is 77, with the reason.
set -euo pipefail

component=$1
shift
program=cargo-${component#cargo-}
[ "$component" != rustfmt ] || program=cargo-fmt
has() { "$program" --version >/dev/null 2>&1; }

if ! has && command -v rustup >/dev/null && [ "$program" != "$component" ]; then
  rustup component add "$component" >/dev/null 2>&1 || true
fi
remedy="rustup component add $component"
[ "$program" != "$component" ] || remedy="cargo install --locked $component"
has || { echo "SKIPPED: $component is not installed: $remedy" && exit 77; }
exec "$@"

#!/usr/bin/env bash
# The end-to-end scenarios: e2e.sh [WORD...], with the words of e2e/run. E2E=off leaves the real cluster out.
# Exit code 77 and `SKIPPED: reason` where this machine cannot run them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
case " $* " in *" --in-memory "*) E2E=on ;; esac
[ "${E2E:-on}" != off ] || { echo "SKIPPED: E2E=off" && exit 77; }
[ -f e2e/run ] || { echo "SKIPPED: there is no e2e/run" && exit 77; }
exec bash e2e/run "$@"

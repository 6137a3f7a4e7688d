#!/usr/bin/env bash
# All benchmarks. Those of a real API server run on a cluster of their own, where this machine can start one.
#
#   bench.sh [cargo's arguments]   for example --bench plans
#
# STATE_DIR   the cluster's folder. E2E=off leaves the cluster out.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
cluster=e2e/cluster/cluster
export STATE_DIR=${STATE_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/siskin/bench}

start() {
  local code=0
  $cluster up fake || code=$?
  [ "$code" != 77 ] || return 0
  [ "$code" = 0 ] || exit "$code"
  # shellcheck source=/dev/null
  . "$STATE_DIR/env"
  "$KUBECTL" --kubeconfig "$KUBECONFIG" apply --server-side --force-conflicts -k crds >/dev/null
  "$KUBECTL" --kubeconfig "$KUBECONFIG" wait --for=condition=Established --timeout=60s crd --all >/dev/null
  export SISKIN_BENCH_KUBECONFIG=$KUBECONFIG NO_PROXY='*'
  export SISKIN_BENCH_LOG=$STATE_DIR/logs/bench-controller.log
}

# Built before the cluster starts: building takes longer than everything else.
cargo bench --locked --no-run "$@"
if [ "${E2E:-on}" != off ]; then
  trap '$cluster down' EXIT
  start
fi
cargo bench --locked "$@"

#!/usr/bin/env bash
# Proves that the harness works on this machine: starts a cluster of its own,
# runs a weighted route through it, stops it, and looks for leftovers.
# Exit code 77 means that the machine lacks something.
set -euo pipefail
shopt -s inherit_errexit

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export STATE_DIR=${STATE_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/siskin/e2e-smoke}
# shellcheck source=lib/common.sh
. "$HERE/lib/common.sh"

readonly NAMESPACE=smoke # with version 1 of the workload as stable, version 2 as canary
readonly REQUESTS=200
# At a weight of 20 the canary's share of 200 requests is 40 ± 5.7; outside these
# bounds, six standard deviations away, a right split falls once in 10^8 runs.
readonly CANARY_MIN=6
readonly CANARY_MAX=74

k() { "$KUBECTL" --kubeconfig "$KUBECONFIG" --namespace "$NAMESPACE" "$@"; }

# answers N: the versions that answer N requests through the gateway, one a line.
answers() {
  local urls=("http://$GATEWAY_ADDR/?[1-$1]")
  # The first word of the body is the version.
  curl --silent --show-error --fail --max-time 60 --header 'Host: shop.example' "${urls[@]}" | awk '{ print $1 }'
}

count() { grep -cx "$1" || true; }

route_answers() { [ -n "$(answers 1)" ]; }

route_is_all_canary() { [ "$(answers 10 | count 2)" = 10 ]; }

deploy() {
  "$KUBECTL" --kubeconfig "$KUBECONFIG" create namespace "$NAMESPACE" >/dev/null
  k apply -f "$HERE/manifests/smoke.yaml" >/dev/null
  k rollout status deployment/shop-stable --timeout=60s >/dev/null
  k rollout status deployment/shop-canary --timeout=60s >/dev/null
  say "three pods are ready"
  wait_for 10 "the first answer through the gateway" route_answers
}

check_split() {
  local versions stable canary
  versions=$(answers "$REQUESTS")
  stable=$(count 1 <<<"$versions")
  canary=$(count 2 <<<"$versions")
  say "weights 80 and 20: $stable answers of version 1 and $canary of version 2"
  [ $((stable + canary)) = "$REQUESTS" ] || fail "$REQUESTS requests got $((stable + canary)) answers of a known version"
  [ "$canary" -ge "$CANARY_MIN" ] && [ "$canary" -le "$CANARY_MAX" ] || fail "the canary's share is not near 20 %"
}

check_endpoints() {
  local ready
  ready=$(k get endpointslices -l kubernetes.io/service-name=shop-stable \
    --output 'jsonpath={.items[*].endpoints[*].conditions.ready}')
  [ "$ready" = "true true" ] || fail "the stable Service's endpoints are '$ready', not two ready ones"
  say "the Service has two ready endpoints"
}

check_logs() {
  [[ $(k logs deployment/shop-canary) == *'serving version=2'* ]] || fail "kubectl logs does not show the pod's first line"
  say "kubectl logs reads the pod"
}

check_cluster_ip() {
  local address
  address=$(k get service shop-stable --output 'jsonpath={.spec.clusterIP}')
  [[ $(k exec deployment/shop-canary -- /app get "http://$address/") == '200 1 '* ]] ||
    fail "a pod does not reach the Service's address $address"
  say "kubectl exec works, and the pod reaches a Service by its address"
}

check_weight_patch() {
  local patch='[{"op":"replace","path":"/spec/rules/0/backendRefs/0/weight","value":0},
    {"op":"replace","path":"/spec/rules/0/backendRefs/1/weight","value":100}]'
  k patch httproute shop --type=json --patch "$patch" >/dev/null
  wait_for 5 "a route with the canary alone" route_is_all_canary
  [ "$(answers "$REQUESTS" | count 2)" = "$REQUESTS" ] || fail "stable still answers at weight 0"
  say "weights 0 and 100: only the canary answers"
}

prometheus_counts() {
  local value
  value=$(curl --silent --fail --get "http://$PROMETHEUS_ADDR/api/v1/query" \
    --data-urlencode 'query=sum(http_requests_total{version="2",code="200"})' |
    sed -nE 's/.*"value":\[[^,]*,"([0-9]+)".*/\1/p')
  [ "${value:-0}" -ge "$REQUESTS" ]
}

check_prometheus() {
  "$HERE/cluster" scrape "$NAMESPACE" app=shop
  wait_for 15 "the canary's requests in Prometheus" prometheus_counts
  say "Prometheus has scraped the pods' request counters"
}

# A pod that is deleted must fail its probe, leave the endpoints, and end by itself.
check_termination() {
  local started=$SECONDS
  k delete pod --selector track=canary --grace-period=20 >/dev/null
  [ $((SECONDS - started)) -lt 15 ] || fail "the pod did not end by itself on SIGTERM"
  k rollout status deployment/shop-canary --timeout=60s >/dev/null
  say "a deleted pod ended by itself and was replaced"
}

stop() {
  local code=$?
  trap - EXIT
  "$HERE/cluster" down
  "$HERE/check-clean.sh" || code=1
  [ "$code" != 0 ] || say "PASSED"
  exit "$code"
}

main() {
  # Before the trap: what cannot start has cleaned up after itself.
  "$HERE/cluster" up full
  trap stop EXIT
  # shellcheck source=/dev/null
  . "$STATE_DIR/env"
  deploy
  check_endpoints
  check_split
  check_logs
  check_cluster_ip
  check_weight_patch
  check_prometheus
  check_termination
}

main

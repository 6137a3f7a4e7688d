# shellcheck shell=bash
# What carries and measures traffic: Contour with Envoy as a Gateway API
# implementation, and Prometheus. They run beside the pods, in the box, and reach
# them by their addresses over the bridge.

readonly GATEWAY_NAMESPACE=projectcontour # Contour wants its own namespace to exist
readonly GATEWAY_NAME=web
readonly GATEWAY_PORT=8080 # Contour opens a listener's port + 8000, and ours is 80
readonly XDS_PORT=8001
readonly PROMETHEUS_PORT=9090
PROMETHEUS=$STATE_DIR/prometheus
PROM_TARGETS_FILE=$PROMETHEUS/targets.json

# The collections that Contour lists when it starts, beside the API's own. One
# that is not served yet would end it.
readonly CONTOUR_WATCHES="
  gateway.networking.k8s.io/v1/gatewayclasses gateway.networking.k8s.io/v1/gateways
  gateway.networking.k8s.io/v1/httproutes gateway.networking.k8s.io/v1/grpcroutes
  gateway.networking.k8s.io/v1beta1/referencegrants gateway.networking.k8s.io/v1alpha3/backendtlspolicies
  gateway.networking.k8s.io/v1alpha2/tcproutes gateway.networking.k8s.io/v1alpha2/tlsroutes
  projectcontour.io/v1/httpproxies projectcontour.io/v1/tlscertificatedelegations
  projectcontour.io/v1alpha1/extensionservices projectcontour.io/v1alpha1/contourconfigurations"

# gateway_objects: the CRDs, and the one Gateway that routes can attach to.
# The files are known to be valid: not asking for the schema saves seconds, as
# does looking at the collections instead of `kubectl wait`.
gateway_objects() {
  kubectl create --validate=false -f "$CONTOUR_DIR/crds" >/dev/null
  wait_alive kube-apiserver 30 "the Gateway API's collections" collections_served
  kubectl create --validate=false -f "$E2E_CLUSTER/manifests/gateway.yaml" >/dev/null
}

collections_served() {
  local collection
  for collection in $CONTOUR_WATCHES; do
    api_get "/apis/$collection?limit=1" || return 1
  done
}

contour_up() {
  local folder=$STATE_DIR/contour
  mkdir -p "$folder"
  printf 'gateway: {gatewayRef: {namespace: %s, name: %s}}\n' "$GATEWAY_NAMESPACE" "$GATEWAY_NAME" \
    >"$folder/contour.yaml"
  spawn contour "$CONTOUR_DIR/contour" serve --kubeconfig "$STATE_DIR/admin.kubeconfig" \
    --config-path "$folder/contour.yaml" --insecure --xds-address 127.0.0.1 --xds-port "$XDS_PORT" \
    --http-address 127.0.0.1 --http-port 8002 --health-address 127.0.0.1 --health-port 8003 \
    --debug-http-address 127.0.0.1 --debug-http-port 8004 --stats-address 127.0.0.1 --stats-port 8005 \
    --envoy-service-http-address 0.0.0.0 --envoy-service-https-address 127.0.0.1 \
    --ingress-status-address "$BOX_ADDR" --disable-leader-election \
    --kubernetes-client-qps 100 --kubernetes-client-burst 200
  "$CONTOUR_DIR/contour" bootstrap --xds-address 127.0.0.1 --xds-port "$XDS_PORT" \
    --xds-resource-version v3 --admin-address "$folder/envoy.sock" "$folder/envoy.json" \
    >"$STATE_DIR/logs/contour-bootstrap.log" 2>&1
  spawn envoy "$ENVOY_DIR/envoy" --config-path "$folder/envoy.json" --service-cluster siskin-e2e \
    --service-node envoy --log-level warning --concurrency 2
}

# wait_for_gateway: Envoy opens the port itself only once there is a route.
wait_for_gateway() {
  wait_alive contour 60 "the Gateway's programming" gateway_programmed
  wait_alive envoy 30 "Envoy's readiness" envoy_ready
}

gateway_programmed() {
  local gateway
  gateway=$(api_get "/apis/gateway.networking.k8s.io/v1/namespaces/$GATEWAY_NAMESPACE/gateways/$GATEWAY_NAME" |
    tr -d ' \n')
  # The fields of a custom resource come in the order of the alphabet.
  [[ $gateway == *'"status":"True","type":"Programmed"'* ]]
}

envoy_ready() { in_place curl -sf --unix-socket "$STATE_DIR/contour/envoy.sock" http://envoy/ready; }

# prometheus_up: it scrapes what $PROM_TARGETS_FILE lists, every second. Debian's
# build has no discovery by Kubernetes, so the tests write that file.
prometheus_up() {
  mkdir -p "$PROMETHEUS"
  cp "$E2E_CLUSTER/manifests/prometheus.yml" "$PROMETHEUS/prometheus.yml"
  printf '[]\n' >"$PROM_TARGETS_FILE"
  spawn prometheus env PATH="$PATH" prometheus --config.file="$PROMETHEUS/prometheus.yml" \
    --storage.tsdb.path="$PROMETHEUS/data" --web.listen-address="0.0.0.0:$PROMETHEUS_PORT" --log.level=warn
}

wait_for_prometheus() {
  wait_alive prometheus 30 "Prometheus' readiness" curl -sf "http://$BOX_ADDR:$PROMETHEUS_PORT/-/ready"
}

# scrape_pods NAMESPACE SELECTOR PORT: makes Prometheus scrape the running pods
# that the selector matches, and no others.
scrape_pods() {
  local template partial=$PROM_TARGETS_FILE.partial
  template='[{{range $i, $p := .items}}{{if $i}},{{end}}'
  template+='{"targets":["{{$p.status.podIP}}:'$3'"],"labels":{"namespace":"{{$p.metadata.namespace}}",'
  template+='"pod":"{{$p.metadata.name}}","app":"{{index $p.metadata.labels "app"}}"}}{{end}}]'
  kubectl get pods --namespace "$1" --selector "$2" --field-selector status.phase=Running \
    --output go-template="$template" >"$partial"
  # Renamed, so that Prometheus never reads half a file.
  mv "$partial" "$PROM_TARGETS_FILE"
}

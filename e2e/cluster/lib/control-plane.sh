# shellcheck shell=bash
# etcd, kube-apiserver, kube-controller-manager and kube-scheduler.

readonly SERVICE_PREFIX=10.96
readonly SERVICE_CIDR=$SERVICE_PREFIX.0.0/16
# The five ports from here on are etcd's two, the API server's, the controller
# manager's and the scheduler's. In the box they are always free.
readonly BOX_PORT_BASE=6440

# free_port_base: prints the first of six ports of 127.0.0.1 that nobody listens
# on: the five, and kwok's.
free_port_base() {
  local base port
  for ((base = 21640; base < 22640; base += 10)); do
    for ((port = base; port < base + 6; port++)); do
      ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue 2
    done
    printf '%s\n' "$base"
    return
  done
  fail "there are no six free ports between 21640 and 22640; set PORT_BASE"
}

# control_plane_up: needs PORT_BASE and API_SERVER (the URL that clients use),
# and NODE_ADDR when a node will join.
control_plane_up() {
  write_kubeconfig "$STATE_DIR/admin.kubeconfig" admin
  write_kubeconfig "$PKI/controller-manager.kubeconfig" controller-manager
  write_kubeconfig "$PKI/scheduler.kubeconfig" scheduler
  start_etcd
  start_apiserver
  wait_alive kube-apiserver 120 "the API server's readiness" api_get /readyz
  # Before the API server has made its first roles these two are refused, and exit.
  start_controller_manager
  start_scheduler
}

# api_get PATH: asks the API server, without the start-up time of kubectl.
api_get() {
  curl --silent --fail --max-time 5 --cacert "$PKI/ca.crt" --cert "$PKI/admin.crt" --key "$PKI/admin.key" \
    "$API_SERVER$1"
}

# wait_for_service_account: without the default account no pod can be made.
wait_for_service_account() {
  wait_alive kube-controller-manager 60 "the default service account" \
    api_get /api/v1/namespaces/default/serviceaccounts/default
}

kubectl() { "$KUBEBOX_DIR/kubectl" --kubeconfig "$STATE_DIR/admin.kubeconfig" "$@"; }

start_etcd() {
  local client=http://127.0.0.1:$PORT_BASE peer=http://127.0.0.1:$((PORT_BASE + 1))
  # The data need not outlive the machine, so no write waits for the disk.
  spawn etcd "$KUBEBOX_DIR/etcd" --name e2e --data-dir "$STATE_DIR/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "$client" --advertise-client-urls "$client" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "e2e=$peer"
}

start_apiserver() {
  local flags=(--bind-address=127.0.0.1 --endpoint-reconciler-type=none)
  if [ -n "${NODE_ADDR:-}" ]; then
    # The Service `kubernetes` must lead to an address that pods can reach.
    flags=(--bind-address=0.0.0.0 --advertise-address="$NODE_ADDR")
  fi
  if [ -n "${AUDIT_POLICY:-}" ]; then
    # One file: a rotated one would have to be looked for.
    flags+=(--audit-policy-file="$AUDIT_POLICY" --audit-log-path="$STATE_DIR/logs/audit.log" --audit-log-maxsize=4096)
  fi
  # Without the kubelet preference, logs and exec would look for the node's name
  # in DNS. The front proxy certificate lets tests serve an aggregated API.
  spawn kube-apiserver "$KUBEBOX_DIR/kube-apiserver" "${flags[@]}" \
    --secure-port=$((PORT_BASE + 2)) --etcd-servers="http://127.0.0.1:$PORT_BASE" \
    --service-cluster-ip-range="$SERVICE_CIDR" --cert-dir="$PKI" \
    --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" --client-ca-file="$PKI/ca.crt" \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
    --kubelet-client-certificate="$PKI/admin.crt" --kubelet-client-key="$PKI/admin.key" \
    --kubelet-preferred-address-types=InternalIP \
    --requestheader-client-ca-file="$PKI/ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --proxy-client-cert-file="$PKI/front-proxy.crt" --proxy-client-key-file="$PKI/front-proxy.key" \
    --enable-aggregator-routing=true --authorization-mode=Node,RBAC --allow-privileged=true --profiling=false
}

start_controller_manager() {
  # The client limits halve the time until the first pod; the default is 20 requests a second.
  spawn kube-controller-manager "$KUBEBOX_DIR/kube-controller-manager" \
    --kubeconfig="$PKI/controller-manager.kubeconfig" --bind-address=127.0.0.1 --secure-port=$((PORT_BASE + 3)) \
    --cert-dir="$PKI/controller-manager" --leader-elect=false --use-service-account-credentials=true \
    --root-ca-file="$PKI/ca.crt" --service-account-private-key-file="$PKI/sa.key" \
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
    --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16 --service-cluster-ip-range="$SERVICE_CIDR" \
    --kube-api-qps=300 --kube-api-burst=600
}

start_scheduler() {
  spawn kube-scheduler "$KUBEBOX_DIR/kube-scheduler" --kubeconfig="$PKI/scheduler.kubeconfig" \
    --bind-address=127.0.0.1 --secure-port=$((PORT_BASE + 4)) --cert-dir="$PKI/scheduler" --leader-elect=false
}

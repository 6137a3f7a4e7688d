# shellcheck shell=bash
# kwok: a node and pods that exist in the API only. Pods on it turn Ready at
# once; hundreds of them cost nothing. No root is needed.

readonly FAKE_POD_CIDR=10.250.0.1/16

kwok_up() {
  # Only nodes with the annotation are kwok's, so it never touches a real node.
  spawn kwok "$KWOK_DIR/kwok" --kubeconfig="$STATE_DIR/admin.kubeconfig" --manage-all-nodes=false \
    --manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake --cidr="$FAKE_POD_CIDR" \
    --node-ip=10.250.255.1 --node-lease-duration-seconds=40 --server-address="127.0.0.1:$((PORT_BASE + 5))"
  kubectl apply -f "$E2E_CLUSTER/manifests/fake-node.yaml" >/dev/null
  wait_alive kwok 30 "the fake node's readiness" fake_node_ready
}

fake_node_ready() {
  [ "$(kubectl get node fake-node --output 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]
}

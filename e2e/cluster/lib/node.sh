# shellcheck shell=bash
# The node: containerd, kubelet and kube-proxy, in the box.

readonly NODE_NAME=e2e-node
readonly POD_CIDR=10.244.0.0/24
readonly NODE_ADDR_IN_BOX=10.244.0.1 # the bridge's own address, which is also the pods' gateway
readonly BRIDGE=pods0
readonly MAX_PODS=200

NODE=$STATE_DIR/node
CTR_SOCKET=$NODE/containerd.sock

# node_network_up: before the API server starts, since that advertises the bridge's address.
node_network_up() {
  in_place ip link add "$BRIDGE" type bridge
  in_place ip addr add "$NODE_ADDR_IN_BOX/${POD_CIDR#*/}" dev "$BRIDGE"
  in_place ip link set "$BRIDGE" up
}

# containerd_up: starts it and loads the images; it needs no API server.
containerd_up() {
  local image
  mkdir -p "$NODE/cni"
  write_cni_config
  write_containerd_config
  spawn containerd env PATH="$PATH" containerd --config "$NODE/containerd.toml"
  wait_alive containerd 30 "containerd's answer" ctr --address "$CTR_SOCKET" version
  for image in "$APP_DIR"/*.tar; do
    ctr --address "$CTR_SOCKET" --namespace k8s.io images import "$image" >/dev/null
  done
}

# node_up: joins the node and waits until it is Ready.
node_up() {
  : >"$NODE/resolv.conf"
  new_certificate kubelet "/O=system:nodes/CN=system:node:$NODE_NAME" \
    "subjectAltName=IP:$NODE_ADDR_IN_BOX,DNS:$NODE_NAME" extendedKeyUsage=clientAuth,serverAuth
  write_kubeconfig "$NODE/kubelet.kubeconfig" kubelet
  write_kubelet_config
  write_kube_proxy_config
  spawn kubelet env PATH="$PATH" "$KUBEBOX_DIR/kubelet" --config="$NODE/kubelet.yaml" \
    --kubeconfig="$NODE/kubelet.kubeconfig" --root-dir="$NODE/kubelet" --cert-dir="$PKI/kubelet" \
    --hostname-override="$NODE_NAME" --node-ip="$NODE_ADDR_IN_BOX" --v=2
  spawn kube-proxy "$KUBEBOX_DIR/kube-proxy" --config="$NODE/kube-proxy.yaml"
  wait_alive kubelet 120 "the node's readiness" node_ready
}

node_ready() {
  local node
  # Not a pipe into `grep -q`: that ends at the match, and the writer then fails.
  node=$(api_get "/api/v1/nodes/$NODE_NAME" | tr -d ' \n')
  # A condition's status comes right after its type.
  [[ $node == *'"type":"Ready","status":"True"'* ]]
}

write_cni_config() {
  cat >"$NODE/cni/10-siskin-e2e.conflist" <<JSON
{
  "cniVersion": "0.4.0",
  "name": "siskin-e2e",
  "plugins": [
    {
      "type": "bridge", "bridge": "$BRIDGE", "isGateway": true, "ipMasq": false, "hairpinMode": true,
      "ipam": {
        "type": "host-local", "dataDir": "$NODE/ipam",
        "ranges": [[{"subnet": "$POD_CIDR", "gateway": "$NODE_ADDR_IN_BOX"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
JSON
}

write_containerd_config() {
  # restrict_oom_score_adj: where root lacks CAP_SYS_RESOURCE, every sandbox
  # would fail with "can't get final child's PID from pipe". disable_apparmor:
  # profiles are the whole machine's, so none is loaded.
  cat >"$NODE/containerd.toml" <<TOML
version = 2
root = "$NODE/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing",
]
[grpc]
  address = "$CTR_SOCKET"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$CNI_BIN_DIR"
    conf_dir = "$NODE/cni"
TOML
}

write_kubelet_config() {
  # No disk threshold and no image collection: the images cannot be fetched again,
  # and how full the disk of the host is says nothing about the cluster.
  cat >"$NODE/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 0.0.0.0
healthzPort: 0
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $PKI/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
containerRuntimeEndpoint: unix://$CTR_SOCKET
cgroupDriver: cgroupfs
cgroupRoot: /$(box_cgroup)
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard:
  memory.available: 50Mi
  nodefs.available: 0%
  nodefs.inodesFree: 0%
  imagefs.available: 0%
  imagefs.inodesFree: 0%
resolvConf: $NODE/resolv.conf
podLogsDir: $STATE_DIR/logs/pods
volumePluginDir: $NODE/kubelet/volumeplugins
maxPods: $MAX_PODS
nodeStatusUpdateFrequency: 5s
syncFrequency: 10s
YAML
}

write_kube_proxy_config() {
  # Connection tracking limits belong to the machine: 0 leaves them alone.
  cat >"$NODE/kube-proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $STATE_DIR/admin.kubeconfig}
mode: nftables
clusterCIDR: $POD_CIDR
hostnameOverride: $NODE_NAME
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: {maxPerCore: 0, min: 0}
nftables: {minSyncPeriod: 0s}
YAML
}

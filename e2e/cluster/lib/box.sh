# shellcheck shell=bash
# The box: network, mount and process namespaces that hold the whole cluster.
#
# A node changes its machine a lot: bridges, nftables rules, sysctls, mounts,
# files in /run, /var/lib and /var/log. In the box all of that is the box's own,
# and ending its first process ends every process and gives back all the rest.
# Two things reach out of it: a veth pair, over which the host speaks to the API
# server, the gateway and Prometheus, and a cgroup that holds the pods.
#
#   host  198.18.n.1 ──veth── 198.18.n.2  box: API server, Envoy, Prometheus,
#                                              bridge 10.244.0.1 ── pods

# Addresses for benchmarks (RFC 2544): no real network uses them.
readonly LINK_PREFIX=198.18
# The kernel's limit on the path of a socket is 108 bytes; ours are below this folder.
readonly MAX_STATE_DIR_LENGTH=70

box_link() { printf 'siskin-%s' "$(state_id)"; }
box_cgroup() { printf 'siskin-e2e-%s' "$(state_id)"; }

# box_check: whether a box can be made here.
box_check() {
  is_root || skip "a real node needs root (./cluster up fake runs without)"
  need_tools unshare nsenter ip
  unshare --mount --net --pid --fork --mount-proc true 2>/dev/null ||
    skip "this machine does not allow root to make network, mount and process namespaces"
  case $STATE_DIR/ in
    /run/* | /var/lib/* | /var/log/*) fail "STATE_DIR=$STATE_DIR is hidden inside the box; choose another folder" ;;
  esac
  [ "${#STATE_DIR}" -le "$MAX_STATE_DIR_LENGTH" ] ||
    fail "STATE_DIR is longer than $MAX_STATE_DIR_LENGTH characters, too long for the sockets in it"
}

# box_up: makes the box and sets BOX_PID (of its first process, as the host
# counts), BOX_HOST_ADDR and BOX_ADDR.
box_up() {
  local outer
  # Built into most kernels; without it Services that point back to the same node fail.
  [ -d /proc/sys/net/bridge ] || modprobe br_netfilter 2>/dev/null || true
  setsid unshare --mount --net --pid --fork --mount-proc --kill-child \
    bash "$E2E_CLUSTER/lib/box-init.sh" "$STATE_DIR/box-ready" \
    >"$STATE_DIR/logs/box.log" 2>&1 </dev/null &
  outer=$!
  disown "$outer" # its end is no news for this shell
  # At once, so that a start which fails from here on is cleaned up.
  identify "$outer" >"$STATE_DIR/box.outer"
  wait_for 10 "the box" test -e "$STATE_DIR/box-ready"
  rm "$STATE_DIR/box-ready"
  BOX_PID=$(child_of "$outer")
  identify "$BOX_PID" >"$STATE_DIR/box.pid"
  box_connect
  box_make_cgroup
}

# child_of PID: its first child. Processes come and go while we look.
child_of() {
  local folder stat
  for folder in /proc/[0-9]*; do
    stat=$(after_name "${folder#/proc/}")
    # State and parent come after the name.
    if [[ $stat == ?" $1 "* ]]; then
      printf '%s\n' "${folder#/proc/}"
      return
    fi
  done
  fail "the first process of the box was not found"
}

# box_connect: a veth pair with the first /30 that the host does not know.
box_connect() {
  local link n try
  link=$(box_link)
  n=$((0x$(state_id) % 250))
  for ((try = 0; try < 250; try++, n = (n + 1) % 250)); do
    [ -n "$(ip -4 addr show to "$LINK_PREFIX.$n.0/30")" ] || break
  done
  BOX_HOST_ADDR=$LINK_PREFIX.$n.1
  BOX_ADDR=$LINK_PREFIX.$n.2
  ip link add "$link" type veth peer name host0 netns "$BOX_PID"
  ip addr add "$BOX_HOST_ADDR/30" dev "$link"
  ip link set "$link" up
  in_place ip addr add "$BOX_ADDR/30" dev host0
  in_place ip link set host0 up
}

# box_make_cgroup: the parent of all pods' cgroups. In version 1 every
# controller has a tree of its own; in version 2 there is one.
box_make_cgroup() {
  local tree cgroup controller
  cgroup=$(box_cgroup)
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    # kubelet asks for these in its parent; systemd hands down only those in use.
    for controller in cpuset cpu memory hugetlb pids; do
      echo "+$controller" 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control || true
    done
    mkdir -p "/sys/fs/cgroup/$cgroup"
    return
  fi
  for tree in /sys/fs/cgroup/*/; do
    mkdir -p "$tree$cgroup"
    # A new cpuset is empty, and an empty one can hold no process.
    if [ -e "$tree$cgroup/cpuset.cpus" ]; then
      cat "${tree}cpuset.cpus" >"$tree$cgroup/cpuset.cpus"
      cat "${tree}cpuset.mems" >"$tree$cgroup/cpuset.mems"
    fi
  done
}

# box_find: sets BOX_PID when the box of this state folder runs.
box_find() {
  local pid since
  BOX_PID=
  [ -f "$STATE_DIR/box.pid" ] || return 1
  read -r pid since <"$STATE_DIR/box.pid"
  is_same "$pid" "$since" || return 1
  BOX_PID=$pid
}

# box_down: ends the box and removes what reaches out of it. It also cleans up
# after a box that has died.
box_down() {
  local file pid since link cgroup tree
  # Its outer process takes the first one with it; the first process of a
  # namespace ends only after all others in it have.
  for file in outer pid; do
    if read -r pid since 2>/dev/null <"$STATE_DIR/box.$file" && is_same "$pid" "$since"; then
      kill -KILL "$pid" 2>/dev/null || true
      wait_for 20 "the end of the box" process_gone "$pid"
    fi
  done
  BOX_PID=
  rm -f "$STATE_DIR/box.pid" "$STATE_DIR/box.outer"
  link=$(box_link)
  # It goes with its other end, but only some time after the last process.
  if have ip && ip link show "$link" >/dev/null 2>&1; then
    ip link del "$link" 2>/dev/null || true
  fi
  cgroup=$(box_cgroup)
  for tree in /sys/fs/cgroup/ /sys/fs/cgroup/*/; do
    [ ! -d "$tree$cgroup" ] || wait_for 10 "removal of the cgroup $tree$cgroup" remove_cgroup "$tree$cgroup"
  done
}

process_gone() { [ ! -e "/proc/$1" ] || is_zombie "$1"; }

remove_cgroup() {
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || [ ! -d "$1" ]
}

# host_facts: what a node would change on a host, to compare before and after.
host_facts() {
  local name
  for name in net/ipv4/ip_forward net/ipv4/conf/all/route_localnet net/bridge/bridge-nf-call-iptables \
    net/netfilter/nf_conntrack_max vm/overcommit_memory vm/panic_on_oom kernel/panic \
    kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    printf 'sysctl %s %s\n' "$name" "$(cat "/proc/sys/$name" 2>/dev/null || echo absent)"
  done
  ! { is_root && have nft; } || nft list tables | sed 's/^/nft /'
  ls -d /run/netns/* /var/log/containers /var/log/pods /var/lib/kubelet /var/lib/cni /etc/cni \
    /run/containerd /sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods 2>/dev/null | sed 's/^/path /' || true
}

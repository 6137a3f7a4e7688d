#!/usr/bin/env bash
# The first process of the box: gives it its own writable places and its loopback
# link, then waits for ever and collects the processes that lose their parent.
# Its one argument is the file to make when the box can be entered.
set -euo pipefail
ready=$1

# Fixed places that containerd, runc, kubelet and the CNI plugins write to.
for folder in /run /var/lib /var/log; do
  mount -t tmpfs -o mode=755 siskin-e2e "$folder"
done
mkdir -p /run/netns /run/lock /var/log/containers /var/lib/kubelet

# kubelet insists on these settings, and they are the whole machine's: it finds
# them in ordinary files instead, and the machine keeps its own.
pretend() {
  local file=/run/sysctl-${1//\//-}
  printf '%s\n' "$2" >"$file"
  mount --bind "$file" "/proc/sys/$1"
}
pretend vm/overcommit_memory 1
pretend vm/panic_on_oom 0
pretend kernel/panic 10
pretend kernel/panic_on_oops 1
pretend kernel/keys/root_maxkeys 1000000
pretend kernel/keys/root_maxbytes 25000000

# These belong to the network namespace, so they are really set.
echo 1 >/proc/sys/net/ipv4/ip_forward
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
  echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
fi
ip link set lo up

touch "$ready"
while :; do
  # bash collects every child while it waits, also those that it did not start.
  sleep infinity &
  wait $! || true
done

#!/usr/bin/env bash
# Checks that a cluster which was stopped has left nothing on this machine:
# processes, mounts, links, cgroups, nftables tables, sysctls, files. It looks at
# the cluster of STATE_DIR, prints what it finds, and fails when that is anything.
set -euo pipefail
shopt -s inherit_errexit

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in common process box; do
  # shellcheck source=/dev/null
  . "$HERE/lib/$part.sh"
done

# Each check prints one line for each thing that was left.

processes() {
  local folder command
  for folder in /proc/[0-9]*; do
    # A process may end while we look; kernel threads have no command line.
    command=$(tr '\0' ' ' 2>/dev/null <"$folder/cmdline") || continue
    case $command in
      *"$STATE_DIR/"*) echo "process ${folder#/proc/}: ${command:0:100}" ;;
    esac
  done
}

# Namespaces outlive their processes when something keeps them mounted.
mounts() { awk -v dir="$STATE_DIR/" 'index($5 "/", dir) == 1 || /siskin-e2e/ { print "mount " $5 }' /proc/self/mountinfo; }

links() {
  ! have ip || ip -brief link show | awk -v link="$(box_link)" 'index($1, link) == 1 { print "link " $1 }'
}

cgroups() {
  local tree
  for tree in /sys/fs/cgroup/ /sys/fs/cgroup/*/; do
    [ ! -d "$tree$(box_cgroup)" ] || echo "cgroup $tree$(box_cgroup)"
  done
}

files() {
  [ ! -d "$STATE_DIR" ] ||
    find "$STATE_DIR" -mindepth 1 -maxdepth 1 ! -name logs ! -name host-before -printf 'file %p\n'
}

# What the start has written down about the host, against what is so now. A
# setting that appeared because the kernel loaded a module is no change of ours.
changes() {
  [ -f "$STATE_DIR/host-before" ] || return 0
  diff <(settings_known_before <"$STATE_DIR/host-before") <(host_facts | settings_known_before) |
    sed -n 's/^< /was: /p; s/^> /is: /p' || true
}

settings_known_before() {
  local absent
  absent=$(awk '$1 == "sysctl" && $3 == "absent" { print $2 }' "$STATE_DIR/host-before")
  awk -v absent="$absent" 'BEGIN { split(absent, names, "\n"); for (i in names) skip[names[i]] } !($2 in skip)'
}

found=$(processes && mounts && links && cgroups && files && changes)
if [ -n "$found" ]; then
  printf 'NOT CLEAN: the cluster of %s has left:\n%s\n' "$STATE_DIR" "$found" >&2
  exit 1
fi
echo "clean: nothing is left of the cluster in $STATE_DIR"

# shellcheck shell=bash
# The programs that come from the distribution (Debian and its relatives): small
# tools are installed, daemons are only unpacked into the cache. versions.sh says why.

# The commands that prove each installed package is there.
readonly INSTALLED_COMMANDS="nft conntrack iptables ip openssl curl"

missing_commands() {
  local command
  for command in $INSTALLED_COMMANDS; do
    have "$command" || printf '%s ' "$command"
  done
}

# install_packages: installs what is missing, after saying what it will be.
install_packages() {
  local missing plan
  missing=$(missing_commands)
  [ -n "$missing" ] || return 0
  have apt-get || skip "these programs are missing and there is no apt-get to install them: $missing"
  is_root || skip "these programs are missing and only root can install them: $missing"
  say "missing programs: $missing"
  refresh_package_lists
  # The names are words on purpose.
  # shellcheck disable=SC2086
  plan=$(apt-get install --simulate --no-upgrade --no-install-recommends -q $INSTALLED_PACKAGES | sed -n 's/^Inst //p')
  say "apt-get will install:"
  printf '%s\n' "$plan" | sed 's/^/           /' >&2
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $NICE apt-get install -y -qq --no-upgrade --no-install-recommends \
    $INSTALLED_PACKAGES >/dev/null || skip "apt-get could not install: $INSTALLED_PACKAGES"
}

# refresh_package_lists: fresh containers come without lists.
refresh_package_lists() {
  # shellcheck disable=SC2086
  if ! apt-get download --print-uris -qq $UNPACKED_PACKAGES >/dev/null 2>&1; then
    is_root || skip "the package lists are empty and only root can fetch them (apt-get update)"
    say "apt-get update"
    apt-get update -qq >/dev/null || skip "the package lists cannot be fetched"
  fi
}

# Of the distribution's release, not of the packages' versions: a fix of theirs is
# no reason to need the network again.
daemons_hash() {
  (
    echo "$UNPACKED_PACKAGES"
    machine
    grep -E '^(ID|VERSION_ID)=' /etc/os-release
  ) | hash_of
}

build_daemons() {
  local out=$1 package
  refresh_package_lists
  mkdir "$out/deb"
  # apt-get downloads into the working folder, and checks signatures and hashes.
  # Its own unprivileged user may not write there, hence the option.
  # shellcheck disable=SC2086
  (cd "$out/deb" && apt-get download -qq -o APT::Sandbox::User=root $UNPACKED_PACKAGES) ||
    skip "the packages cannot be downloaded: $UNPACKED_PACKAGES"
  for package in "$out"/deb/*.deb; do
    say "unpack $(basename "$package")"
    dpkg-deb --extract "$package" "$out"
  done
  (cd "$out" && rm -rf deb etc lib var usr/share)
}

# need_daemons: afterwards `containerd`, `runc`, `ctr` and `prometheus` are in PATH, and
# CNI_BIN_DIR is set. A machine without apt-get may have them from elsewhere.
need_daemons() {
  local hash
  if have apt-get; then
    hash=$(daemons_hash)
    DAEMONS_DIR=$(cached daemons "$hash" build_daemons)
    CNI_BIN_DIR=$DAEMONS_DIR/usr/lib/cni
    PATH=$DAEMONS_DIR/usr/bin:$DAEMONS_DIR/usr/sbin:$PATH
    return
  fi
  need_tools containerd runc ctr prometheus
  for CNI_BIN_DIR in /opt/cni/bin /usr/lib/cni /usr/libexec/cni; do
    [ -x "$CNI_BIN_DIR/bridge" ] && return
  done
  skip "there is neither apt-get nor a folder with the CNI plugins"
}

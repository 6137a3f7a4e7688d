# shellcheck shell=bash
# What every script of the harness shares: messages, exit codes, folders, and
# waiting. It starts nothing and changes nothing.

# The exit code for "this machine cannot run this": test runners (automake,
# meson and our own) count it as a skip, not as a failure.
readonly EXIT_SKIPPED=77

E2E_CLUSTER=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
E2E=$(dirname "$E2E_CLUSTER")
SISKIN_CACHE=${SISKIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/siskin}
CACHE=$SISKIN_CACHE/e2e
# Absolute, because the cluster's processes start in another folder.
STATE_DIR=$(realpath -m "${STATE_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/siskin/e2e}")

# The harness speaks only to addresses of this machine, so a proxy that the
# user has set must never see its requests.
export NO_PROXY='*' no_proxy='*'

# Milliseconds of a clock for the elapsed times in messages.
now_ms() { date +%s%3N; }
STARTED_MS=${STARTED_MS:-$(now_ms)}
export STARTED_MS

# say TEXT...: a progress line with the time since the command began.
say() {
  local ms=$(($(now_ms) - STARTED_MS))
  printf '[%4d.%01ds] %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$*" >&2
}

# fail TEXT...: ends the script as a failure, with what the reader can do.
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# skip TEXT...: ends the script because the machine lacks something.
skip() {
  printf 'SKIPPED: %s\n' "$*" >&2
  exit "$EXIT_SKIPPED"
}

# A command that fails without a word would leave the reader with nothing.
report_error() {
  [ "$1" = "$EXIT_SKIPPED" ] || printf 'FAILED: a command at %s ended with %s: %s\n' "$2" "$1" "$3" >&2
}
set -o errtrace
trap 'report_error $? "${BASH_SOURCE[0]}:$LINENO" "$BASH_COMMAND"' ERR

# Without these, the status that a script's last trap sees after a signal is that
# of some earlier command.
trap 'exit 130' INT
trap 'exit 143' TERM

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

# need_tools NAME...: skips when one of these programs is absent.
need_tools() {
  local tool
  for tool; do
    have "$tool" || skip "the program '$tool' is not installed"
  done
}

# wait_for SECONDS WHAT COMMAND...: polls until COMMAND succeeds; fails after
# SECONDS with WHAT in the message.
wait_for() {
  local seconds=$1 what=$2 deadline
  shift 2
  deadline=$(($(now_ms) + seconds * 1000))
  until "$@" >/dev/null 2>&1; do
    [ "$(now_ms)" -lt "$deadline" ] || return_late "$what" "$seconds"
    sleep 0.1
  done
}

return_late() { fail "$1 was not so after $2 s; the logs are in $STATE_DIR/logs"; }

# machine: what a build for this machine depends on, beside its inputs.
machine() { uname -sm; }

# hash_of: the first 16 hex digits of the SHA-256 of standard input.
hash_of() { sha256sum | cut -c1-16; }

# state_id: a short name for this state folder, used in the names of what the
# harness makes on the host (link, cgroup), so that two harnesses never meet.
state_id() { printf '%s' "$STATE_DIR" | sha256sum | cut -c1-6; }

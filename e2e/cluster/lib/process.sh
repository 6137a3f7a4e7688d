# shellcheck shell=bash
# Starting, finding and ending the harness's own processes. A process is known by
# its number together with its start time, so that a number which the kernel has
# given to someone else since then is never signalled.

readonly TERM_TENTHS=20 # how long a process may take to end before it is killed

# after_name PID: what /proc says of it after the name of its program, which may
# hold spaces and parentheses; the rest cannot. Nothing when it has ended.
after_name() {
  local stat=
  read -r stat 2>/dev/null <"/proc/$1/stat" || true
  printf '%s\n' "${stat##*) }"
}

# start_time PID: the time at which it started, in clock ticks since the boot.
start_time() { after_name "$1" | cut -d' ' -f20; }

# identify PID: its number and its start time.
identify() { printf '%s %s\n' "$1" "$(start_time "$1")"; }

# is_same PID START_TIME: whether that process still runs.
is_same() { [ -n "$2" ] && [ "$(start_time "$1")" = "$2" ] && ! is_zombie "$1"; }
is_zombie() { [[ $(after_name "$1") == Z* ]]; }

# in_place COMMAND...: runs it where the cluster's processes live: in the box
# when there is one (box.sh), otherwise right here.
in_place() {
  if [ -n "${BOX_PID:-}" ]; then
    nsenter --target "$BOX_PID" --mount --net --pid -- "$@"
  else
    "$@"
  fi
}

# spawn NAME COMMAND...: starts a process of the cluster, with its output in
# logs/NAME.log. It survives this script; its number is that of its namespace.
spawn() {
  local name=$1 pid since=in-the-box
  shift
  # The single quotes are right: the inner shell expands.
  # shellcheck disable=SC2016
  pid=$(in_place bash -c 'log=$1; shift; setsid "$@" >"$log" 2>&1 </dev/null & echo $!' \
    spawn "$STATE_DIR/logs/$name.log" "$@")
  # Those in the box end with it, so only the others are looked up again.
  [ -n "${BOX_PID:-}" ] || since=$(start_time "$pid")
  printf '%s %s %s\n' "$name" "$pid" "$since" >>"$STATE_DIR/pids"
}

# alive NAME: whether that process of the cluster still runs.
alive() {
  local pid
  pid=$(awk -v name="$1" '$1 == name { print $2 }' "$STATE_DIR/pids" 2>/dev/null | tail -n 1)
  [ -n "$pid" ] && in_place kill -0 "$pid" 2>/dev/null
}

# wait_alive NAME SECONDS WHAT COMMAND...: wait_for, but a process that has died
# fails at once, with the end of its log.
wait_alive() {
  local name=$1 seconds=$2 what=$3
  shift 3
  wait_for "$seconds" "$what" holds_or_dead "$name" "$@"
  alive "$name" || {
    tail -n 5 "$STATE_DIR/logs/$name.log" >&2
    fail "$name has ended; its log is $STATE_DIR/logs/$name.log"
  }
}

holds_or_dead() {
  local name=$1
  shift
  "$@" || ! alive "$name"
}

# end_processes: ends the recorded processes that run outside a box, in the
# reverse order of their start.
end_processes() {
  local tenth
  [ -f "$STATE_DIR/pids" ] || return 0
  each_own_process TERM
  for ((tenth = 0; tenth < TERM_TENTHS; tenth++)); do
    each_own_process 0 || break
    sleep 0.1
  done
  # kube-apiserver drains for ten seconds once etcd has gone: nobody needs that.
  each_own_process KILL || true
  rm -f "$STATE_DIR/pids"
}

# each_own_process SIGNAL: sends it; fails when no recorded process runs any more.
each_own_process() {
  local name pid since found=1
  while read -r name pid since; do
    if is_same "$pid" "$since"; then
      kill -s "$1" "$pid" 2>/dev/null && found=0
    fi
  done < <(tac "$STATE_DIR/pids")
  return $found
}

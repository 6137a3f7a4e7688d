#!/usr/bin/env bash
# Runs one part of the build and says how it ended and how long it took.
#
#   part.sh NAME COMMAND...   exit code 77 of the command: SKIPPED, which is no failure;
#                             its last line with the word SKIPPED is the reason
#   part.sh --begin           forget the parts so far
#   part.sh --summary         list them
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
readonly FOLDER=${CARGO_TARGET_DIR:-target}
readonly PARTS=$FOLDER/parts
mkdir -p "$FOLDER"

case ${1:?a name and a command} in
  --begin) : >"$PARTS" && exit ;;
  --summary) printf '\n' && cat "$PARTS" && exit ;;
esac

name=$1
shift
printf '== %s\n' "$name"
output=$(mktemp)
trap 'rm -f "$output"' EXIT
started=$SECONDS
"$@" </dev/null 2>&1 | tee "$output"
code=${PIPESTATUS[0]}
case $code in
  0) outcome=passed ;;
  77) outcome="SKIPPED: $(sed -n 's/.*SKIPPED: *//p' "$output" | tail -n 1)" ;;
  *) outcome="FAILED ($code)" ;;
esac
printf '== %-14s %5d s  %s\n' "$name" $((SECONDS - started)) "$outcome" | tee -a "$PARTS"
[ "$code" = 77 ] || exit "$code"

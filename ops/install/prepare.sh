#!/bin/sh
# Makes the machine and .venv ready: sh prepare.sh ROOT run|test
# Called by ../../yinxin under its lock. Safe to run again after an interruption at any line.
# Exit 69: something only the machine's owner can install is missing; the one command to run has been printed.
set -eu
root=$1 level=$2
here=$root/ops/install
venv=$root/.venv
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1

say() { printf '印信 yinxin: %s / %s\n' "$1" "$2" >&2; }
log=$(mktemp)
trap 'rm -f -- "$log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# Runs a command quietly; shows what it said only when it fails.
quietly() { "$@" >"$log" 2>&1 9<&- || { status=$?; cat -- "$log" >&2; return $status; }; }

# shellcheck source=ops/install/system.sh
. "$here/system.sh"
# shellcheck source=ops/install/python.sh
. "$here/python.sh"

[ -w "$root" ] || {
    say "目录 $root 不可写；请以其所有者的身份启动一次" "$root is not writable; start once as its owner"
    exit 69
}
rm -f -- "$venv/ready-run" "$venv/ready-test" # from here on what they state is being changed
missing=$(missing_packages)
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086  # a list of package names
    install_packages $missing
fi
prepare_python

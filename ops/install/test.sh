#!/bin/sh
# The whole test suite: sh test.sh ROOT [--all] [pytest arguments …]. Called by ../../yinxin.
# Style, types and floors first, then pytest, whose closing line comes last; --all adds the tests marked slow.
set -eu
cd -- "$1"
# Hundreds of processes are started; each would compile all it imports where the machine forbids keeping bytecode.
unset PYTHONDONTWRITEBYTECODE
bin=$1/.venv/bin
shift
select='not slow'
if [ "${1-}" = --all ]; then select='slow or not slow'; shift; fi

failed=
check() {
    printf '== %s\n' "$*"
    tool=$1
    shift
    "$bin/$tool" "$@" || failed="$failed $tool"
}
check ruff check --quiet .
check ruff format --check --quiet .
check mypy --no-error-summary
check lint-imports --no-logo
[ -z "$failed" ] || printf '检查未通过 / checks failed:%s\n' "$failed" >&2

status=0
# Files, not tests, are dealt out: what a module makes once (a province, a server) is then made once. In the order in which
# tests/conftest.py puts them: the long ones first.
"$bin/pytest" -n 2 --dist loadfile --no-loadscope-reorder -m "$select" "$@" || status=$?
[ -z "$failed" ] || { printf '检查未通过 / checks failed:%s\n' "$failed" >&2; status=1; }
exit $status

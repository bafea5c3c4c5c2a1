# shellcheck shell=sh disable=SC2154  # the variables are prepare.sh's
# The Python environment .venv, exactly as uv.lock says. Sourced by prepare.sh: uses its say, quietly, root, here, venv, level.

# pip_setting NAME: a setting of this machine's pip, from its files or PIP_* variables; nothing when unset.
pip_setting() {
    "$venv/uv/bin/python" -I -m pip config list 2>/dev/null |
        sed -n "s/^\(global\|install\|:env:\)\.$1='\(.*\)'\$/\2/p" | tail -n 1 | sed 's/\\n/ /g'
}

# uv does not read pip's configuration; a machine behind a mirror, or with wheels on a disk, has only that.
# The hashes in uv.lock hold wherever the files come from, so any index may serve any package.
follow_pip_settings() {
    index=$(pip_setting index-url)
    extra=$(pip_setting extra-index-url)
    links=$(pip_setting find-links | tr ' ' ,)
    certificates=$(pip_setting cert)
    export UV_INDEX_STRATEGY=unsafe-best-match UV_SYSTEM_CERTS=1
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
    [ -z "$extra" ] || export UV_INDEX="$extra"
    [ -z "$links" ] || export UV_FIND_LINKS="$links"
    [ -z "$certificates" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$certificates}"
    case $(pip_setting no-index) in '' | 0 | false | no) no_index= ;; *) no_index=--no-index ;; esac
}

prepare_python() {
    # The marker stands while files are being laid; found at the start, it means they were laid only in part.
    if [ -e "$venv/incomplete" ] || ! "$venv/bin/python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        rm -rf -- "$venv"
    fi
    groups=--no-dev
    # Once the tools of the tests are here, a plain start keeps them.
    if [ "$level" = test ] || [ -x "$venv/bin/pytest" ]; then groups=--all-groups; fi

    if [ ! -d "$venv" ]; then
        base=$(find_python)
        [ -n "$base" ] || {
            say "找不到 Python 3.11 或更高版本；请安装 python3.11 与 python3.11-venv" \
                "no Python 3.11 or newer; install python3.11 and python3.11-venv"
            exit 69
        }
        say "正在创建 Python 环境" "making the Python environment with $base"
        mkdir -- "$venv"
        : >"$venv/incomplete"
        quietly "$base" -I -m venv --without-pip "$venv"
    fi
    : >"$venv/incomplete"
    if ! "$venv/uv/bin/uv" --version 2>/dev/null | grep -qF "$(sed -n 's/^uv==\([0-9.]*\).*/uv \1/p' "$here/uv.txt")"; then
        rm -rf -- "$venv/uv"
        quietly "$venv/bin/python" -I -m venv "$venv/uv"
        # Where pip has no certificates of its own configured it trusts what the machine trusts, as uv is told to below.
        certificates=$(pip_setting cert)
        quietly "$venv/uv/bin/python" -I -m pip --cert "${certificates:-/etc/ssl/certs/ca-certificates.crt}" \
            install -q --disable-pip-version-check \
            --only-binary :all: --require-hashes -r "$here/uv.txt"
    fi
    say "正在安装 Python 软件包" "installing Python packages"
    (
        cd -- "$root" || exit # the lock names the workspace's members relative to here
        # Read first, with no index configured: the lock is compared with pyproject.toml, not with a mirror.
        quietly "$venv/uv/bin/uv" export -q --locked --no-header --no-annotate $groups --format requirements.txt -o "$venv/requirements.txt"
        follow_pip_settings
        # shellcheck disable=SC2086  # a flag or nothing
        quietly "$venv/uv/bin/uv" pip sync $no_index --compile-bytecode --python "$venv/bin/python" "$venv/requirements.txt"
    )
    rm -- "$venv/incomplete"
}

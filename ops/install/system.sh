# shellcheck shell=sh disable=SC2154  # the variables are prepare.sh's
# System packages, by apt. Sourced by prepare.sh: uses its say, quietly, log, here, level.

system_python=/usr/bin/python3

# A Python that can carry the platform: at least 3.11, able to make virtual environments.
find_python() {
    for candidate in "$system_python" python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

wanted_packages() {
    cat -- "$here/apt.txt"
    [ "$level" = run ] || cat -- "$here/apt-test.txt"
    [ -n "$(find_python)" ] && return
    if [ ! -x "$system_python" ] || "$system_python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        echo python3 python3-venv
    else
        echo python3.11 python3.11-venv # Ubuntu 22.04: its python3 is 3.10
    fi
}

missing_packages() {
    command -v dpkg-query >/dev/null || {
        say "本系统没有 apt；请在 Debian 12+ 或 Ubuntu 22.04+ 上运行" "this system has no apt; run it on Debian 12+ or Ubuntu 22.04+"
        exit 69
    }
    for package in $(wanted_packages | sed 's/#.*//'); do
        case $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null) in
            ?i\ *) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

# install_packages NAME…: as root, or through sudo; else says what to run.
install_packages() {
    if [ "$(id -u)" = 0 ]; then
        with_root=
    elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
        with_root='sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8'
    else
        say "请以管理员身份运行下面这一条命令，然后重新启动" "run this one command as an administrator, then start again"
        printf "    su -c 'apt-get update; apt-get install -y --no-install-recommends %s'\n" "$*" >&2
        exit 69
    fi
    say "正在安装系统软件包：$*" "installing system packages"
    # A broken third-party source must not stop us: what counts is whether the packages install.
    # shellcheck disable=SC2086  # a command and its words
    quietly $with_root apt-get -q update || :
    apt_install "$@" >"$log" 2>&1 && return
    # A run that was cut off leaves dpkg half-way: finish that first, then try once more.
    $with_root dpkg --configure -a --force-confold >>"$log" 2>&1 9<&- || :
    $with_root apt-get -q -y -f install >>"$log" 2>&1 9<&- || :
    quietly apt_install "$@" || {
        say "系统软件包安装失败，原因见上" "could not install the system packages; the reason is above"
        exit 69
    }
}

# Server packages must neither start a daemon nor create a database of their own: tests start what they need themselves.
# shellcheck disable=SC2016  # expanded by the inner shell
apt_install() {
    $with_root sh -c '
        policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.d/yinxin.conf
        undo=
        trap "eval \"\$undo\"" EXIT
        trap "exit 130" INT TERM
        if [ ! -e "$policy" ] || grep -q yinxin "$policy"; then # ours may be left from a run that was killed
            undo="rm -f $policy"
            printf "#!/bin/sh\n# yinxin: removed after installing\nexit 101\n" >"$policy"
            chmod 755 "$policy"
        fi
        if [ -e "$cluster" ] || ! dpkg-query -W postgresql-common >/dev/null 2>&1; then
            undo="$undo; rm -f $cluster"
            mkdir -p "${cluster%/*}"
            echo "create_main_cluster = false" >"$cluster"
        fi
        apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 \
            -o Dpkg::Options::=--force-confold install "$@"
    ' apt_install "$@" 9<&-
}

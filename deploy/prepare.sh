#!/bin/sh
# Installs what this checkout needs, and nothing that is there already. Safe to repeat.
#
#   deploy/prepare.sh python    the virtual environment .venv
#   deploy/prepare.sh demo      that, and the programs of a throw-away studio: OBS, Xvfb, ffmpeg, nginx with RTMP
#   deploy/prepare.sh test      all that, and the programs that the tests use besides
#   deploy/prepare.sh matrix    what the demo needs, and debootstrap, which makes roots of other releases of Debian
#
# Programs are installed on Debian alone; elsewhere it names what is missing.
# PYTHON names the Python to use. What apt and pip say goes to build/prepare.log.
set -eu

cd "$(dirname "$0")/.."
# Debian keeps nginx in sbin, which is not on every user's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
VENV=.venv
LOG=build/prepare.log
POLICY=/usr/sbin/policy-rc.d
RTMP_MODULE=/usr/lib/nginx/modules/ngx_rtmp_module.so

say() { printf '%s\n' "$*"; }
die() {
    printf 'prepare: %s\n' "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }
as_root() { if is_root; then "$@"; else sudo "$@"; fi; }

# The end of the log tells what went wrong; the rest is noise to somebody who has just typed `make demo`.
logged() {
    printf '+ %s\n' "$*" >>$LOG
    "$@" >>$LOG 2>&1 </dev/null || {
        tail -n 25 $LOG >&2
        die "this failed: $* (the whole of it is in $LOG)"
    }
}

# The system's own first: a virtual environment on a version manager's Python ends with that version.
find_python() {
    for candidate in ${PYTHON:-/usr/bin/python3 python3 python3.13 python3.12 python3.11}; do
        # ensurepip and venv are in a package of their own on Debian.
        "$candidate" - 2>/dev/null <<'EOF' && return
import ensurepip, sqlite3, ssl, sys, venv
sys.version_info >= (3, 11) or sys.exit(1)
print(sys.executable)
EOF
    done
    return 1
}

# -- programs

# The Debian packages of the programs that are not there, one a line. An OBS of one's own building counts as well.
missing() {
    find_python >/dev/null || echo python3-venv
    [ "$1" != python ] || return 0
    has obs || echo obs-studio
    has Xvfb || echo xvfb
    { has ffmpeg && has ffprobe; } || echo ffmpeg
    has nginx || echo nginx-light
    [ -e $RTMP_MODULE ] || echo libnginx-mod-rtmp
    [ "$1" != demo ] || return 0
    [ "$1" = matrix ] || has_postgres || echo postgresql
    [ "$1" != pair ] || return 0
    if [ "$1" = matrix ]; then
        has debootstrap || echo debootstrap
        return 0
    fi
    has chromium || echo chromium
    has chromedriver || echo chromium-driver
    has logrotate || echo logrotate
    has shellcheck || echo shellcheck
    has caddy || echo caddy
    has haproxy || echo haproxy
    has keepalived || echo keepalived
    { has systemd-analyze && has systemd-sysusers && has systemd-tmpfiles; } || echo systemd
}

# Debian keeps the programs of each version in a folder of its own.
has_postgres() {
    has postgres && return
    for program in /usr/lib/postgresql/*/bin/postgres; do [ ! -x "$program" ] || return 0; done
    return 1
}

may_install() {
    has apt-get && grep -qx ID=debian /etc/os-release 2>/dev/null || return 1
    # A question for the password is fine where somebody is there to answer it.
    is_root || { has sudo && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }
}

install_programs() {
    packages=$(missing "$1" | tr '\n' ' ')
    packages=${packages% }
    [ -n "$packages" ] || return 0
    may_install || die "some programs are missing. Their names as Debian packages: $packages
On Debian run this as root, or: sudo apt-get install --no-install-recommends $packages
On another system install them its own way (Python 3.11 or later; nginx with its RTMP module as $RTMP_MODULE)."
    say "apt: fetching the package lists"
    logged as_root apt-get -q -o DPkg::Lock::Timeout=300 update
    say "apt: installing $packages"
    held=
    case " $packages " in *" nginx-light "*) held=nginx ;; esac
    for service in caddy haproxy keepalived postgresql; do
        case " $packages " in *" $service "*) held="${held:+$held }$service" ;; esac
    done
    [ -z "$held" ] || hold_services
    # shellcheck disable=SC2086  # a list of words
    logged as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $packages
    let_services
}

# The studio runs an nginx of its own, and a PostgreSQL, and so do tests a Caddy and an HAProxy. Debian's packages would
# start one for the whole machine, now and at each boot. invoke-rc.d(8) asks policy-rc.d whether it may start a service; one that is there
# already decides on all the others.
hold_services() {
    policy=$(mktemp)
    cat >"$policy" <<EOF
#!/bin/sh
# Here only while deploy/prepare.sh installs $held.
for service in $held; do
    case \$1 in "\$service" | "\$service.service") exit 101 ;; esac
done
[ ! -x $POLICY.before ] || exec $POLICY.before "\$@"
EOF
    trap let_services EXIT
    trap 'exit 130' INT TERM
    # What a killed run has left behind is not the machine's own policy.
    if [ -e $POLICY ] && ! grep -q deploy/prepare.sh $POLICY; then as_root mv $POLICY $POLICY.before; fi
    as_root install -m 0755 "$policy" $POLICY
    rm -f "$policy"
}

let_services() {
    [ -n "${held:-}" ] || return 0
    as_root rm -f $POLICY
    [ ! -e $POLICY.before ] || as_root mv $POLICY.before $POLICY
    for service in $held; do
        # The first knows a service that has an init script, the other one that has a unit alone.
        as_root update-rc.d "$service" disable >>$LOG 2>&1 || true
        as_root systemctl disable "$service" >>$LOG 2>&1 || true
    done
    held=
}

# -- Python

install_python() {
    # What it was made from: the pins, the project's own list, and the place, which is written into its programs.
    wanted=$(cat constraints.txt pyproject.toml && pwd)
    if [ -x $VENV/bin/python ] && [ "$wanted" = "$(cat $VENV/made-from 2>/dev/null)" ]; then return; fi
    python=$(find_python) || die "Python 3.11 or later is needed; PYTHON=/path/to/python3 names one"
    say "python: installing the packages into $VENV"
    rm -f $VENV/made-from
    logged "$python" -m venv --clear $VENV
    # Debian 12's knows no dependency groups.
    logged $VENV/bin/pip install --disable-pip-version-check -c constraints.txt 'pip>=25.1'
    logged $VENV/bin/pip install --disable-pip-version-check -c constraints.txt \
        -e '.[studio,notify,postgres]' --group test --group lint
    printf '%s\n' "$wanted" >$VENV/made-from
}

case ${1:-} in python | demo | pair | test | matrix) ;; *) die "say what for: python, demo, pair, test or matrix" ;; esac
mkdir -p build
install_programs "$1"
install_python

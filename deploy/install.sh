#!/bin/sh
# Installs Motherstream from this checkout as a system service, or brings an installed one up to date. Run as root.
#
#   deploy/install.sh                  install, or bring up to date; it starts nothing
#   deploy/install.sh --uninstall      remove the programs; configuration, state and logs stay
#   deploy/install.sh --purge          remove these too, and the user
#
#   DESTDIR   a scratch root to install into, for packages and images; nothing outside is touched
#   PYTHON    the Python to use, 3.11 or later (default: /usr/bin/python3)
#   EXTRAS    extras to install besides, comma-separated (default: notify,postgres)
#
# What lies below /etc is updated only as long as nobody has edited it.
set -eu

SOURCE=$(cd "$(dirname "$0")/.." && pwd)
DESTDIR=${DESTDIR:-}
DESTDIR=${DESTDIR%/}
PYTHON=${PYTHON:-/usr/bin/python3}
EXTRAS=${EXTRAS-notify,postgres}

APP=/opt/motherstream
UNITS=/etc/systemd/system
COMMAND=/usr/local/bin/motherstream
SYSUSERS=/etc/sysusers.d/motherstream.conf
TMPFILES=/etc/tmpfiles.d/motherstream.conf
LOGROTATE=/etc/logrotate.d/motherstream
CONFIG=/etc/motherstream/motherstream.toml
# What was installed below /etc, by checksum: a file that has another one now has been edited.
SUMS=/opt/motherstream/share/installed.sha256

say() { printf '%s\n' "$*"; }
die() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}
live() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }

check() {
    "$PYTHON" - <<'EOF' || die "PYTHON ($PYTHON) must be Python 3.11 or later, with venv (Debian: python3-venv)"
import ensurepip, sqlite3, ssl, sys, venv
sys.exit(sys.version_info < (3, 11))
EOF
    for program in systemd-sysusers systemd-tmpfiles sha256sum; do
        command -v $program >/dev/null || die "$program is missing"
    done
}

put() { # put MODE FROM TO: a file that is ours alone
    install -D -m "$1" "$2" "$DESTDIR$3"
}

sum_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

edited() { # edited PATH: whether somebody has changed it since it was installed
    [ -e "$DESTDIR$1" ] && ! grep -qxF "$(sum_of "$DESTDIR$1")  $1" "$DESTDIR$SUMS.before" 2>/dev/null
}

put_config() { # put_config MODE FROM TO: a file that may be edited
    if ! edited "$3"; then
        put "$1" "$2" "$3"
    elif [ "$(sum_of "$2")" != "$(sum_of "$DESTDIR$3")" ]; then
        say "kept     $DESTDIR$3, which has been edited"
        # What was installed last counts on: going back to it makes the file ours again.
        grep "  $3\$" "$DESTDIR$SUMS.before" >>"$DESTDIR$SUMS" 2>/dev/null || true
        return 0
    fi
    printf '%s  %s\n' "$(sum_of "$2")" "$3" >>"$DESTDIR$SUMS"
}

programs() {
    # Built beside the old one and put in its place at the end: a failure leaves what was there.
    new=$DESTDIR$APP.new
    rm -rf "$new"
    mkdir -p "$DESTDIR/opt"
    say "python   making $DESTDIR$APP"
    # A copy, as a build leaves files where it builds, and takes up those that an earlier one has left.
    mkdir "$scratch/source"
    for item in daemon statemachine pyproject.toml README.md LICENSE; do
        cp -R "$SOURCE/$item" "$scratch/source/"
    done
    "$PYTHON" -m venv "$new"
    "$new/bin/pip" install --quiet --quiet --disable-pip-version-check --no-compile \
        -c "$SOURCE/constraints.txt" "$scratch/source${EXTRAS:+[$EXTRAS]}"
    # The programs bear the path of their interpreter: the final one, not the one they were made in.
    find "$new/bin" "$new/pyvenv.cfg" -type f -exec sed -i "s|$new|$APP|g" {} +
    # The service may not write here, and would compile at each start otherwise.
    "$new/bin/python" -m compileall -q -f -j 0 -s "$new" -p "$APP" "$new/lib" >/dev/null

    mkdir -p "$new/share/doc"
    cp -R "$SOURCE/README.md" "$SOURCE/LICENSE" "$SOURCE/CHANGELOG.md" "$SOURCE/docs" "$new/share/doc/"
    cp -R "$SOURCE/deploy" "$new/share/deploy"
    [ ! -e "$DESTDIR$SUMS" ] || cp "$DESTDIR$SUMS" "$new/share/installed.sha256.before"
    rm -rf "$DESTDIR$APP.old"
    [ ! -e "$DESTDIR$APP" ] || mv "$DESTDIR$APP" "$DESTDIR$APP.old"
    mv "$new" "$DESTDIR$APP"
    rm -rf "$DESTDIR$APP.old"
}

system_files() {
    put 0755 "$SOURCE/deploy/motherstream.sh" $COMMAND
    put 0644 "$SOURCE/motherstream.service" $UNITS/motherstream.service
    for unit in motherstream@ motherstream-probe motherstream-probe@; do
        put 0644 "$SOURCE/deploy/$unit.service" $UNITS/$unit.service
    done
    put 0644 "$SOURCE/deploy/sysusers.conf" $SYSUSERS
    put 0644 "$SOURCE/deploy/tmpfiles.conf" $TMPFILES
    put_config 0644 "$SOURCE/deploy/logrotate.conf" $LOGROTATE
    # The example's paths start at the working directory; a service has places of its own for each.
    sed -e 's|^path = "motherstream.db"|path = "/var/lib/motherstream/motherstream.db"|' \
        -e 's|^file = "logs/|file = "/var/log/motherstream/|' \
        -e 's|^report_dir = "logs/|report_dir = "/var/log/motherstream/|' \
        "$SOURCE/deploy/motherstream.example.toml" >"$scratch/motherstream.toml"
    put_config 0640 "$scratch/motherstream.toml" $CONFIG
    rm -f "$DESTDIR$SUMS.before"
    systemd-sysusers --root="$DESTDIR/" "$DESTDIR$SYSUSERS"
    # An image that somebody else than root has built gets its owners when it starts for the first time.
    if [ "$(id -u)" = 0 ]; then systemd-tmpfiles --root="$DESTDIR/" --create "$DESTDIR$TMPFILES"; fi
    if live; then systemctl daemon-reload; fi
}

next_steps() {
    if live && running=$(systemctl list-units --plain --no-legend --state=active 'motherstream*.service' |
        cut -d ' ' -f 1 | tr '\n' ' ') && [ -n "$running" ]; then
        say "done. Start the new ones, which leaves the picture alone:  sudo systemctl restart ${running% }"
        return
    fi
    say "done. What comes next:"
    say "  1. $CONFIG: OBS's scene, the RTMP server (its hooks: $APP/share/doc/docs/ingest.md)"
    say "  2. OBS's password:  sudo install -m 0600 /dev/stdin /etc/credstore/motherstream.obs.password"
    say "  3. sudo motherstream check"
    say "  4. sudo systemctl enable --now motherstream"
    say "  5. sudo motherstream streamer add NAME --server rtmp://THIS-HOST:1935/live"
    say "  6. to have sound and picture measured, with ffmpeg: sudo systemctl enable --now motherstream-probe"
}

uninstall() {
    if live; then
        systemctl --quiet disable --now motherstream-probe motherstream 2>/dev/null || true
        # Of each channel: what is enabled goes by the template, what runs by its name.
        systemctl --quiet disable motherstream-probe@ motherstream@ 2>/dev/null || true
        systemctl --quiet stop 'motherstream-probe@*.service' 'motherstream@*.service' 2>/dev/null || true
    fi
    rm -rf "$DESTDIR$APP" "$DESTDIR$APP.new" "$DESTDIR$APP.old"
    rm -f "$DESTDIR$COMMAND" "$DESTDIR$SYSUSERS" "$DESTDIR$TMPFILES"
    rm -f "$DESTDIR$UNITS"/motherstream.service "$DESTDIR$UNITS"/motherstream-probe.service
    rm -f "$DESTDIR$UNITS"/motherstream@.service "$DESTDIR$UNITS"/motherstream-probe@.service
    if [ "$1" = purge ]; then
        rm -f "$DESTDIR$LOGROTATE"
        rm -rf "$DESTDIR/etc/motherstream" "$DESTDIR/var/lib/motherstream" "$DESTDIR/var/log/motherstream"
        rm -f "$DESTDIR"/etc/credstore/motherstream.* "$DESTDIR"/etc/credstore/motherstream@*
        if [ -z "$DESTDIR" ]; then
            for user in motherstream motherstream-probe; do
                if id $user >/dev/null 2>&1; then userdel $user; fi
            done
        fi
    else
        say "kept     $DESTDIR/etc/motherstream, $DESTDIR/var/lib/motherstream, $DESTDIR/var/log/motherstream"
    fi
    if live; then systemctl daemon-reload; fi
    say "removed"
}

case $#:${1:-} in 0: | 1:--uninstall | 1:--purge) ;; *) die "usage: install.sh [--uninstall | --purge]" ;; esac
case $DESTDIR in "" | /*) ;; *) die "DESTDIR must be an absolute path" ;; esac
[ -n "$DESTDIR" ] || [ "$(id -u)" = 0 ] || die "only root may do this; or set DESTDIR to a scratch root"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
case ${1:-} in
    --uninstall) uninstall keep ;;
    --purge) uninstall purge ;;
    *)
        check
        programs
        system_files
        next_steps
        ;;
esac

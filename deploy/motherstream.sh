#!/bin/sh
# /usr/local/bin/motherstream: the installed command line.
#
# Called by root (sudo motherstream check) it goes on as the service's user, with the secrets that systemd hands to the
# service: so that it sees what the service sees, and no file of the service's comes to belong to root. With -c CHANNEL,
# or that channel's file, it is that channel's service.
set -eu

PROGRAM=/opt/motherstream/bin/motherstream
CONFIGURATION=/etc/motherstream
CREDENTIALS=/etc/credstore/motherstream.

[ "$(id -u)" = 0 ] || exec $PROGRAM "$@"

of_file() { case $1 in "$CONFIGURATION"/*.toml) channel=${1#"$CONFIGURATION/"} && channel=${channel%.toml} ;; esac; }
channel='' before=''
for word in "$@"; do
    case $before in
        -c | --ch | --cha | --chan | --chann | --channe | --channel) channel=$word ;;
        --co | --con | --conf | --confi | --config) of_file "$word" ;;
    esac
    case $word in
        --) break ;;
        -c?*) channel=${word#-c} && channel=${channel#=} ;;
        --ch*=*) channel=${word#*=} ;;
        --co*=*) of_file "${word#*=}" ;;
    esac
    before=$word
done
case $channel in *[!A-Za-z0-9_-]*) channel='' ;; esac
if [ -n "$channel" ] && [ "$channel" != motherstream ] && [ -e "$CONFIGURATION/$channel.toml" ]; then
    CREDENTIALS=${CREDENTIALS%.}@$channel.
fi

for file in "$CREDENTIALS"*; do
    [ -f "$file" ] || continue
    # obs.password is MOTHERSTREAM_OBS__PASSWORD
    name=MOTHERSTREAM_$(printf %s "${file#"$CREDENTIALS"}" | sed 's/\./__/g' | tr '[:lower:]' '[:upper:]')
    case $name in
        # One a line, where a variable has them comma-separated; no command asks for them.
        MOTHERSTREAM_NOTIFY__*) continue ;;
        *[!A-Z0-9_]*) continue ;;
    esac
    # What the caller has set goes first.
    if ! printenv "$name" >/dev/null && ! printenv "${name}_FILE" >/dev/null; then
        export "$name=$(cat "$file")"
    fi
done
exec setpriv --reuid=motherstream --regid=motherstream --init-groups $PROGRAM "$@"

#!/usr/bin/env bash
# Plays a scenario on a throw-away studio while it is monitored, and judges OBS's recording frame by frame.
#
#   tests/e2e/run-monitored-test.sh orderly|chaotic|stalls|obs-restart [--out FOLDER] [--seed N] [--seconds N]
#
# 0: as it has to be; 1: a blank picture, or a promise that was not kept; 2: the studio itself failed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [[ -x .venv/bin/python ]]; then
    python=.venv/bin/python
elif python=$(command -v python3); then
    if ! "$python" -c 'import aiohttp, numpy, simpleobsws' 2>/dev/null; then
        printf 'run-monitored-test: python3 lacks packages that the studio needs. Either:\n' >&2
        printf '  deploy/prepare.sh demo        # makes .venv and installs OBS, an RTMP server and ffmpeg\n' >&2
        printf "  pip install -e '.[studio]'    # for a Python of your own\n" >&2
        exit 2
    fi
else
    printf 'run-monitored-test: there is no python3; deploy/prepare.sh demo installs what is needed\n' >&2
    exit 2
fi

exec "$python" -m tests.e2e.monitored "$@"

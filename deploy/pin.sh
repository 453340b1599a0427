#!/bin/sh
# Writes constraints.txt anew: the newest versions that pyproject.toml allows, and those of all that they need.
# PYTHON names the Python to ask; take the oldest that is supported, so that every pin can be had for it.
set -eu

cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3.11}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check 'pip>=25.1'
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check -e '.[studio,notify,postgres]' --group test --group lint
# pip itself is among them, for prepare.sh brings it up to date.
"$scratch/venv/bin/pip" freeze --all --exclude setuptools --exclude wheel --exclude-editable | LC_ALL=C sort -f >"$scratch/constraints.txt"
# One that names an address or a folder would be of use on this machine alone.
if grep -n '[@/]' "$scratch/constraints.txt"; then
    echo "pin: these are no plain versions" >&2
    exit 1
fi
mv "$scratch/constraints.txt" constraints.txt

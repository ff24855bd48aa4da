#!/bin/sh
# Prepare a virtual environment with Shopfloor (editable, all extras) and the packages of requirements.lock.
set -eu
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

say() { printf '%s\n' "$*" >&2; }

if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "'$PYTHON' is no Python 3.11 or newer: install one, or name it, as in 'make install PYTHON=python3.11'."
    exit 1
fi
if [ ! -x "$VENV/bin/python" ]; then
    if ! "$PYTHON" -m venv "$VENV" 2>"${TMPDIR:-/tmp}/shopfloor-venv.log"; then
        rm -rf "$VENV"
        say "'$PYTHON -m venv' failed: on Debian and Ubuntu install the package python3-venv, then try again."
        exit 1
    fi
fi
say "Installing Shopfloor into $VENV (about a minute the first time) …"
export UV_PYTHON_DOWNLOADS=never
pins="--constraint requirements.lock"
if { [ -x "$VENV/bin/uv" ] || "$VENV/bin/python" -m pip install -qq $pins uv; } && \
    "$VENV/bin/uv" pip install --quiet --python "$VENV/bin/python" $pins --build-constraint requirements.lock \
        --reinstall-package shopfloor --editable '.[dev]'; then
    :
else
    say "uv could not install; pip tries instead …"
    PIP_CONSTRAINT=requirements.lock "$VENV/bin/python" -m pip install -qq --editable '.[dev]'
fi
if "$VENV/bin/python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("shopfloor.simulators.warm") is None)'; then
    "$VENV/bin/python" -m shopfloor.simulators.warm || say "The simulators are compiled at their first start instead."
fi

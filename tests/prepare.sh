#!/bin/sh
# Install what the tests use and pip cannot bring: a browser, an MQTT broker, two time-series stores, a foreign OPC UA server, MLflow, Triton's client.
set -eu

wanted=""
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || wanted="$wanted chromium"
command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || wanted="$wanted mosquitto"
command -v victoria-metrics >/dev/null || wanted="$wanted victoria-metrics"
command -v influxd >/dev/null || wanted="$wanted influxdb"
command -v npm >/dev/null || wanted="$wanted nodejs npm"
[ -n "$(fc-list :lang=zh 2>/dev/null)" ] || wanted="$wanted fonts-wqy-microhei"

if [ -n "$wanted" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$wanted …" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    for package in $wanted; do
        apt-get install -y -qq --no-install-recommends "$package" >/dev/null || echo "'$package' could not be installed." >&2
    done
elif [ -n "$wanted" ]; then
    echo "Not installed:$wanted. The tests that need them are skipped; install them, or run as root." >&2
fi

find dashboards tests -name package.json -not -path '*/node_modules/*' | while read -r package; do
    folder=$(dirname "$package")
    if [ ! -d "$folder/node_modules" ] || [ "$package" -nt "$folder/node_modules" ]; then
        echo "Installing the packages of $folder …" >&2
        (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error && touch node_modules) || echo "npm failed in $folder." >&2
    fi
done

[ ! -x .venv/bin/python ] || .venv/bin/python tests/foreign_python.py || true

#!/bin/sh
# Make the random secrets of compose.yaml. What exists is kept.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
for name in mqtt_password influxdb_password influxdb_token; do
    if [ ! -s "secrets/$name" ]; then
        od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "secrets/$name"
    fi
done
# The containers run as another user than yours: the files are readable, their folder is yours alone.
chmod 0444 secrets/*

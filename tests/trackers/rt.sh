#!/bin/bash
# Debian's Request Tracker 5 for `make test-trackers`: `rt.sh install` (as root), `rt.sh serve PORT` (in the foreground).
# `rt.sh token` prints a token of the user root.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
export DEBIAN_FRONTEND=noninteractive
case "$1" in
install)
  dpkg -s request-tracker5 rt5-db-sqlite >/dev/null 2>&1 && exit 0
  apt-get install -y -q request-tracker5 rt5-db-sqlite
  ;;
token) perl -I/usr/share/request-tracker5/lib "$HERE/rt_token.pl" ;;
serve) exec /usr/share/request-tracker5/libexec/rt-server --host 127.0.0.1 --port "$2" ;;
*) echo "usage: rt.sh install | token | serve PORT" >&2; exit 2 ;;
esac

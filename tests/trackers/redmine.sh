#!/bin/bash
# Debian's Redmine for `make test-trackers`: `redmine.sh install` (as root), `redmine.sh serve PORT` (as root, in the foreground).
# `redmine.sh token PROJECT` makes a project and prints the administrator's REST key.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
HOME_OF=/usr/share/redmine
export DEBIAN_FRONTEND=noninteractive REDMINE_INSTANCE=default RAILS_ENV=production

as_web() { setpriv --reuid=www-data --regid=www-data --init-groups env HOME=/var/lib/redmine "$@"; }

case "$1" in
install)
  # The security update of ruby3.1 brings a Bundler that Debian's Redmine does not accept: configure with the one it knows.
  dpkg -s redmine-sqlite thin >/dev/null 2>&1 && exit 0
  apt-get install -y -q redmine redmine-sqlite || BUNDLER_VERSION=2.3.15 dpkg --configure -a
  apt-get install -y -q thin
  ;;
token)
  cd "$HOME_OF"
  as_web env PROJECT="$2" BUNDLER_VERSION=2.3.15 bin/rails runner "$(cat "$HERE/redmine_setup.rb")"
  ;;
serve)
  cd "$HOME_OF"
  exec setpriv --reuid=www-data --regid=www-data --init-groups \
    env HOME=/var/lib/redmine BUNDLER_VERSION=2.3.15 thin start -a 127.0.0.1 -p "$2" -e production
  ;;
*) echo "usage: redmine.sh install | token PROJECT | serve PORT" >&2; exit 2 ;;
esac

#!/usr/bin/env bash
# Makes one installed release the running one, and makes sure that it is: switches the link, reloads or restarts the
# service, sends a real request. Undoes nothing when that fails; upgrade.sh and rollback.sh do.
#
#   ops/activate-release.sh RELEASE reload|restart [options of dist/ops/verify-request.js]
set -euo pipefail

release=$(realpath -e "${1:?usage: activate-release.sh RELEASE reload|restart [verify options]}")
how=${2:?reload or restart}
shift 2
prefix=$(dirname "$(dirname "$release")")
unit=flow-proxy-plugin.service
version=$(node -p 'require(process.argv[1]).version' "$release/package.json")

# What primary and workers say to each other: new workers under the old primary have to speak the same.
protocol_of() { sed -n 's/^const PROTOCOL = \([0-9]*\);.*/\1/p' "$1"/dist/chunks/*.js; }
if [ "$how" = reload ] && [ "$(protocol_of "$release")" != "$(protocol_of "$prefix/current")" ]; then
  echo "activate: this version cannot take over worker by worker: restarting"
  how=restart
fi

# The link changes in one step: whoever starts in between sees the old version or the new one.
ln -sfn "releases/$(basename "$release")" "$prefix/.current.$$"
mv -T "$prefix/.current.$$" "$prefix/current"

state=$(systemctl show --property ActiveState --value "$unit")
if [ "$how" = reload ] && [ "$state" = active ]; then
  # Worker by worker; a new one that cannot serve ends it, and the old ones stay.
  systemctl reload "$unit"
else
  systemctl restart "$unit"
fi

status=$(mktemp)
trap 'rm -f "$status"' EXIT
node -- "$release/dist/src/cli/main.js" status --json --env-file /etc/flow-proxy/flow-proxy.env >"$status"
node "$release/dist/ops/verify-request.js" --status "$status" --version "$version" "$@"

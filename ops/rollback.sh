#!/usr/bin/env bash
# Goes back to the version that ran before the last upgrade, or to any that is still installed.
usage() {
  cat <<'TEXT'
Usage: sudo ops/rollback.sh [RELEASE] [options]

  RELEASE                  name of a release, see --list; default is the one before the last upgrade
  --list                   print the installed releases
  --restart                restart instead of replacing the workers one by one
  --client-key-file FILE   client key for the request that verifies the version
  --path PATH              path of that request (default /v1/models)
  --help                   show this text

The configuration is not touched; `flow-proxy restore` brings back that of a backup.
TEXT
}
set -euo pipefail

here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
prefix=/opt/flow-proxy-plugin
die() { echo "rollback: $*" >&2; exit 1; }

given= how=reload is_list=
verify=()
while [ $# -gt 0 ]; do
  case $1 in
    --list) is_list=yes ;;
    --restart) how=restart ;;
    --client-key-file | --path) verify+=("$1" "${2:?$1 needs a value}"); shift ;;
    --help | -h) usage; exit 0 ;;
    -*) usage >&2; exit 64 ;;
    *) given=$1 ;;
  esac
  shift
done
current=$(readlink -f "$prefix/current") && [ -d "$current" ] || die "nothing is installed in $prefix"
if [ -n "$is_list" ]; then
  for release in "$prefix"/releases/*; do
    mark=' '
    [ "$release" != "$current" ] || mark='*'
    [ "$release" != "$(readlink -f "$prefix/previous" || true)" ] || mark='<'
    echo "$mark $(basename "$release")"
  done
  echo "(* runs, < is where rollback.sh goes back to)"
  exit 0
fi
[ "$(id -u)" = 0 ] || die "only root may do this: sudo $0"
if [ -n "$given" ]; then target=$prefix/releases/$given; else target=$(readlink -f "$prefix/previous" || true); fi
[ -d "$target" ] || die "there is no version to go back to (--list)"
[ "$target" != "$current" ] || die "$target runs already"

"$here/activate-release.sh" "$target" $how "${verify[@]}" || die "$target does not answer; flow-proxy status tells more"
ln -sfn "releases/$(basename "$current")" "$prefix/previous"
echo "rollback: $(node -- "$target/dist/src/cli/main.js" --version) serves again"

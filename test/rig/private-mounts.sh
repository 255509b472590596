#!/bin/bash
# Runs a command in a mount namespace of its own, with throw-away layers over /etc and /var and an empty /run: it may
# add users and files there, and nothing is left behind. Needs root.
set -euo pipefail
exec unshare --mount --propagation private bash -c '
  set -euo pipefail
  layers=/mnt
  mount -t tmpfs -o mode=755 layers $layers
  for name in etc var; do
    mkdir -p $layers/$name/upper $layers/$name/work
    mount -t overlay -o lowerdir=/$name,upperdir=$layers/$name/upper,workdir=$layers/$name/work overlay /$name
  done
  mount -t tmpfs -o mode=755 run /run
  exec "$@"' private-mounts "$@"

#!/bin/sh
# Draws map.png, the picture of the README, anew. Needs `jaxnet` on the PATH, installed with '.[report]'.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
jaxnet sweep --example diabetes --out "$folder/run"
jaxnet plot "$folder/run" map --out "$(dirname "$0")/map.png" --overwrite

# SPDX-License-Identifier: MIT
#
# Makes the folder vendor of a module, or of a workspace, as an output: what goVendor runs.
set -eu
. "$goSetup"
cp -R "$src" source
chmod -R u+w source
cd "source/$modRoot"
[ -n "$GOWORK" ] || unset GOWORK
work=$(go env GOWORK)
case $work in
"" | off) go mod vendor -o "$out" ;;
*) cd "${work%/*}" && go work vendor -o "$out" ;;
esac
# Without dependencies none is made.
mkdir -p "$out"

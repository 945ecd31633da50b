# SPDX-License-Identifier: MIT
#
# A home that can be written to, for what looks for its settings there.
export HOME="$NIX_BUILD_TOP/.home"
mkdir -p "$HOME"

#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A daemon of Nix whose machine goes away while it is talked to: what it says is cut off.
"${builddir:?}/gx" daemon --stdio --store "$PWD/half" | { dd bs=1 count=700 2>/dev/null; kill -9 $$; }

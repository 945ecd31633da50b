# SPDX-License-Identifier: MIT
#
# The pages of examples/ whose programs are built: with a real toolchain, and images for two processors.
. "$srcdir/tests/integration/lib.sh"
wanted=$(sed -n 's/^go 1\.\([0-9]*\).*/go_1_\1/p' "$srcdir/examples/config-service/go.mod")
. "$srcdir/tests/integration/lib/toolchain.sh"
. "$srcdir/tests/integration/lib/page.sh"
page config-service

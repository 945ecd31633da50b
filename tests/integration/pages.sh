# SPDX-License-Identifier: MIT
#
# The pages of examples/: what they say is done, word by word.
. "$srcdir/tests/integration/lib.sh"
. "$srcdir/tests/integration/lib/page.sh"
page tenants
page devpod
page binary-cache

# SPDX-License-Identifier: MIT
#
# What tests share that build with a real toolchain, Go 1.26 from the user's module proxy: $store, to be kept between runs where
# TEST_STORE=FOLDER says so, $std, gx:std as an expression, and a HOME.  Skipped without a network, or with TEST_REAL=no.
[ "${TEST_REAL-}" != no ] || { echo "TEST_REAL=no"; exit 77; }
store=${TEST_STORE:-$PWD/s}
if [ -z "${GOPROXY-}" ]; then
	command -v go >/dev/null 2>&1 && GOPROXY=$(cd / && go env GOPROXY)
fi
[ -z "${GOPROXY-}" ] || export GOPROXY
export HOME="$PWD/home"
mkdir -p home
std="import $srcdir/stdlib { system = \"x86_64-linux\"; }"
if ! timeout 200 gxeval --store "$store" --realise -E "($std).go_1_26" >probe.log 2>&1; then
	echo "a toolchain cannot be fetched here: $(head -n 1 probe.log)"
	exit 77
fi

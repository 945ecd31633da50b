# SPDX-License-Identifier: MIT
#
# What tests share that build with a real toolchain, Go 1.26 from the user's module proxy, or what $wanted names of gx:std: $store, to be kept
# between runs where TEST_STORE=FOLDER says so, $std, gx:std as an expression, and a HOME.  Skipped without a network, or with TEST_REAL=no.
[ "${TEST_REAL-}" != no ] || { echo "TEST_REAL=no"; exit 77; }
store=${TEST_STORE:-$PWD/s}
if [ -z "${GOPROXY-}" ]; then
	command -v go >/dev/null 2>&1 && GOPROXY=$(cd / && go env GOPROXY)
fi
[ -z "${GOPROXY-}" ] || export GOPROXY
export HOME="$PWD/home"
mkdir -p home
wanted=${wanted:-go_1_26}
std="import $srcdir/stdlib { system = \"x86_64-linux\"; }"
if ! timeout 200 gxeval --store "$store" --realise -E "($std).$wanted" >probe.log 2>&1; then
	echo "${wanted%%.*} cannot be fetched here: $(grep -m 1 '^ *error:' probe.log)"
	exit 77
fi

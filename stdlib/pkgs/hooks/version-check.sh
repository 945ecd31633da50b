# SPDX-License-Identifier: MIT
#
# The program that was installed says the version that the package has.

_saysVersion() { # PROGRAM ARGUMENT
	"$1" "$2" >"$NIX_BUILD_TOP/.version" 2>&1 || :
	grep -qF -- "$version" "$NIX_BUILD_TOP/.version"
}

versionCheck() {
	_program=${versionCheckProgram:-}
	for _p in "$out/bin/${mainProgram:-$pname}" "$out"/bin/*; do
		[ -n "$_program" ] || [ ! -x "$_p" ] || _program=$_p
	done
	[ -n "$_program" ] || die "versionCheckHook: there is no program in '$out/bin'"
	for _a in ${versionCheckProgramArg:---version --help}; do
		_saysVersion "$_program" "$_a" || continue
		echo "$_program $_a says $version"
		return
	done
	cat "$NIX_BUILD_TOP/.version" >&2
	die "versionCheckHook: '$_program' does not say its version, $version"
}

if [ -z "${dontVersionCheck-}" ]; then
	doInstallCheck=1
	appendToVar preInstallCheckHooks versionCheck
fi

# SPDX-License-Identifier: MIT
#
# What builders share that run the shell text of others: the shell's programs in PATH, setup hooks, and what is run around a phase.  The
# shell is the sandbox's busybox.

# The shell runs its own programs without any file for them; who starts one in another way looks for it in PATH, where they come last.
shell_programs() { # FOLDER
	mkdir -p "$1"
	busybox --install -s "$1" 2>/dev/null || :
	export PATH="${PATH:+$PATH:}$1"
}

# Reads what packages have for the builds that name them.
setup_hooks() { # PACKAGE...
	set +u
	for _package; do
		[ ! -f "$_package/nix-support/setup-hook" ] || . "$_package/nix-support/setup-hook"
	done
	set -u
}

# Text of others is written for a shell in which a variable that is not set is empty.
run_text() { # TEXT
	set +u
	eval "$1"
	set -u
}

# What is to be done at this place: the functions that setup hooks put into $NAMEHooks, then the text in $NAME or else the function.
runHook() { # NAME
	eval "_text=\${$1-} _functions=\${${1}Hooks-}"
	for _function in $_functions; do
		run_text "$_function"
	done
	if [ -n "$_text" ]; then
		run_text "$_text"
	elif type "$1" >/dev/null 2>&1; then
		run_text "$1"
	fi
}

# SPDX-License-Identifier: MIT
#
# What the lints of the structure share: the folders of C, and the arrows between them as awk: may[A] holds " B " if A/ may use B/
# (doc/ARCHITECTURE.md has the picture).
FOLDERS="base lang eval format store fetch golang cache image kube build remote builtins flake cli"
ARROWS='
	BEGIN {
		may["base"] = " base "
		may["lang"] = " base lang "
		may["eval"] = " base lang eval "
		may["format"] = " base format "
		may["store"] = " base format store "
		may["fetch"] = " base format fetch "
		may["golang"] = " base format fetch golang "
		may["cache"] = " base format store fetch cache "
		may["image"] = " base format store fetch image "
		may["kube"] = " base format fetch kube "
		may["build"] = " base format store fetch golang cache build "
		may["remote"] = " base format store fetch cache build remote "
		may["builtins"] = " base lang eval format store fetch golang cache image kube build builtins "
		may["flake"] = may["builtins"] " flake "
		may["cli"] = may["flake"] " image kube remote cli "
	}
'

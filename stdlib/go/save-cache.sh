# SPDX-License-Identifier: MIT
#
# Makes an object of a build cache; read by the scripts that make one.
#
# An entry of the index ends with the time it was made; it is set to one second after the epoch, so that the object
# is the same wherever it is made.  What the cache began with are links, which are left out.
save_cache() { # CACHE FOLDER
	for _dir in "$1"/??; do
		[ -d "$_dir" ] || continue
		_to=$2/${_dir##*/}
		mkdir -p "$_to"
		for _f in "$_dir"/*-a; do
			[ -f "$_f" ] && [ ! -L "$_f" ] && sed 's/ *[0-9]*$/           1000000000/' "$_f" >"$_to/${_f##*/}"
		done
		for _f in "$_dir"/*-d; do
			[ -f "$_f" ] && [ ! -L "$_f" ] && cp "$_f" "$_to/${_f##*/}"
		done
	done
	mkdir -p "$2"
}

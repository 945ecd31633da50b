# SPDX-License-Identifier: MIT
#
# What `_told` of ../lib.sh puts in place of what is another in each run.  The folders are in the environment, as other text would be taken apart
# by -v.
function replace(text, name,   at, done) {
	for (done = ""; text != "" && (at = index($0, text)) > 0; $0 = substr($0, at + length(text)))
		done = done substr($0, 1, at - 1) name
	$0 = done $0
}

BEGIN {
	for (i = 0; i < 32; i++) hash = hash "[0-9a-df-np-sv-z]"
}

# Said only where something takes longer than usual.
/^fetch(ing|ed) '/ || /^gx(eval)?: [0-9].*, in [0-9]/ { next }

# A line of what the script itself gave is known, and one that holds a folder's name is cut where its length says so.
/^  +[0-9]+ \|/ { left_out = text || /\| …/ || /…$/ || index($0, ENVIRON["root"]) }
left_out && /^  +[0-9]* \|/ { next }

{
	text = /^  (while .*, )?at «string»/
	replace(ENVIRON["root"], "ROOT")
	replace(ENVIRON["home"], "HOME")
	replace(ENVIRON["built"], "BUILT")
	replace(ENVIRON["tree"], "TREE")
	# Where in the standard library it is changes with every edit there.
	if (library)
		sub(/^  [0-9]+ \|/, "  LINE |")
	library = sub(/TREE\/stdlib\/[^:]*:[0-9]+:[0-9]+/, "&:LINE")
	if (library)
		sub(/:[0-9]+:[0-9]+:LINE/, ":LINE")
	# So does how deep in it.
	sub(/^  \([0-9]+ more;/, "  (… more;")
	gsub(/lastModified=[0-9]+/, "lastModified=TIME")
	gsub(/\(20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]\)/, "(DATE)")
	sub(/' in [0-9.]+ s$/, "' in TIME")
	gsub(/localhost:[0-9]+/, "localhost:PORT")
	gsub(/127\.0\.0\.1:[0-9]+/, "127.0.0.1:PORT")
	done = ""
	while (match($0, hash "-")) {
		found = substr($0, RSTART, 32)
		if (!(found in name))
			name[found] = "HASH" ++hashes
		done = done substr($0, 1, RSTART - 1) name[found]
		$0 = substr($0, RSTART + 32)
	}
	print done $0
}

# SPDX-License-Identifier: MIT
#
# Starts the script ($self) that reads this once more, in a network of its own in which github.com and others are the server of
# lib/forge.py, and says there how it behaves.  Prints why and ends with 77 where that cannot be.
command -v python3 >/dev/null && command -v openssl >/dev/null && command -v unshare >/dev/null && command -v ip >/dev/null ||
	{ echo "no python3, openssl, unshare or ip"; exit 77; }
hosts="github.com api.github.com codeload.github.com gitlab.com git.sr.ht lab.example hub.example site.example"

# A network, names and certificates that only what runs there sees.
in_network() { # COMMAND...
	_map=--map-root-user
	[ "$(id -u)" = 0 ] && _map=
	unshare $_map --net --mount sh -c 'ip link set lo up && mount --bind hosts /etc/hosts && exec "$@"' sh "$@"
}

prepare() {
	mkdir -p forge && cd forge || exit 1
	printf '127.0.0.1 localhost %s\n' "$hosts" >hosts
	in_network true 2>probe.log || { echo "a network of its own cannot be had here: $(cat probe.log)"; exit 77; }
	names=$(echo "$hosts" | sed 's/ /,DNS:/g')
	new_key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
	openssl req -x509 $new_key -keyout authority.key -out authority.crt -days 2 -subj /CN=authority \
		-addext basicConstraints=critical,CA:true >openssl.log 2>&1 &&
		openssl req $new_key -keyout forge.key -out forge.csr -subj /CN=forge >>openssl.log 2>&1 &&
		printf 'subjectAltName=DNS:%s\n' "$names" >forge.ext &&
		openssl x509 -req -in forge.csr -CA authority.crt -CAkey authority.key -CAcreateserial -days 2 -extfile forge.ext \
			-out forge.pem >>openssl.log 2>&1 || { cat openssl.log; echo "openssl makes no certificates"; exit 77; }
	: >requests
	: >mode
}

if [ -z "${forge-}" ]; then
	(prepare) || exit
	export forge="$PWD/forge" SSL_CERT_FILE="$PWD/forge/authority.crt" NIX_SSL_CERT_FILE="$PWD/forge/authority.crt"
	unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
	cp "$forge/hosts" hosts
	in_network sh "$self"
	exit
fi

# How the forge behaves from now on.
behaves() { # WORDS...
	echo "$*" >"$forge/mode"
}

# Adds a commit with the files of a folder; the branch is the default one when it is the first.
add_commit() { # BRANCH COMMIT FOLDER [OWNER/NAME]
	_repo=$forge/${4-owner/repo}
	mkdir -p "$_repo"
	[ -e "$_repo/tree-$2" ] || cp -R "$3" "$_repo/tree-$2"
	[ ! -e "$_repo/commits" ] || grep -v "^$1 " "$_repo/commits" >"$_repo/commits.new"
	{ echo "$1 $2"; cat "$_repo/commits.new" 2>/dev/null; } >"$_repo/commits"
	rm -f "$_repo/commits.new"
}

# The last request, without which nothing was asked.
last_request() {
	tail -n 1 "$forge/requests"
}

start_forge() {
	(cd "$forge" && exec python3 "$srcdir/tests/integration/lib/forge.py" >server.log 2>&1) &
	_server=$!
	trap ': >"$forge/stop"; wait $_server 2>/dev/null' EXIT
	for _i in $(seq 1 200); do [ -e "$forge/ready" ] && return; sleep 0.05; done
	cat "$forge/server.log"
	exit 1
}

# SPDX-License-Identifier: MIT
#
# What tests share that need a server of their own on 127.0.0.1, which ends with them: $port is where it is.  No proxy is between.
# Ends with 77 where there is no python3.
command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
unset http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
export no_proxy='*'

_serve() { # FILE PROGRAM [ARGUMENT...] : waits until it has written that
	_file=$1
	shift
	python3 "$srcdir/tests/integration/lib/$@" >server.log 2>&1 &
	_server=$!
	trap ': >stop; wait $_server 2>/dev/null' EXIT
	until [ -e "$_file" ] || ! kill -0 $_server 2>/dev/null; do sleep 0.1; done
	[ -s "$_file" ] || { cat server.log; echo "there is no server"; exit 1; }
}

# Answers with what is in the file body, and otherwise as lib/servers.py says.
serve_body() {
	_serve ports servers.py
	port=$(sed -n 's/^plain //p' ports)
}

# Has the files of a folder.
serve_folder() { # FOLDER
	_serve port folder.py "$1"
	port=$(cat port)
}

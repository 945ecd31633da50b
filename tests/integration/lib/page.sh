# SPDX-License-Identifier: MIT
#
# What tests of pages share: `page FOLDER` does what examples/FOLDER/README.md says, in a copy, with a gx whose store is $store.
command -v python3 >/dev/null 2>&1 || { echo "there is no python3"; exit 77; }
store=${store:-$PWD/s}
export HOME="$PWD/home"
mkdir -p "$HOME" bin
cat >bin/gx <<END
#!/bin/sh
verb=\$1
shift
case \$verb in
key) exec "${gxeval%/*}/gx" key "\$@" ;;
image | devpod | flake)
	verb="\$verb \$1"
	shift
	;;
esac
exec "${gxeval%/*}/gx" \$verb --store "$store" "\$@"
END
chmod +x bin/gx
PATH=$PWD/bin:$PATH

page() { # FOLDER
	cp -R "$srcdir/examples" pages && chmod -R u+w pages
	# A folder beside it is only of the same repository where there is one.
	(cd pages && git init -q . && git add -A)
	(cd "pages/$1" && python3 "$srcdir/tests/integration/lib/page.py" README.md) >said.page 2>page.log || {
		echo "not ok - the page $1"
		sed 's/^/# /' page.log
	}
	sed "s/^\(ok\|not ok\) - /\1 - $1: /" said.page
	! grep -q '^not ok' said.page || sed 's/^/# /' "pages/$1/page.errors" 2>/dev/null | tail -n 20
	remove pages
}

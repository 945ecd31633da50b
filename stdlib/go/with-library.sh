# A toolchain whose go command runs with a C library that comes along.
mkdir -p "$out/bin"
for file in "$go"/*; do
	[ "${file##*/}" = bin ] || ln -s "$file" "$out"
done
ln -s "$go/bin/gofmt" "$out/bin"
loader=$(echo "$glibc"/lib/*/ld-linux-*)
cat >"$out/bin/go" <<X
#!/bin/sh
GOROOT=$go exec "$loader" --library-path "${loader%/*}" "$go/bin/go" "\$@"
X
chmod 755 "$out/bin/go"

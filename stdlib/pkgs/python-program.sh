# A virtual environment with wheels, and a program of theirs.
"$python" -m venv --without-pip "$out/libexec"
for packages in "$out"/libexec/lib/python*/site-packages; do
	for wheel in $wheels; do
		ln -s "$wheel"/* "$packages"
	done
done
mkdir "$out/bin"
printf '#!%s\n%s' "$out/libexec/bin/python3" "$text" >"$out/bin/$program"
chmod 755 "$out/bin/$program"

# SPDX-License-Identifier: MIT
#
# What the tests of ways to a module proxy share: the folder proxy with the one module example.com/a@v1.0.0, its sum, and a derivation that fetches it.
mkdir -p proxy/example.com/a/@v
h1=$(python3 - <<'E2'
import base64, hashlib, zipfile
files = {"example.com/a@v1.0.0/go.mod": b"module example.com/a\n"}
with zipfile.ZipFile("proxy/example.com/a/@v/v1.0.0.zip", "w") as z:
    for n, c in files.items():
        z.writestr(n, c)
s = "".join("%s  %s\n" % (hashlib.sha256(c).hexdigest(), n) for n, c in files.items())
print("h1:" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode())
E2
)
fetch="derivation { name = \"a\"; system = \"builtin\"; builder = \"builtin:go-module\"; module = \"example.com/a\"; version = \"v1.0.0\";
  outputHashMode = \"go-h1\"; outputHash = \"$h1\"; }"

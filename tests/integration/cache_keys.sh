# SPDX-License-Identifier: MIT
#
# Keys that binary caches sign with.
. "$srcdir/tests/integration/lib.sh"

gx key generate-secret --key-name cache.example.org-1 >secret
check "a secret key has its name in front, and 64 bytes" grep -qE '^cache\.example\.org-1:[A-Za-z0-9+/]{86}==$' secret
gx key convert-secret-to-public <secret >public
check "a public key has the same name, and 32 bytes" grep -qE '^cache\.example\.org-1:[A-Za-z0-9+/]{43}=$' public
gx key generate-secret --key-name cache.example.org-1 >other
check "no two keys are alike" must_fail cmp secret other
printf 'test-1:BCh3uAHi8c8qQ3hYPOnbdgVuTrtPVS1QVqoKSNGT7MNghQwD7KMR+yXPsKtvS2KFdwoJ3w5pAHXiPQ/wjsx5ew==' >theirs
check "the public half of a key of Nix's is the one it names" \
	prints 'test-1:YIUMA+yjEfslz7Crb0tihXcKCd8OaQB14j0P8I7MeXs=' sh -c 'gx key convert-secret-to-public <theirs'
check "a public key is no secret key" \
	complains "this is no secret key" sh -c 'gx key convert-secret-to-public <public'
check "a key needs a name" complains "needs --key-name" gx key generate-secret
check "a name cannot have a colon" complains "without blanks and colons" gx key generate-secret --key-name a:b

# --- by Nix's name
mkdir names && gx nix-names --install "$PWD/names" >/dev/null
check "nix-store makes one" names/nix-store --generate-binary-cache-key cache.example.org-2 sk pk
check "whose halves belong together" prints "$(cat pk)" gx key convert-secret-to-public <sk
check "and which only its user may read" prints 600 stat -c %a sk
check "it needs two files" complains "needs a name and two files" names/nix-store --generate-binary-cache-key name sk

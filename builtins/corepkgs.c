/* SPDX-License-Identifier: MIT
 *
 * <nix/fetchurl.nix>: nixpkgs' bootstrap imports it to download its first tools.  It makes a derivation for the
 * builder "builtin:fetchurl"; which attributes that derivation has, empty and obsolete ones included, decides
 * store paths, so they are exactly those of Nix (tests/golden/builtins/derivation/fetchurl_*.gx).
 */
#include "config.h"
#include "builtins/corepkgs.h"

#include <stddef.h>
#include <string.h>

static const char fetchurl[] =
	"# A derivation that downloads one file.  The builder is part of the store.\n"
	"{\n"
	"  url,\n"
	"  name ? baseNameOf (toString url),\n"
	"  # What it must hold: an SRI hash, or one of the older ways to say it.\n"
	"  hash ? \"\", sha512 ? \"\", sha1 ? \"\", md5 ? \"\", sha256 ? \"\",\n"
	"  outputHash ? null,\n"
	"  outputHashAlgo ? null,\n"
	"  executable ? false,\n"
	"  unpack ? false,\n"
	"  # Downloads anew at each build; nothing is known of the contents.\n"
	"  impure ? false,\n"
	"  system ? \"\", # accepted and ignored\n"
	"}:\n"
	"let\n"
	"  # The first that is given, sha256 when none is.\n"
	"  known =\n"
	"    if hash != \"\" then { value = hash; algo = \"\"; }\n"
	"    else if sha512 != \"\" then { value = sha512; algo = \"sha512\"; }\n"
	"    else if sha1 != \"\" then { value = sha1; algo = \"sha1\"; }\n"
	"    else if md5 != \"\" then { value = md5; algo = \"md5\"; }\n"
	"    else { value = sha256; algo = \"sha256\"; };\n"
	"  contents =\n"
	"    if impure then { __impure = true; }\n"
	"    else {\n"
	"      outputHash = if outputHash == null then known.value else outputHash;\n"
	"      outputHashAlgo = if outputHashAlgo == null then known.algo else outputHashAlgo;\n"
	"    };\n"
	"in\n"
	"derivation (contents // {\n"
	"  inherit name url executable unpack;\n"
	"  builder = \"builtin:fetchurl\";\n"
	"  system = \"builtin\";\n"
	"  urls = [ url ];\n"
	"  outputHashMode = if executable || unpack then \"recursive\" else \"flat\";\n"
	"  preferLocalBuild = true;\n"
	"  impureEnvVars = [ \"http_proxy\" \"https_proxy\" \"ftp_proxy\" \"all_proxy\" \"no_proxy\" ];\n"
	"})\n";

const char *corepkg_text(const char *name)
{
	return strcmp(name, "fetchurl.nix") == 0 ? fetchurl : NULL;
}

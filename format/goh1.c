/* SPDX-License-Identifier: MIT
 *
 * Sums of Go modules as addresses of store objects; the definition stands in the header.
 *
 * Why not a method prefix of its own ("go-h1:sha256" in the .drv): Nix refuses to read such a derivation, and with it
 * every derivation that depends on it.  Why not the plain h1 as the hash: the layout must be able to change.
 */
#include "config.h"
#include "format/goh1.h"
#include "format/basen.h"

#include <string.h>

int go_h1_parse(struct slice text, struct hash *out, struct err *e)
{
	uint8_t raw[BASE64_MAX(GO_H1_LEN)];
	char again[GO_H1_LEN + 1];
	size_t n;

	if (text.n == GO_H1_LEN && slice_starts(text, SLICE("h1:")) && !base64_decode(text.p + 3, text.n - 3, raw, &n, NULL) &&
	    n == HASH_SHA256_LEN) {
		memset(out, 0, sizeof *out);
		out->algo = HASH_SHA256;
		out->len = HASH_SHA256_LEN;
		memcpy(out->b, raw, n);
		go_h1_print(out, again);
		if (!memcmp(again, text.p, GO_H1_LEN))
			return 0;
	}
	return err_set(e, ERR_INVALID, "'%.*s' is not a sum of a Go module (\"h1:\" and 44 digits of base64)", (int)text.n,
		       text.p);
}

void go_h1_print(const struct hash *h1, char out[GO_H1_LEN + 1])
{
	memcpy(out, "h1:", 3);
	base64_encode(h1->b, HASH_SHA256_LEN, out + 3);
	out[GO_H1_LEN] = 0;
}

int go_module_is_toolchain(struct slice module)
{
	return slice_eq(module, SLICE("golang.org/toolchain"));
}

void go_h1_address(struct slice module, const struct hash *h1, struct hash *address)
{
	enum { TAG = sizeof "go-h1:1:" - 1 };
	char text[TAG + GO_H1_LEN + 1];

	memcpy(text, go_module_is_toolchain(module) ? "go-h1:2:" : "go-h1:1:", TAG);
	go_h1_print(h1, text + TAG);
	hash_bytes(HASH_SHA256, text, TAG + GO_H1_LEN, address);
}

int go_h1_store_path(struct slice dir, struct slice name, struct slice module, const struct hash *h1, struct store_path *out,
		     struct err *e)
{
	struct hash address;

	go_h1_address(module, h1, &address);
	return store_path_make_fixed(dir, name, CA_NAR, &address, NULL, 0, 0, out, e);
}

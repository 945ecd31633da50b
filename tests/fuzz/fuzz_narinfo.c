/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a .narinfo file.  What is accepted is written back to a text that reads the same, with the same fingerprint; and as a
 * signature, a key and compressed data of each kind, which must only not crash.
 */
#include "config.h"
#include "format/narinfo.h"
#include "format/path.h"
#include "format/sign.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int drop(void *user, const void *p, size_t n, struct err *e)
{
	size_t *left = user;

	(void)p;
	if (n > *left)
		return err_set(e, ERR_LIMIT, "enough");
	*left -= n;
	return 0;
}

static void unpack(struct slice text)
{
	for (int c = COMPRESS_NONE; c <= COMPRESS_LZMA; c++) {
		size_t left = 1 << 20;
		const struct nar_sink sink = { drop, &left };
		struct err e = ERR_INIT;
		struct codec *k;

		if (decompress_open(&k, (enum compression)c, &sink, NULL))
			continue;
		if ((codec_feed(k, text.p, text.n, &e) || codec_end(k, &e)) && !e.msg)
			abort();
		err_release(&e);
		codec_free(k);
	}
}

static void twice(const struct narinfo *n)
{
	struct buf once = BUF_INIT, again = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
	struct narinfo m;

	narinfo_add(&once, store_dir_default, n);
	if (narinfo_parse(store_dir_default, (struct slice){ once.p, once.len }, &m, NULL))
		abort();
	narinfo_add(&again, store_dir_default, &m);
	fingerprint_add(&a, store_dir_default, &n->path, &n->nar_hash, n->nar_size, &n->refs);
	fingerprint_add(&b, store_dir_default, &m.path, &m.nar_hash, m.nar_size, &m.refs);
	if (once.len != again.len || memcmp(once.p, again.p, once.len) || a.len != b.len || memcmp(a.p, b.p, a.len))
		abort();
	narinfo_release(&m);
	buf_release(&once);
	buf_release(&again);
	buf_release(&a);
	buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct public_keys keys = { 0 };
	struct err e = ERR_INIT;
	struct narinfo n;

	if (!narinfo_parse(store_dir_default, text, &n, &e)) {
		twice(&n);
		narinfo_release(&n);
	} else if (!e.msg) {
		abort();
	}
	err_release(&e);
	public_keys_parse(SLICE("test-1:YIUMA+yjEfslz7Crb0tihXcKCd8OaQB14j0P8I7MeXs="), &keys, NULL);
	if (signature_check(&keys, text, text, NULL) == 1)
		abort();
	public_keys_release(&keys);
	public_keys_parse(text, &keys, NULL);
	public_keys_release(&keys);
	unpack(text);
	return 0;
}

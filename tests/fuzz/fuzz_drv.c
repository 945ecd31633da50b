/* SPDX-License-Identifier: MIT
 *
 * Any bytes as the text of a derivation.  What is accepted must be written back to a text that reads the same,
 * and everything that is computed from a derivation must go through or fail with a message.
 */
#include "config.h"
#include "format/modulo.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Hashes made up from the path: some twins, some fixed, some deferred. */
static int get(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	char digit = path.n > 11 ? path.p[11] : '0';

	(void)user;
	memset(out, 0, sizeof *out);
	if (digit == 'z')
		return err_set(e, ERR_NOTFOUND, "no such derivation");
	out->kind = digit == 'y' ? DRV_MODULO_DEFERRED : digit == 'x' ? DRV_MODULO_FIXED : DRV_MODULO_HASH;
	out->hash[0] = (uint8_t)digit;
	return 0;
}

static const struct drv_cache cache = { get, NULL };

static void same(const struct buf *a, const struct buf *b)
{
	if (a->len != b->len || (a->len && memcmp(a->p, b->p, a->len)))
		abort();
}

static void computed(struct drv *d, struct slice text)
{
	const struct slice own = SLICE("/nix/store/00000000000000000000000000000000-x.drv");
	struct buf masked = BUF_INIT, finished = BUF_INIT;
	struct err e = ERR_INIT;
	struct store_path path;
	struct drv_modulo m;
	int deferred;

	drv_path(d, store_dir_default, text, &path, NULL);
	drv_modulo(d, &cache, &m, NULL);
	drv_check(d, store_dir_default, own, &cache, &m, NULL);
	drv_write_masked(&masked, d, &cache, &deferred, NULL);
	if (drv_finish(d, store_dir_default, &cache, &finished, &path, &m, &e) && !e.msg)
		abort();
	/* What was finished is right, unless it says that it is a Go module and is none. */
	const struct slice *mode = drv_env(d, SLICE("outputHashMode"));
	if (!e.msg && !drv_is_dynamic(d) && !(mode && slice_eq(*mode, SLICE("go-h1"))) && drv_check(d, store_dir_default, own, &cache, &m, NULL))
		abort();
	err_release(&e);
	buf_release(&masked);
	buf_release(&finished);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size }, name = SLICE("x");
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct err e = ERR_INIT;
	struct drv d, again;

	if (drv_parse(&d, store_dir_default, name, text, &e)) {
		if (!e.msg)
			abort();
		err_release(&e);
		return 0;
	}
	drv_write(&once, &d);
	/* Names and the system are written without escapes, as Nix does: one with a quote or a backslash in it cannot
	 * be read back. */
	if (!drv_parse(&again, store_dir_default, name, (struct slice){ once.p, once.len }, NULL)) {
		drv_write(&twice, &again);
		drv_release(&again);
		if (!memchr(d.system.p, '\\', d.system.n) && !memchr(d.system.p, '"', d.system.n) && !memchr(data, '\\', size))
			same(&once, &twice);
	} else if (!memchr(data, '\\', size)) {
		abort();
	}
	computed(&d, text);
	drv_release(&d);
	buf_release(&once);
	buf_release(&twice);
	return 0;
}

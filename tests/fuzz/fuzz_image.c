/* SPDX-License-Identifier: MIT
 *
 * Any bytes as an archive with images of others; as what registries say: a manifest with a configuration (parted by a NUL), the head of an answer, a name, an entry of docker's file; and as
 * the description of an image.  What is accepted holds what it promises.
 */
#include "config.h"
#include "image/login.h"
#include "image/manifest.h"
#include "image/registry.h"
#include "image/spec.h"
#include "image/tar_read.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want_message(struct err *e)
{
	if (!e->msg)
		abort();
	err_release(e);
}

static void as_manifest(struct slice text)
{
	const char *nul = memchr(text.p, 0, text.n);
	struct slice config = nul ? (struct slice){ nul + 1, (size_t)(text.p + text.n - nul) - 1 } : SLICE("{}");
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct layer *layers;
	struct manifest m;

	text.n = nul ? (size_t)(nul - text.p) : text.n;
	if (manifest_parse(&a, text, &m, &e)) {
		want_message(&e);
	} else if (m.is_index) {
		const struct descriptor *d = manifest_choose(&m, SLICE("linux"), SLICE("amd64"), SLICE(""));

		if (d && !slice_eq(d->os, SLICE("linux")))
			abort();
	} else if (manifest_layers(&m, config, "h/r@d", &layers, &e)) {
		want_message(&e);
	} else {
		for (size_t k = 0; k < m.n; k++) {
			if (!layers[k].known || !layer_media_type(&layers[k]))
				abort();
			layer_release(&layers[k]);
		}
		free(layers);
	}
	arena_release(&a);
}

static void as_answer(struct slice text)
{
	struct buf heads = BUF_INIT;
	struct challenge c;

	buf_add(&heads, text.p, text.n);
	challenge_read(&c, &heads);
	registry_trusts("https://registry.example", buf_str(&c.realm));
	head_status(&heads);
	if (head_value(&heads, "Location").n > text.n)
		abort();
	challenge_release(&c);
	buf_release(&heads);
}

/* What is accepted is written so that it reads the same. */
static void as_name(struct slice text)
{
	struct reference r, again;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	if (reference_parse(&r, text, &e)) {
		want_message(&e);
	} else {
		reference_add(&b, &r);
		if (reference_parse(&again, (struct slice){ b.p, b.len }, NULL) || strcmp(again.host, r.host) ||
		    strcmp(again.repository, r.repository))
			abort();
		reference_release(&again);
	}
	reference_release(&r);
	buf_release(&b);
}

static void as_description(struct slice text)
{
	struct image_spec s;
	struct err e = ERR_INIT;
	struct login l = { NULL, NULL, NULL };
	struct arena a = ARENA_INIT;
	struct jnode *o;

	if (image_spec_parse(&s, store_dir_default, text, &e))
		want_message(&e);
	image_spec_release(&s);
	if (!image_json(&a, text, "it", &o, NULL) && login_entry(&l, o) && !l.user == !l.refresh)
		abort();
	login_release(&l);
	arena_release(&a);
}

static void as_archive(struct slice text)
{
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n)
		abort();
	if (tar_get(fd, "index.json", 1 << 16, &out, &e))
		want_message(&e);
	else if (out.len > text.n || out.len > 1 << 16)
		abort();
	close(fd);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { size ? (const char *)data : "", size };

	as_archive(text);
	as_manifest(text);
	as_answer(text);
	as_name(text);
	as_description(text);
	return 0;
}

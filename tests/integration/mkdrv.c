/* SPDX-License-Identifier: MIT
 *
 * mkdrv: puts a derivation into a store, for tests of building that must not depend on the evaluator.
 *
 *     mkdrv STORE NAME [-o OUTPUT]... [-e NAME=VALUE]... [-i DRV[^OUTPUT]]... [-s PATH]... [-f METHOD:HASH] -- BUILDER ARG...
 *
 * STORE is a root, or dir:DIR for a relocated store.  Prints the path of the derivation, then of each output, a line each.  `mkdrv --probe` says whether builds can
 * be confined here; `mkdrv --filtered PROGRAM ARG...` runs a program behind the filter that networked builders get where
 * the kernel has no scopes for sockets.
 */
#include "config.h"
#include "format/modulo.h"
#include "store/object.h"
#include "build/sandbox.h"
#include "build/build.h"
#include "build/seccomp.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct store *store;
static struct drv_memo memo;

static _Noreturn void die(const struct err *e)
{
	fprintf(stderr, "mkdrv: %s\n", e->msg ? e->msg : "usage");
	exit(1);
}

static int get_modulo(void *user, struct slice path, struct drv_modulo *out, struct err *e)
{
	struct drv_cache cache = { get_modulo, user };
	const struct drv_modulo *known = drv_memo_get(&memo, path);
	struct store_path p;
	struct slice name;
	struct buf text = BUF_INIT;
	struct drv d;
	int rc = 0;

	if (known) {
		*out = *known;
		return 0;
	}
	rc = store_path_parse(store_dir(store), path, &p, e);
	rc = rc ? rc : store_read(store, &p, 1 << 20, &text, e);
	name = store_path_name(&p);
	name.n -= 4;
	rc = rc ? rc : drv_parse(&d, store_dir(store), name, (struct slice){ text.p, text.len }, e);
	rc = rc ? rc : drv_modulo(&d, &cache, out, e);
	if (!rc) {
		drv_memo_put(&memo, path, out);
		drv_release(&d);
	}
	buf_release(&text);
	return rc;
}

static void set_fixed(struct drv *d, const char *spec)
{
	struct drv_output *o = drv_add_output(d, SLICE("out"));
	const char *colon = strchr(spec, ':');
	struct slice method = { spec, (size_t)(colon - spec) };
	struct err e = ERR_INIT;

	o->kind = DRV_FIXED;
	if (ca_method_parse(method, &o->method, &e) || hash_parse(colon + 1, strlen(colon + 1), HASH_ANY, &o->hash, NULL, &e))
		die(&e);
	drv_set_env(d, SLICE("outputHashMode"), method);
}

static void add_input(struct drv *d, char *text)
{
	char *hat = strchr(text, '^');

	if (hat)
		*hat++ = 0;
	drv_add_input(d, slice_of(text), slice_of(hat ? hat : "out"));
}

/* Reads the options; returns where the builder is named. */
static int read_options(struct drv *d, int argc, char **argv)
{
	int i = 3;

	for (; i + 1 < argc && strcmp(argv[i], "--"); i += 2) {
		char *v = argv[i + 1], *eq;

		switch (argv[i][1]) {
		case 'o': drv_add_output(d, slice_of(v)); break;
		case 'i': add_input(d, v); break;
		case 's': drv_add_src(d, slice_of(v)); break;
		case 'f': set_fixed(d, v); break;
		case 'e':
			eq = strchr(v, '=');
			drv_set_env(d, (struct slice){ v, (size_t)(eq - v) }, slice_of(eq + 1));
			break;
		default: exit(2);
		}
	}
	return i + 1;
}

static void add_refs(const struct drv *d, struct path_set *refs)
{
	struct store_path p;

	for (size_t i = 0; i < d->ninputs; i++)
		if (!store_path_parse(store_dir(store), d->inputs[i].path, &p, NULL))
			path_set_add(refs, &p);
	for (size_t i = 0; i < d->nsrcs; i++)
		if (!store_path_parse(store_dir(store), d->srcs[i], &p, NULL))
			path_set_add(refs, &p);
}

int main(int argc, char **argv)
{
	struct drv_cache cache = { get_modulo, NULL };
	struct place_request request = { .store = argc > 1 ? argv[1] : NULL };
	struct err e = ERR_INIT;
	struct place place;
	struct drv d;
	struct buf text = BUF_INIT, file = BUF_INIT;
	struct path_set refs = PATH_SET_INIT;
	struct store_path path;
	int i;

	if (argc > 1 && !strcmp(argv[1], "--probe"))
		return sandbox_probe(&e) ? (printf("%s\n", e.msg), 77) : 0;
	if (argc > 2 && !strcmp(argv[1], "--filtered")) {
		if (seccomp_load_filter(FILTER_NO_UNIX, &e))
			die(&e);
		execv(argv[2], argv + 2);
		return 127;
	}
	if (argc > 4 && !strncmp(argv[1], "dir:", 4))
		request = (struct place_request){ .store_dir = argv[1] + 4 };
	if (argc < 5 || place_choose(&place, &request, &e) ||
	    store_open(&store, &place, 0, &e))
		die(&e);
	drv_init(&d, slice_of(argv[2]));
	i = read_options(&d, argc, argv);
	if (!d.noutputs)
		drv_add_output(&d, SLICE("out"));
	drv_set_system(&d, slice_of(!strncmp(argv[i], "builtin:", 8) ? "builtin" : build_system()));
	drv_set_builder(&d, slice_of(argv[i++]));
	for (; i < argc; i++)
		drv_add_arg(&d, slice_of(argv[i]));
	if (drv_finish(&d, store_dir(store), &cache, &text, &path, NULL, &e))
		die(&e);
	add_refs(&d, &refs);
	buf_addf(&file, "%s.drv", argv[2]);
	if (store_add_text(store, (struct slice){ file.p, file.len }, (struct slice){ text.p, text.len }, &refs, &path, &e))
		die(&e);
	printf("%.*s/%s\n", (int)store_dir(store).n, store_dir(store).p, path.base);
	for (size_t k = 0; k < d.noutputs; k++)
		printf("%.*s\n", (int)d.outputs[k].path.n, d.outputs[k].path.p);
	drv_release(&d);
	drv_memo_release(&memo);
	path_set_release(&refs);
	buf_release(&text);
	buf_release(&file);
	store_free(store);
	place_release(&place);
	return 0;
}

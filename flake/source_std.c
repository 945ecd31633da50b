/* SPDX-License-Identifier: MIT
 *
 * gx:std, the standard library: beside the program or in the data directory, or in the store.  A lock says which, by its hash.
 *
 * Every flake that uses it asks for that hash, and its files hardly ever change, so it is remembered for the state they are in
 * (flake/tree_hash.h): they are looked at and not read.
 */
#include "config.h"
#include "flake/source_int.h"
#include "base/mem.h"
#include "eval/error.h"
#include "fetch/trail.h"
#include "fetch/tree_hash.h"
#include "format/nar.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- where it is --- */

static int is_stdlib(const char *dir)
{
	char file[PATH_MAX + 16];

	return (size_t)snprintf(file, sizeof file, "%s/flake.gx", dir) < sizeof file && access(file, R_OK) == 0;
}

const char *source_stdlib(void)
{
	static const char *const beside[] = { "stdlib", "../share/gx/stdlib" };
	static char found[PATH_MAX];
	char exe[PATH_MAX], dir[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);

	if (found[0])
		return found;
	exe[n > 0 ? n : 0] = 0;
	char *slash = strrchr(exe, '/');
	for (size_t i = 0; slash && i < sizeof beside / sizeof *beside; i++) {
		snprintf(dir, sizeof dir, "%.*s/%s", (int)(slash - exe), exe, beside[i]);
		if (is_stdlib(dir) && realpath(dir, found))
			return found;
	}
	if (is_stdlib(GX_STDLIB) && realpath(GX_STDLIB, found))
		return found;
	found[0] = 0;
	return NULL;
}

/* --- its hash --- */

static void hash_library(const char *dir, struct hash *out)
{
	struct trail_tree trail;
	const struct nar_filter *filter = trail_tree_begin(&trail, dir, strlen(dir), NULL, TRAIL_ALL);
	const struct tree_question question = { .place = dir, .filter = filter };
	struct hash state;
	struct err e = ERR_INIT;

	if (tree_hash_recall(&question, &state, out))
		return;
	throw_if(nar_hash(HASH_SHA256, AT_FDCWD, dir, NULL, filter, out, NULL, &e), &e);
	tree_hash_remember(&question, &state, out);
}

/* --- the input --- */

/* The library that is wanted is in the store, and is it. */
static int is_in_store(struct flake_tree *t, const struct hash *want)
{
	struct err e = ERR_INIT;

	if (want->algo == HASH_SHA256 && source_find_valid(t, want) &&
	    !nar_hash(want->algo, AT_FDCWD, t->place, NULL, NULL, &t->hash, NULL, &e) && hash_eq(&t->hash, want))
		return 1;
	err_release(&e);
	return 0;
}

static __attribute__((noreturn, cold)) void other_library(const struct input *in, const struct hash *want, const struct hash *here)
{
	char want_text[HASH_TEXT_MAX], here_text[HASH_TEXT_MAX];
	const char *version = source_get(in, "version");
	struct buf hint = BUF_GC;

	hash_print(want, HASH_SRI, 1, want_text);
	hash_print(here, HASH_SRI, 1, here_text);
	buf_adds(&hint, "'gx flake update std' locks the one that comes with this gx; the other comes with ");
	if (version && strcmp(version, PACKAGE_VERSION))
		buf_addf(&hint, "gx %s", version);
	else
		buf_adds(&hint, "the gx that it was locked with");
	throw_error_hint(EK_EVAL, hint.p, "'gx:std' is locked as %s%s%s%s, but this gx comes with %s (%s)", version ? version : "",
			 version ? " (" : "", want_text, version ? ")" : "", PACKAGE_VERSION, here_text);
}

void source_std(const struct input *in, struct flake_tree *t)
{
	const char *name = source_get(in, "name"), *dir = source_stdlib();
	struct hash want, here = { 0 };
	int wanted = source_wanted_hash(in, &want);

	if (!name || strcmp(name, "std"))
		throw_error(EK_EVAL, "'gx:%s' is not known: the one library that comes with gx is 'gx:std'",
			    name ? name : "");
	if (dir)
		hash_library(dir, &here);
	if (wanted && !hash_eq(&want, &here) && is_in_store(t, &want))
		return;
	if (!dir)
		throw_error(EK_IO, "the standard library is not where it was installed ('%s') nor beside the program",
			    GX_STDLIB);
	if (wanted && !hash_eq(&want, &here))
		other_library(in, &want, &here);
	t->place = dir;
	t->on_trail = 1;
	t->hash = here;
	if (!wanted || !source_get(in, "version"))
		source_set(&t->locked, "version", PACKAGE_VERSION);
}

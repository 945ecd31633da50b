/* SPDX-License-Identifier: MIT
 *
 * A pack (fetch/pack.h) is opened when the first file is imported and belongs to it: evaluations that begin
 * with the same file share most of the others.  Its id says besides what else decides how a text becomes a program:
 * this very executable, and the settings that the parser and the names in scope depend on.
 *
 * Only regular files that lie where they say are kept: their inode and its times tell whether they are still what
 * was read.  A file about which something was said (a lint) is parsed, and talked about, each time.
 */
#include "config.h"
#include "builtins/compiled.h"
#include "builtins/fs_int.h"
#include "fetch/pack.h"

#include <string.h>
#include <sys/stat.h>

/* Bytes of units below which a new pack is not worth its place: parsing that much takes as long as opening it. */
enum { WORTH = 4096 };

static struct {
	struct pack *pack;
	int is_open;
	size_t added;
} kept;

static uint64_t id_of(const char *first)
{
	const struct parse_options *o = &eval_settings.parse;
	const int settings[] = { (int)o->url_literals, (int)o->absolute_paths, (int)o->short_paths, o->pure,
				 eval_settings.pure, o->home != NULL };
	struct stat st;
	struct pack_key self;

	if (stat("/proc/self/exe", &st))
		return 0;
	self = pack_key("", 0, &st);
	uint64_t h = pack_hash(1, &self, sizeof self);
	h = pack_hash(h, settings, sizeof settings);
	if (o->home)
		h = pack_hash(h, o->home, strlen(o->home));
	return pack_hash(h, first, strlen(first));
}

static struct pack *the_pack(const char *first)
{
	if (kept.is_open)
		return kept.pack;
	kept.is_open = 1;
	uint64_t id = eval_settings.compile_cache ? id_of(first) : 0;
	return kept.pack = id ? pack_open(id) : NULL;
}

static struct file_program compile(W path, const struct pack_key *keep)
{
	struct file_program p = eval_compile(fs_source(path));
	size_t n;
	const void *unit = keep ? eval_unit_write(&p, &n) : NULL;

	if (unit) {
		kept.added += n;
		pack_add(kept.pack, keep, unit, n);
	}
	return p;
}

struct file_program compiled_program(W path)
{
	struct box_path *b = w_get_path(path);
	struct file_program p;
	struct pack_key k;
	const char *file;
	struct stat st;
	size_t n;

	int plain = eval_settings.compile_cache && fs_plain(path, &file, &st) && the_pack(file);
	if (!plain)
		return compile(path, NULL);
	k = pack_key(b->b, b->h.n, &st);
	const void *unit = pack_get(kept.pack, &k, &n);
	if (unit && !eval_unit_read(&p, fs_source_of(path, file, &st), unit, n))
		return p;
	return compile(path, pack_is_racy(&st) ? NULL : &k);
}

void compiled_save(void)
{
	if (kept.pack && (kept.added >= WORTH || eval_settings.compile_cache == 2 || !pack_is_empty(kept.pack)))
		pack_save(kept.pack);
}

static void end(void)
{
	pack_free(kept.pack);
}

const struct session_part compiled_session[] = { { &kept, sizeof kept, end }, { 0 } };

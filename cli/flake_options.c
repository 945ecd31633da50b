/* SPDX-License-Identifier: MIT
 *
 * References on the command line are parsed when the evaluator runs, since what is wrong with them is told the same way as
 * any error of an evaluation.
 */
#include "config.h"
#include "cli/flake_options.h"
#include "base/alloc.h"
#include "builtins/fs_members.h"
#include "cli/report.h"
#include "eval/eval.h"
#include "flake/ref.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { O_OVERRIDE = FLAKE_OPTION_FIRST, O_UPDATE, O_RECREATE, O_NO_UPDATE, O_NO_WRITE, O_OFFLINE, O_IMPURE, O_IGNORED };

const struct option flake_option_table[] = {
	{ O_OVERRIDE, 0, "override-input", "NAME REF", "Use the flake REF for the input NAME ('a/b' for an input of an input)." },
	{ O_UPDATE, 0, "update-input", "NAME", "Lock the input NAME anew." },
	{ O_RECREATE, 0, "recreate-lock-file", NULL, "Lock every input anew." },
	{ O_NO_UPDATE, 0, "no-update-lock-file", NULL, "Fail when the lock file would have to change." },
	{ O_NO_WRITE, 0, "no-write-lock-file", NULL, "Use changes to the lock file without writing them." },
	{ O_OFFLINE, 0, "offline", NULL, "Use no network." },
	{ O_IMPURE, 0, "impure", NULL, "Let the flake see the clock, the environment and any file." },
	{ O_IGNORED, 0, "no-registries", NULL, "Does nothing, for those who know Nix: no registry is ever asked." },
	{ 0 }
};

static void *grow(void *v, size_t n, size_t size)
{
	return xrealloc_array(v, n + 1, size);
}

void flake_options_take(struct flake_request *r, int id, char **values)
{
	switch (id) {
	case O_OVERRIDE:
		r->overrides = grow(r->overrides, r->noverrides, sizeof *r->overrides);
		r->overrides[r->noverrides][0] = values[0];
		r->overrides[r->noverrides++][1] = values[1];
		/* What the command line puts in place of an input is for this run. */
		r->no_write = 1;
		break;
	case O_UPDATE:
		r->updates = grow(r->updates, r->nupdates, sizeof *r->updates);
		r->updates[r->nupdates++] = values[0];
		break;
	case O_RECREATE: r->recreate = 1; break;
	case O_NO_UPDATE: r->no_update = 1; break;
	case O_NO_WRITE: r->no_write = 1; break;
	case O_OFFLINE: eval_settings.offline = 1; break;
	case O_IMPURE: r->impure = 1; break;
	}
}

static void message(const char *text)
{
	if (!strncmp(text, "warning: ", 9))
		report_warning(0, 0, text + 9);
	else if (!report_settings.quiet)
		report_message(text, strlen(text) - (*text && text[strlen(text) - 1] == '\n'));
}

static struct input_path parse_path(const char *text)
{
	struct input_path p;
	struct err e = ERR_INIT;

	if (input_path_parse(slice_of(text), flake_arena(), &p, &e))
		throw_err(&e);
	if (!p.n)
		throw_error(EK_EVAL, "'%s' names no input", text);
	return p;
}

void flake_options_lock(const struct flake_request *r, struct lock_options *out)
{
	struct arena *mem = flake_arena();
	const char *fragment;

	*out = (struct lock_options){ .recreate = r->recreate, .complete = r->complete, .no_update = r->no_update,
				      .no_write = r->no_write, .message = message };
	out->overrides = arena_alloc(mem, (r->noverrides + 1) * sizeof *out->overrides);
	out->updates = arena_alloc(mem, (r->nupdates + 1) * sizeof *out->updates);
	for (size_t i = 0; i < r->noverrides; i++) {
		struct lock_override *o = &out->overrides[out->noverrides++];
		o->path = parse_path(r->overrides[i][0]);
		flake_ref_parse(r->overrides[i][1], &o->ref, &fragment);
		if (*fragment)
			throw_error(EK_EVAL, "the flake reference '%s' must not have a fragment ('#…')", r->overrides[i][1]);
	}
	for (size_t i = 0; i < r->nupdates; i++)
		out->updates[out->nupdates++] = parse_path(r->updates[i]);
}

/* "examples/service#ci" names the folder when it holds a flake, as "./examples/service#ci" does; to Nix it would be an input
 * of the registry.  Collected. */
static const char *folder_or_name(const char *ref)
{
	size_t n = strcspn(ref, "#?");
	struct buf dir = BUF_GC;

	if (!n || *ref == '.' || *ref == '/' || memchr(ref, ':', n))
		return ref;
	buf_add(&dir, ref, n);
	if (!flake_ref_has_flake(buf_str(&dir)))
		return ref;
	dir = (struct buf)BUF_GC;
	buf_addf(&dir, "./%s", ref);
	return buf_str(&dir);
}

struct locked_flake *flake_options_open(const struct flake_request *r, const char *ref, const char **fragment)
{
	struct lock_options o;
	struct input in;

	flake_options_lock(r, &o);
	flake_ref_parse(folder_or_name(ref), &in, fragment);
	return flake_lock(&in, &o);
}

void flake_options_notes(void)
{
	struct buf names = BUF_INIT;

	for (size_t i = 0; fs_hidden_asked(i); i++)
		buf_addf(&names, " %s", fs_hidden_asked(i));
	if (!report_settings.quiet && names.len)
		report_line("note: not seen, because git does not track it:%s (git add -N makes it seen)", names.p);
	buf_release(&names);
}

static int has(const char *dir, const char *name)
{
	char path[PATH_MAX + 16];
	struct stat st;

	return (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path && !stat(path, &st) &&
	       S_ISREG(st.st_mode);
}

int flake_options_is_flake(const char *word)
{
	struct stat st;

	if (!stat(word, &st)) {
		if (!S_ISDIR(st.st_mode))
			return 0;
		return has(word, "flake.gx") || has(word, "flake.nix") ||
		       (!has(word, "default.gx") && !has(word, "default.nix"));
	}
	return *word != '<' && (strchr(word, '#') || strchr(word, ':'));
}

/* SPDX-License-Identifier: MIT
 *
 * References on the command line are parsed when the evaluator runs, since what is wrong with them is told the same way as
 * any error of an evaluation.
 */
#include "config.h"
#include "cli/flake_options.h"
#include "base/alloc.h"
#include "builtins/fs_members.h"
#include "cli/flake_config.h"
#include "cli/report.h"
#include "eval/eval.h"
#include "flake/ref.h"
#include "flake/registry.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	O_OVERRIDE = FLAKE_OPTION_FIRST, O_UPDATE, O_RECREATE, O_NO_UPDATE, O_NO_WRITE, O_OFFLINE, O_IMPURE, O_COMMIT, O_SUMMARY,
	O_REFERENCE, O_OUTPUT, O_DIRTY_LOCKS, O_FLAKE, O_INPUTS_FROM, O_REGISTRY, O_NO_REGISTRIES
};

const struct option flake_option_table[] = {
	{ O_OVERRIDE, 0, "override-input", "NAME REF", "Use the flake REF for the input NAME ('a/b' for an input of an input)." },
	{ O_UPDATE, 0, "update-input", "NAME", "Lock the input NAME anew." },
	{ O_RECREATE, 0, "recreate-lock-file", NULL, "Lock every input anew." },
	{ O_NO_UPDATE, 0, "no-update-lock-file", NULL, "Fail when the lock file would have to change." },
	{ O_NO_WRITE, 0, "no-write-lock-file", NULL, "Use changes to the lock file without writing them." },
	{ O_COMMIT, 0, "commit-lock-file", NULL, "Commit the lock file when it changed, and nothing else." },
	{ O_SUMMARY, 0, "commit-lock-file-summary", "TEXT", "The first line of that commit." },
	{ O_REFERENCE, 0, "reference-lock-file", "FILE", "Read the lock file FILE in place of the flake's own." },
	{ O_OUTPUT, 0, "output-lock-file", "FILE", "Write the lock file FILE in place of the flake's own." },
	{ O_DIRTY_LOCKS, 0, "allow-dirty-locks", NULL, "Let the lock file hold inputs that only a hash pins." },
	{ O_FLAKE, 0, "override-flake", "NAME REF", "Let the name NAME mean REF, before any registry." },
	{ O_INPUTS_FROM, 0, "inputs-from", "FLAKE", "Let names mean what the inputs of FLAKE are locked to." },
	{ O_REGISTRY, 0, "flake-registry", "FILE", "Use this file or address as the global registry; nothing for none." },
	{ O_NO_REGISTRIES, 0, "no-use-registries", NULL, "Look names up in no registry." },
	{ O_NO_REGISTRIES, 0, "no-registries", NULL, NULL },
	{ O_OFFLINE, 0, "offline", NULL, "Use no network." },
	{ O_IMPURE, 0, "impure", NULL, "Let the flake see the clock, the environment and any file." },
	{ 0 }
};

struct flake_settings flake_settings = { NULL, 0 };

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
	case O_FLAKE:
		r->flakes = grow(r->flakes, r->nflakes, sizeof *r->flakes);
		r->flakes[r->nflakes][0] = values[0];
		r->flakes[r->nflakes++][1] = values[1];
		break;
	case O_INPUTS_FROM:
		r->inputs_from = grow(r->inputs_from, r->ninputs_from, sizeof *r->inputs_from);
		r->inputs_from[r->ninputs_from++] = values[0];
		break;
	case O_COMMIT: r->commit = 1; break;
	case O_SUMMARY: flake_settings.commit_summary = values[0]; break;
	case O_REFERENCE: r->reference_file = values[0]; break;
	case O_OUTPUT: r->output_file = values[0]; break;
	case O_DIRTY_LOCKS: flake_settings.allow_dirty_locks = 1; break;
	case O_REGISTRY: registry_settings.global = values[0]; break;
	case O_NO_REGISTRIES: registry_settings.use = 0; break;
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

#define ZERO_PATH "a zero-length input path, which would refer to the flake itself, not an input"

/* zero: what is wrong with an empty one. */
static struct input_path parse_path(const char *text, const char *zero)
{
	struct input_path p;
	struct err e = ERR_INIT;

	if (input_path_parse(slice_of(text), flake_arena(), &p, &e))
		throw_err(&e);
	if (!p.n)
		throw_error(EK_EVAL, "%s", zero);
	return p;
}

static void parse_plain(const char *text, struct input *out)
{
	const char *fragment;

	flake_ref_parse(text, out, &fragment);
	if (*fragment)
		throw_error(EK_EVAL, "the flake reference '%s' must not have a fragment ('#…')", text);
}

void flake_options_lock(const struct flake_request *r, struct lock_options *out)
{
	struct arena *mem = flake_arena();
	const char *ci = getenv("CI");

	if (r->commit && r->output_file)
		throw_error(EK_EVAL, "--commit-lock-file and --output-lock-file exclude each other");
	*out = (struct lock_options){ .recreate = r->recreate, .complete = r->complete, .no_update = r->no_update,
				      .no_write = r->no_write, .check = r->check, .must_write = r->must_write, .commit = r->commit,
				      .summary = flake_settings.commit_summary, .reference_file = r->reference_file,
				      .output_file = r->output_file, .allow_dirty_locks = flake_settings.allow_dirty_locks,
				      .in_ci = !r->updates_meant && ci && !strcmp(ci, "true"), .message = message };
	out->overrides = arena_alloc(mem, (r->noverrides + 1) * sizeof *out->overrides);
	out->updates = arena_alloc(mem, (r->nupdates + 1) * sizeof *out->updates);
	for (size_t i = 0; i < r->noverrides; i++) {
		struct lock_override *o = &out->overrides[out->noverrides++];
		o->path = parse_path(r->overrides[i][0], "--override-input was passed " ZERO_PATH);
		parse_plain(r->overrides[i][1], &o->ref);
	}
	for (size_t i = 0; i < r->nupdates; i++)
		out->updates[out->nupdates++] = parse_path(r->updates[i], "--update-input was passed " ZERO_PATH);
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

/* Names for what a flake is locked to: they count as those of --override-flake. */
static void use_inputs_from(const char *flake)
{
	const struct lock_options o = { .no_write = 1 };
	struct input in, from;

	parse_plain(flake, &in);
	const struct lock_node *root = flake_lock(&in, &o)->lock.root;
	for (size_t i = 0; i < root->n; i++) {
		const struct lock_edge *edge = &root->edges[i];
		if (!edge->node || input_is_relative(&edge->node->locked))
			continue;
		from = (struct input){ 0 };
		source_set(&from, "type", "indirect");
		source_set(&from, "id", arena_dup(flake_arena(), edge->name.p, edge->name.n));
		registry_override(&from, &edge->node->locked);
	}
}

void flake_options_begin(const struct flake_request *r)
{
	struct input from, to;

	for (size_t i = 0; i < r->nflakes; i++) {
		parse_plain(r->flakes[i][0], &from);
		parse_plain(r->flakes[i][1], &to);
		registry_override(&from, &to);
	}
	for (size_t i = 0; i < r->ninputs_from; i++)
		use_inputs_from(r->inputs_from[i]);
}

struct locked_flake *flake_options_open(const struct flake_request *r, const char *ref, const char **fragment)
{
	struct lock_options o;
	struct input in;

	flake_options_lock(r, &o);
	flake_ref_parse(folder_or_name(ref), &in, fragment);
	struct locked_flake *lf = flake_lock(&in, &o);
	flake_config_apply(lf->flake->config);
	return lf;
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

/* "DIR?QUERY". */
static int names_folder(const char *word)
{
	const char *query = strchr(word, '?');
	char dir[PATH_MAX];
	struct stat st;

	return query && (size_t)snprintf(dir, sizeof dir, "%.*s", (int)(query - word), word) < sizeof dir && !stat(dir, &st) &&
	       S_ISDIR(st.st_mode);
}

int flake_options_is_flake(const char *word)
{
	struct stat st;

	/* As Nix takes it: the flake here. */
	if (!*word)
		return 1;
	if (!stat(word, &st)) {
		if (!S_ISDIR(st.st_mode))
			return 0;
		return has(word, "flake.gx") || has(word, "flake.nix") ||
		       (!has(word, "default.gx") && !has(word, "default.nix"));
	}
	return *word != '<' &&
	       (strchr(word, '#') || strchr(word, ':') || names_folder(word) || input_is_id_reference(slice_of(word)));
}

/* SPDX-License-Identifier: MIT
 *
 * gx flake audit: what a flake depends on, and whether that can be relied on.
 *
 * Each input of the lock file is fetched anew as its revision or address says, without believing the hash, and what comes is
 * compared with it.  Then what makes a lock worth less is named: an input that nothing pins, one that comes without encryption, the
 * same source with several pins, a name that a registry gave its meaning.
 */
#include "config.h"
#include "base/mem.h"
#include "cli/flake_cmd.h"
#include "cli/flake_json.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "cli/width.h"
#include "eval/error.h"
#include "eval/eval.h"
#include "flake/ref.h"
#include "format/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { O_NO_VERIFY = 10, O_MAX_AGE, O_STRICT };

enum problem {
	UNLOCKED = 1 << 0,
	CHANGED = 1 << 1,
	UNREACHABLE = 1 << 2,
	HTTP = 1 << 3,
	/* These are remarks unless --strict. */
	DUPLICATE = 1 << 4,
	INDIRECT = 1 << 5,
	OLD = 1 << 6,
};
#define REMARKS (DUPLICATE | INDIRECT | OLD)

static const struct { enum problem p; const char *name; } problem_names[] = {
	{ UNLOCKED, "unlocked" },   { CHANGED, "changed" },   { UNREACHABLE, "unreachable" }, { HTTP, "http" },
	{ DUPLICATE, "duplicate" }, { INDIRECT, "indirect" }, { OLD, "old" },
};

/* On the collected heap. */
struct row {
	const char *path; /* "a/b" */
	const struct lock_node *node;
	const char *pin, *source; /* source: without what pins it */
	const char *found;	  /* the hash that is there now, or why there is none */
	const char *twin;	  /* the other input of the same source, */
	int is_second;		  /* which comes before this one */
	int64_t age;		  /* days, -1 unknown */
	int verified;		  /* looked at, and it was right */
	unsigned problems;
};

struct audit {
	struct flake_cmd f; /* first: options get it */
	int no_verify, strict;
	int64_t max_age; /* days, 0: any */
	struct row *rows;
	size_t n, cap;
	size_t errors, remarks;
};

/* --- looking at one --- */

static const char *pin_of(const struct input *in)
{
	const char *rev = source_get(in, "rev"), *hash = source_get(in, "narHash");
	struct buf b = BUF_GC;

	if (input_is_relative(in))
		return "part of the flake";
	if (!rev && !hash)
		return "nothing";
	buf_addf(&b, "%s%.*s", rev ? "rev " : "", rev ? 12 : 19, rev ? rev : hash);
	return b.p;
}

/* What is left without pins says where it comes from. */
static const char *bare_source(const struct input *in)
{
	struct input bare = { 0 };

	for (size_t i = 0; i < in->n; i++)
		if (!slice_in_words(in->a[i].name,
				    "rev revCount narHash lastModified ref dir dirtyRev dirtyShortRev __final version"))
			input_set(&bare, &in->a[i], flake_arena());
	return flake_ref_text(&bare);
}

static int is_unencrypted(const char *source)
{
	size_t n = strcspn(source, ":");
	const char *plus = memchr(source, '+', n);
	struct slice scheme = { plus ? plus + 1 : source, n - (plus ? (size_t)(plus + 1 - source) : 0) };

	return slice_in_words(scheme, "http git ftp");
}

struct fetching {
	struct input in;
	const struct flake_tree *t;
};

static void fetch(void *arg)
{
	struct fetching *f = arg;

	f->t = source_fetch(&f->in);
}

/* Fetches it as if its hash were not known. */
static void verify(struct row *r)
{
	struct fetching f = { .t = NULL };
	const char *want = source_get(&r->node->locked, "narHash");
	char text[HASH_TEXT_MAX];
	struct failure why;
	struct hash h;

	for (size_t i = 0; i < r->node->locked.n; i++)
		if (!slice_in_words(r->node->locked.a[i].name, "narHash lastModified revCount __final"))
			input_set(&f.in, &r->node->locked.a[i], flake_arena());
	if (input_where(&f.in) == INPUT_WITH_PROGRAM)
		f.in = r->node->locked;
	if (!unwind_run(fetch, &f, &why, TRACE_NONE)) {
		if (eval_settings.offline)
			return;
		r->problems |= UNREACHABLE;
		r->found = w_is_str(why.msg) ? w_get_str(why.msg)->b : "it cannot be fetched";
		return;
	}
	if (!want || hash_parse(want, strlen(want), HASH_SHA256, &h, NULL, NULL))
		return;
	r->verified = hash_eq(&h, &f.t->hash);
	if (r->verified)
		return;
	r->problems |= CHANGED;
	size_t n = hash_print(&f.t->hash, HASH_SRI, 1, text);
	r->found = arena_dup(flake_arena(), text, n);
}

static int64_t age_of(const struct input *in)
{
	const struct input_attr *at = input_get(in, "lastModified");
	int64_t now = (int64_t)time(NULL);

	if (!at || at->type != INPUT_INT || at->i > (uint64_t)now)
		return at ? 0 : -1;
	return (now - (int64_t)at->i) / (24 * 60 * 60);
}

static void look(struct audit *a, struct row *r)
{
	const struct input *in = &r->node->locked, *original = &r->node->original;

	r->pin = pin_of(in);
	r->source = input_is_relative(in) ? flake_ref_text(in) : bare_source(in);
	r->age = age_of(in);
	if (input_is_relative(in))
		return;
	if (!input_is_locked(in) || (!source_get(in, "rev") && !source_get(in, "narHash")))
		r->problems |= UNLOCKED;
	if (is_unencrypted(r->source))
		r->problems |= HTTP;
	if (registry_is_name(original) && input_where(in) != INPUT_WITH_PROGRAM)
		r->problems |= INDIRECT;
	if (a->max_age && r->age > a->max_age)
		r->problems |= OLD;
	if (!a->no_verify && !(r->problems & UNLOCKED))
		verify(r);
}

/* --- all of them --- */

static void take(void *arg, const struct input_path *p, const struct lock_edge *edge)
{
	struct audit *a = arg;
	struct buf path = BUF_GC;

	if (!edge->node)
		return;
	MEM_GROW(a->rows, a->n + 1, a->cap);
	input_path_add(&path, p);
	a->rows[a->n++] = (struct row){ .path = path.p, .node = edge->node };
}

static void find_duplicates(struct audit *a)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < i && !a->rows[i].twin; k++) {
			struct row *r = &a->rows[i], *other = &a->rows[k];
			if (input_is_relative(&r->node->locked) || strcmp(r->source, other->source) ||
			    flake_ref_same(&r->node->locked, &other->node->locked))
				continue;
			r->problems |= DUPLICATE;
			other->problems |= DUPLICATE;
			r->twin = other->path;
			r->is_second = 1;
			other->twin = other->twin ? other->twin : r->path;
		}
}

static void count(struct audit *a)
{
	for (size_t i = 0; i < a->n; i++) {
		unsigned p = a->rows[i].problems;
		a->errors += (p & ~(unsigned)REMARKS) != 0;
		a->remarks += (p & REMARKS) != 0;
	}
}

/* --- printing --- */

static void add_problems(struct buf *b, const struct row *r)
{
	int n = 0;

	for (size_t i = 0; i < sizeof problem_names / sizeof *problem_names; i++)
		if (r->problems & problem_names[i].p)
			buf_addf(b, "%s\"%s\"", n++ ? "," : "", problem_names[i].name);
}

static void add_json(struct buf *b, const struct audit *a)
{
	buf_addf(b, "{\"errors\":%zu,\"inputs\":[", a->errors);
	for (size_t i = 0; i < a->n; i++) {
		const struct row *r = &a->rows[i];
		buf_adds(b, i ? ",{" : "{");
		if (r->age >= 0)
			flake_json_number(b, "ageDays", (uint64_t)r->age);
		flake_json_text(b, "duplicateOf", r->twin);
		flake_json_text(b, "found", r->found);
		flake_json_text(b, "input", r->path);
		buf_adds(b, "\"locked\":");
		flake_json_input(b, &r->node->locked);
		buf_adds(b, ",\"original\":");
		flake_json_input(b, &r->node->original);
		buf_addc(b, ',');
		flake_json_text(b, "pin", r->pin);
		buf_adds(b, "\"problems\":[");
		add_problems(b, r);
		buf_adds(b, "],");
		flake_json_text(b, "source", r->source);
		buf_addf(b, "\"verified\":%s}", r->verified ? "true" : r->problems & (CHANGED | UNREACHABLE) ? "false" : "null");
	}
	buf_addf(b, "],\"remarks\":%zu}\n", a->remarks);
}

static const char *age_text(const struct row *r)
{
	struct buf b = BUF_GC;

	if (r->age < 0)
		return "-";
	buf_addf(&b, "%lld d", (long long)r->age);
	return b.p;
}

static const char *state_text(const struct row *r)
{
	return r->problems & CHANGED ? "changed" : r->problems & UNREACHABLE ? "unreachable" : r->verified ? "same" : "-";
}

enum { COLUMNS = 5 };

static void cells(const struct row *r, const char *out[COLUMNS])
{
	out[0] = r ? r->path : "INPUT";
	out[1] = r ? r->pin : "PIN";
	out[2] = r ? age_text(r) : "AGE";
	out[3] = r ? state_text(r) : "NOW";
	out[4] = r ? r->source : "FROM";
}

static void add_table(struct buf *b, const struct audit *a)
{
	size_t width[COLUMNS] = { 0 };
	const char *cell[COLUMNS];

	for (size_t i = 0; i <= a->n; i++) {
		cells(i ? &a->rows[i - 1] : NULL, cell);
		for (size_t k = 0; k < COLUMNS; k++)
			if (width_of(slice_of(cell[k])) > width[k])
				width[k] = width_of(slice_of(cell[k]));
	}
	for (size_t i = 0; i <= a->n; i++) {
		cells(i ? &a->rows[i - 1] : NULL, cell);
		for (size_t k = 0; k < COLUMNS; k++)
			buf_addf(b, "%s%*s", cell[k], k + 1 < COLUMNS ? (int)(width[k] - width_of(slice_of(cell[k])) + 2) : 0, "");
		buf_addc(b, '\n');
	}
}

static void add_notes(struct buf *b, const struct row *r)
{
	if (r->problems & UNLOCKED)
		buf_addf(b, "error: '%s' is not locked: nothing names its state\n", r->path);
	if (r->problems & CHANGED)
		buf_addf(b, "error: '%s' is not what was locked: its hash was %s and is %s\n", r->path,
			 source_get(&r->node->locked, "narHash"), r->found);
	if (r->problems & UNREACHABLE)
		buf_addf(b, "error: '%s' cannot be fetched: %s\n", r->path, r->found);
	if (r->problems & HTTP)
		buf_addf(b, "error: '%s' comes without encryption, so anybody on the way can hold it back or replace it\n",
			 r->path);
	if (r->is_second)
		buf_addf(b, "remark: '%s' and '%s' are one source with two pins; inputs.X.inputs.Y.follows makes them one\n",
			 r->twin, r->path);
	if (r->problems & INDIRECT)
		buf_addf(b, "remark: '%s' is a name, and what it means is up to a registry; an address in the flake is not\n",
			 r->path);
	if (r->problems & OLD)
		buf_addf(b, "remark: '%s' is %lld days old\n", r->path, (long long)r->age);
}

static void audit(struct flake_cmd *f, struct buf *b)
{
	/* Rows are collected memory, so that what holds them has to be on this stack. */
	struct audit here = *(struct audit *)f, *a = &here;
	const char *fragment;

	f->eval.flake_options.no_write = 1;
	const struct locked_flake *lf = flake_options_open(&f->eval.flake_options, flake_cmd_ref(f), &fragment);
	lockfile_each(&lf->lock, take, a);
	for (size_t i = 0; i < a->n; i++)
		look(a, &a->rows[i]);
	find_duplicates(a);
	count(a);
	f->failed = a->errors || (a->strict && a->remarks);
	if (f->c.json) {
		add_json(b, a);
		return;
	}
	if (a->n)
		add_table(b, a);
	for (size_t i = 0; i < a->n; i++)
		add_notes(b, &a->rows[i]);
	buf_addf(b, "%zu input%s, %zu with errors, %zu with remarks\n", a->n, a->n == 1 ? "" : "s", a->errors, a->remarks);
}

static int on_option(void *arg, int id, char **values)
{
	struct audit *a = arg;
	char *end;

	switch (id) {
	case O_NO_VERIFY: a->no_verify = 1; return 0;
	case O_STRICT: a->strict = 1; return 0;
	case O_MAX_AGE:
		errno = 0;
		a->max_age = strtoll(values[0], &end, 10);
		if (errno || *end || a->max_age <= 0)
			return usage_error(a->f.c.program, "--max-age wants a number of days, not '%s'", values[0]);
		return 0;
	}
	return flake_cmd_option(&a->f, id, values);
}

int flake_audit_run(int argc, char **argv)
{
	static const struct option options[] = {
		OPTION_JSON,
		{ O_NO_VERIFY, 0, "no-verify", NULL, "Fetch nothing: only read the lock file." },
		{ O_MAX_AGE, 0, "max-age", "DAYS", "Remark on inputs that are older." },
		{ O_STRICT, 0, "strict", NULL, "Let remarks count as errors." },
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options },
						      FLAKE_CMD_GROUPS,
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = { "gx flake audit", "look at all that a flake depends on",
						"gx flake audit [options] [FLAKE]",
						"Each input: what pins it, how old it is, where it comes from, and whether what is "
						"there now is what was locked. Errors, "
						"which make the exit status 1: unlocked, changed, unreachable, without encryption. "
						"Remarks: one source with several "
						"pins, names of registries, age.",
						groups };
	struct audit a = { .f.c = { .program = &program, .option = on_option, .arg = &a } };
	int rc = command_read(&a.f.c, argc, argv, 0, 1, "at most one flake");

	return rc != COMMAND_GO ? rc : flake_cmd_run(&a.f, audit);
}

/* SPDX-License-Identifier: MIT
 *
 * gx std audit: what gx:std has of Debian beside what Debian has now, as apt knows it on this machine.
 *
 * apt is asked, since it has checked its lists; what it was told of other releases does not count, so on a machine of another one
 * there is nothing to compare with, which is said.
 */
#include "config.h"
#include "base/mem.h"
#include "base/words.h"
#include "cli/apt.h"
#include "cli/flake_cmd.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "flake/call.h"
#include "format/debversion.h"

#include <stdlib.h>
#include <string.h>

#define RELEASE "bookworm"

/* A package: what is pinned, and the newest that apt knows. */
struct pinned {
	struct slice name, version;
	struct slice newest; /* n is 0: it knows none */
	int security;	     /* that is a security update */
};

struct audit {
	struct pinned *v;
	size_t n, known, behind, security;
	struct buf text; /* what apt said; the versions are in it */
};

/* --- what is pinned --- */

/* A name and a version a line. */
static void read_pinned(struct audit *a, W outputs)
{
	W *systems = attrs_find_c(outputs, "legacyPackages");
	W *set = systems ? attrs_find_c(want_attrs(force_at(systems), "legacyPackages"), eval_settings.system) : NULL;
	W *versions = set ? attrs_find_c(want_attrs(force_at(set), "packages"), "debianVersions") : NULL;
	size_t room = 0;

	if (!versions)
		throw_error(EK_EVAL, "gx:std has nothing of Debian for '%s'", eval_settings.system);
	struct str *s = want_string(force_at(versions), "debianVersions");
	struct slice text = { s->b, s->len };

	while (text.n) {
		struct slice line = slice_cut(&text, '\n');

		MEM_GROW(a->v, a->n + 1, room);
		a->v[a->n].name = slice_cut(&line, ' ');
		a->v[a->n++].version = line;
	}
}

/* --- what apt knows --- */

static struct slice trimmed(struct slice s)
{
	while (s.n && *s.p == ' ')
		s.p++, s.n--;
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

static int by_name(const void *a, const void *b)
{
	return slice_cmp(((const struct pinned *)a)->name, ((const struct pinned *)b)->name);
}

/* "name | version | address suite/component architecture Packages", of which there are more for a package. */
static void take_line(struct audit *a, struct slice line)
{
	struct pinned key = { .name = trimmed(slice_cut(&line, '|')) }, *p;
	struct slice version = trimmed(slice_cut(&line, '|')), rest = trimmed(line), suite;

	slice_cut(&rest, ' ');
	suite = slice_cut(&rest, '/');
	p = slice_starts(suite, SLICE(RELEASE)) ? bsearch(&key, a->v, a->n, sizeof *a->v, by_name) : NULL;
	if (!p || (p->newest.n && debversion_cmp(version, p->newest) <= 0))
		return;
	p->newest = version;
	p->security = slice_ends(suite, SLICE("-security"));
}

static int ask_apt(struct audit *a, struct err *e)
{
	struct words names = { 0 };
	int rc;

	for (size_t i = 0; i < a->n; i++)
		words_addf(&names, "%.*s", (int)a->v[i].name.n, a->v[i].name.p);
	rc = apt_versions(&names, &a->text, e);
	words_release(&names);
	return rc;
}

static int is_behind(const struct pinned *p)
{
	return p->newest.n && debversion_cmp(p->version, p->newest) < 0;
}

static void compare(struct audit *a)
{
	struct slice text = { buf_str(&a->text), a->text.len };

	while (text.n)
		take_line(a, slice_cut(&text, '\n'));
	for (size_t i = 0; i < a->n; i++) {
		a->known += a->v[i].newest.n > 0;
		a->behind += (size_t)is_behind(&a->v[i]);
		a->security += is_behind(&a->v[i]) && a->v[i].security;
	}
}

/* --- what is said of it --- */

static void add_member(struct buf *b, const char *name, struct slice text)
{
	buf_addf(b, "\"%s\":", name);
	output_json_string(b, text.p, text.n);
}

static void add_json(struct buf *b, const struct audit *a)
{
	const char *comma = "";

	buf_addf(b, "{\"behind\":[");
	for (size_t i = 0; i < a->n; i++)
		if (is_behind(&a->v[i])) {
			buf_addf(b, "%s{", comma);
			add_member(b, "name", a->v[i].name);
			buf_addc(b, ',');
			add_member(b, "pinned", a->v[i].version);
			buf_addf(b, ",\"security\":%s,", a->v[i].security ? "true" : "false");
			add_member(b, "version", a->v[i].newest);
			buf_addc(b, '}');
			comma = ",";
		}
	buf_addf(b, "],\"compared\":%zu}\n", a->known);
}

static void add_line(struct buf *b, const struct pinned *p)
{
	buf_addf(b, "%.*s %.*s: there is ", (int)p->name.n, p->name.p, (int)p->version.n, p->version.p);
	buf_addf(b, "%.*s%s\n", (int)p->newest.n, p->newest.p, p->security ? ", a security update" : "");
}

static void add_text(struct buf *b, const struct audit *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (is_behind(&a->v[i]))
			add_line(b, &a->v[i]);
	buf_addf(b, "%zu packages compared, %zu behind, %zu of them security updates\n", a->known, a->behind, a->security);
}

static void evaluate(struct flake_cmd *f, struct buf *out)
{
	const char *fragment;
	struct audit a = { 0 };
	struct err e = ERR_INIT;

	read_pinned(&a, flake_root_outputs(flake_options_open(&f->eval.flake_options, "gx:std", &fragment)));
	if (a.n)
		qsort(a.v, a.n, sizeof *a.v, by_name);
	if (ask_apt(&a, &e)) {
		buf_release(&a.text);
		err_prefix(&e, "apt cannot be asked");
		throw_err(&e);
	}
	compare(&a);
	if (a.known)
		(f->c.json ? add_json : add_text)(out, &a);
	f->failed = a.behind > 0;
	buf_release(&a.text);
	if (!a.known)
		throw_error(EK_EVAL, "apt knows nothing of Debian 12 ('" RELEASE
				     "') on this machine, or its lists are not there yet");
}

static int audit_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_JSON, { 0 } };
	static const struct option_group groups[] = { { "Options", options },
						      FLAKE_CMD_GROUPS,
						      { "The store", command_store_options },
						      { NULL, NULL } };
	static const struct program program = {
		"gx std audit", "compare what gx:std has of Debian with Debian", "gx std audit [options]",
		"Names the packages of Debian in gx:std of which apt, on this machine, knows a newer version; status 1 where "
		"there is one. 'apt-get update' brings apt's lists up to date; a newer gx, or scripts/update-debian in its source, "
		"brings newer packages.",
		groups
	};
	struct flake_cmd f = { .all_systems = 0 };
	int rc = flake_cmd_read(&f, &program, argc, argv, 0, NULL);

	if (rc != COMMAND_GO)
		return rc;
	if (f.c.n)
		return command_end(&f.c, usage_error(&program, "no operand is wanted"));
	return flake_cmd_run(&f, evaluate);
}

const struct verb std_verbs[] = {
	{ "audit", "compare what gx:std has of Debian with Debian", audit_run, NULL },
	{ NULL, NULL, NULL, NULL },
};

/* SPDX-License-Identifier: MIT
 *
 * gx path-info: rows of the database, in the forms of `nix path-info` (2.8: a JSON list).
 */
#include "config.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

enum { O_RECURSIVE = 1, O_SIZE, O_CLOSURE, O_HUMAN, O_SIGS, O_ALL };

struct info_command {
	struct named n; /* first: options get it */
	int recursive, size, closure, human, sigs, all;
};

static int on_option(struct named *n, int id, char **values)
{
	struct info_command *i = (struct info_command *)n;

	(void)values;
	switch (id) {
	case O_RECURSIVE: i->recursive = 1; break;
	case O_SIZE: i->size = 1; break;
	case O_CLOSURE: i->closure = 1; break;
	case O_HUMAN: i->human = 1; break;
	case O_SIGS: i->sigs = 1; break;
	case O_ALL: i->all = 1; break;
	}
	return 0;
}

static const struct option options[] = {
	{ O_ALL, 0, "all", NULL, "All objects of the store." },
	{ O_RECURSIVE, 'r', "recursive", NULL, "Also everything the objects refer to." },
	{ O_SIZE, 's', "size", NULL, "Show the size of each object's archive." },
	{ O_CLOSURE, 'S', "closure-size", NULL, "Show the size of each object with all it refers to." },
	{ O_HUMAN, 'H', "human-readable", NULL, "With -s and -S: sizes in K, M, G." },
	{ O_SIGS, 0, "sigs", NULL, "Show signatures, and what else vouches for an object." },
	OPTION_JSON,
	{ 0 }
};

/* --- JSON --- */

static void add_path_string(struct info_command *i, struct buf *b, const struct store_path *p)
{
	struct buf full = BUF_INIT;

	store_add_path(i->n.c.store, &full, p);
	output_json_string(b, full.p, full.len);
	buf_release(&full);
}

static void add_words(struct buf *b, const char *words)
{
	buf_addc(b, '[');
	for (const char *s = words; *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");
		if (s != words)
			buf_addc(b, ',');
		output_json_string(b, s, n);
		s += n;
	}
	buf_addc(b, ']');
}

static void add_json(struct info_command *i, struct buf *b, const struct path_info *info, uint64_t closure)
{
	buf_adds(b, "{\"path\":");
	add_path_string(i, b, &info->path);
	buf_adds(b, ",\"narHash\":\"");
	hash_add(b, &info->nar_hash, HASH_SRI, 1);
	buf_addf(b, "\",\"narSize\":%llu,\"references\":[", (unsigned long long)info->nar_size);
	for (size_t k = 0; k < info->refs.n; k++) {
		if (k)
			buf_addc(b, ',');
		add_path_string(i, b, &info->refs.v[k]);
	}
	buf_addc(b, ']');
	if (info->ca) {
		buf_adds(b, ",\"ca\":");
		output_json_string(b, info->ca, strlen(info->ca));
	}
	if (i->closure)
		buf_addf(b, ",\"closureSize\":%llu", (unsigned long long)closure);
	if (info->deriver.len) {
		buf_adds(b, ",\"deriver\":");
		add_path_string(i, b, &info->deriver);
	}
	if (info->registered)
		buf_addf(b, ",\"registrationTime\":%lld", (long long)info->registered);
	if (info->ultimate)
		buf_adds(b, ",\"ultimate\":true");
	if (info->sigs) {
		buf_adds(b, ",\"signatures\":");
		add_words(b, info->sigs);
	}
	buf_addc(b, '}');
}

/* --- text --- */

static void add_size(struct info_command *i, struct buf *b, uint64_t size)
{
	static const char units[] = " KMGTPEZY";
	double shown = (double)size;
	int power = 0;

	if (!i->human) {
		buf_addf(b, "\t%11llu", (unsigned long long)size);
		return;
	}
	for (; shown > 1024 && units[power + 1]; power++)
		shown /= 1024;
	buf_addf(b, "\t%6.1f%c", shown, units[power]);
}

static void add_text(struct info_command *i, struct buf *b, const struct path_info *info, uint64_t closure, int width)
{
	store_add_path(i->n.c.store, b, &info->path);
	if (i->size || i->closure || i->sigs)
		buf_addf(b, "%*s", width - info->path.len, "");
	if (i->size)
		add_size(i, b, info->nar_size);
	if (i->closure)
		add_size(i, b, closure);
	if (i->sigs) {
		const char *gap = "\t";
		if (info->ultimate) {
			buf_addf(b, "%sultimate", gap);
			gap = " ";
		}
		if (info->ca) {
			buf_addf(b, "%sca:%s", gap, info->ca);
			gap = " ";
		}
		buf_addf(b, "%s%s", gap, info->sigs ? info->sigs : "");
		while (b->len && b->p[b->len - 1] == ' ')
			buf_trim(b, b->len - 1);
	}
	buf_addc(b, '\n');
}

/* --- which --- */

/* Each before those that refer to it. */
static int in_order(struct info_command *i, const struct path_set *set, struct path_set *out, struct err *e)
{
	size_t *order;
	int rc = store_order(i->n.c.store, set->v, set->n, &order, e);

	for (size_t k = 0; !rc && k < set->n; k++)
		path_set_push(out, &set->v[order[k]]);
	free(order);
	return rc;
}

static int choose(struct info_command *i, const struct path_set *named, struct path_set *out, struct err *e)
{
	struct path_set set = PATH_SET_INIT;
	int rc = i->all ? db_all(store_db(i->n.c.store), &set, e) : 0;

	for (size_t k = 0; !rc && k < named->n; k++)
		if (i->recursive)
			rc = store_closure(i->n.c.store, &named->v[k], 0, &set, e);
		else
			path_set_add(&set, &named->v[k]);
	if (!rc)
		rc = in_order(i, &set, out, e);
	path_set_release(&set);
	return rc;
}

static int add_all(struct info_command *i, const struct path_set *paths, struct buf *b, struct err *e)
{
	int width = 0, rc = 0;

	for (size_t k = 0; k < paths->n; k++)
		if (paths->v[k].len > width)
			width = paths->v[k].len;
	if (i->n.c.json)
		buf_addc(b, '[');
	for (size_t k = 0; !rc && k < paths->n; k++) {
		struct path_info info;
		uint64_t closure = 0;
		rc = db_info(store_db(i->n.c.store), &paths->v[k], &info, e);
		if (rc)
			break;
		if (i->closure)
			rc = store_closure_size(i->n.c.store, &paths->v[k], &closure, NULL, e);
		if (i->n.c.json && k)
			buf_addc(b, ',');
		if (i->n.c.json)
			add_json(i, b, &info, closure);
		else
			add_text(i, b, &info, closure, width);
		path_info_release(&info);
	}
	if (i->n.c.json)
		buf_adds(b, "]\n");
	return rc;
}

static int print(struct info_command *i, const struct path_set *named)
{
	struct path_set paths = PATH_SET_INIT;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int rc = choose(i, named, &paths, &e);

	if (!rc)
		rc = add_all(i, &paths, &b, &e);
	path_set_release(&paths);
	if (!rc)
		return command_print(&b);
	buf_release(&b);
	return command_fail(&e);
}

int path_info_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", options },
						      { "What to evaluate", value_option_table },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { 0 } };
	static const struct program program = { "gx path-info", "what the store knows about its objects",
						"gx path-info [options] PATH | FLAKE#ATTR[^OUTPUT,...] ...\n"
						"gx path-info [options] --all",
						"Of a package its outputs, which need to be there: nothing is built.", groups };
	struct info_command i = { .n.option = on_option };
	struct path_set named = PATH_SET_INIT;
	int rc = named_read(&i.n, &program, argc, argv, 0, 0, "a path");

	if (rc != COMMAND_GO)
		return rc;
	if (i.all == (i.n.c.n > 0 || value_options_given(&i.n.eval)))
		rc = usage_error(&program, i.all ? "with --all no path is named" : "'gx path-info' needs a path");
	else
		rc = named_find(&i.n, 0, &named);
	rc = rc ? rc : print(&i, &named);
	path_set_release(&named);
	return command_end(&i.n.c, rc);
}

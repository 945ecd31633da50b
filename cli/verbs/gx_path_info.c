/* SPDX-License-Identifier: MIT
 *
 * gx path-info: rows of the database, in the forms of `nix path-info`: as JSON a list (as to 2.18), or a set by path (--json-format
 * 1, as from 2.19 on) or by name (2).
 */
#include "config.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

enum { O_RECURSIVE = 1, O_SIZE, O_CLOSURE, O_HUMAN, O_SIGS, O_ALL, O_FORMAT, O_STDIN, O_DRVS };

struct info_command {
	struct named n; /* first: options get it */
	int recursive, size, closure, human, sigs, all, format, from_stdin, drvs;
};

static int on_option(struct named *n, int id, char **values)
{
	struct info_command *i = (struct info_command *)n;

	switch (id) {
	case O_RECURSIVE: i->recursive = 1; break;
	case O_SIZE: i->size = 1; break;
	case O_CLOSURE: i->closure = 1; break;
	case O_HUMAN: i->human = 1; break;
	case O_SIGS: i->sigs = 1; break;
	case O_ALL: i->all = 1; break;
	case O_FORMAT:
		if (strcmp(values[0], "1") && strcmp(values[0], "2"))
			return usage_error(n->c.program, "the JSON format '%s' is neither 1 nor 2", values[0]);
		i->format = *values[0] - '0';
		break;
	case O_STDIN: i->from_stdin = 1; break;
	case O_DRVS: i->drvs = 1; break;
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
	{ O_DRVS, 0, "derivation", NULL, "Of packages their derivations, not their outputs." },
	OPTION_JSON,
	{ O_FORMAT, 0, "json-format", "N",
	  "With --json: a set instead of a list; 1: by paths; 2: by names. What is not valid is null in it." },
	{ O_STDIN, 0, "stdin", NULL, "Read more paths from standard input, one a line." },
	{ 0 }
};

/* --- JSON --- */

/* A path: in full, or in format 2 its name alone. */
static void add_path_string(struct info_command *i, struct buf *b, const struct store_path *p)
{
	struct buf full = BUF_INIT;

	if (i->format == 2)
		buf_adds(&full, p->base);
	else
		store_add_path(i->n.c.store, &full, p);
	output_json_string(b, full.p, full.len);
	buf_release(&full);
}

static void add_store_dir(struct info_command *i, struct buf *b)
{
	buf_adds(b, ",\"storeDir\":");
	output_json_string(b, store_dir(i->n.c.store).p, store_dir(i->n.c.store).n);
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

static void add_ca(struct info_command *i, struct buf *b, const char *ca)
{
	struct hash h;
	enum ca_method m;

	if (i->format != 2 || ca_parse(slice_of(ca), &m, &h, NULL)) {
		output_json_string(b, ca, strlen(ca));
		return;
	}
	buf_adds(b, "{\"hash\":\"");
	hash_add(b, &h, HASH_SRI, 1);
	buf_addf(b, "\",\"method\":\"%s\"}", ca_method_name(m));
}

static void add_references(struct info_command *i, struct buf *b, const struct path_set *refs)
{
	buf_adds(b, ",\"references\":[");
	for (size_t k = 0; k < refs->n; k++) {
		if (k)
			buf_addc(b, ',');
		add_path_string(i, b, &refs->v[k]);
	}
	buf_addc(b, ']');
}

/* All members are there, in the order of their names. */
static void add_set_member(struct info_command *i, struct buf *b, const struct path_info *info, uint64_t closure)
{
	buf_adds(b, "{\"ca\":");
	if (info->ca)
		add_ca(i, b, info->ca);
	else
		buf_adds(b, "null");
	if (i->closure)
		buf_addf(b, ",\"closureSize\":%llu", (unsigned long long)closure);
	buf_adds(b, ",\"deriver\":");
	if (info->deriver.len)
		add_path_string(i, b, &info->deriver);
	else
		buf_adds(b, "null");
	buf_adds(b, ",\"narHash\":\"");
	hash_add(b, &info->nar_hash, HASH_SRI, 1);
	buf_addf(b, "\",\"narSize\":%llu", (unsigned long long)info->nar_size);
	add_references(i, b, &info->refs);
	buf_addf(b, ",\"registrationTime\":%lld,\"signatures\":", (long long)info->registered);
	add_words(b, info->sigs ? info->sigs : "");
	add_store_dir(i, b);
	buf_addf(b, ",\"ultimate\":%s,\"version\":%d}", info->ultimate ? "true" : "false", i->format);
}

static void add_list_element(struct info_command *i, struct buf *b, const struct path_info *info, uint64_t closure)
{
	buf_adds(b, "{\"path\":");
	add_path_string(i, b, &info->path);
	buf_adds(b, ",\"narHash\":\"");
	hash_add(b, &info->nar_hash, HASH_SRI, 1);
	buf_addf(b, "\",\"narSize\":%llu", (unsigned long long)info->nar_size);
	add_references(i, b, &info->refs);
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

static void add_json(struct info_command *i, struct buf *b, const struct path_info *info, uint64_t closure)
{
	if (!i->format) {
		add_list_element(i, b, info, closure);
		return;
	}
	add_path_string(i, b, &info->path);
	buf_addc(b, ':');
	add_set_member(i, b, info, closure);
}

static void begin_json(struct info_command *i, struct buf *b)
{
	buf_adds(b, !i->format ? "[" : i->format == 1 ? "{" : "{\"info\":{");
}

static void end_json(struct info_command *i, struct buf *b)
{
	buf_adds(b, i->format ? "}" : "]");
	if (i->format == 2) {
		add_store_dir(i, b);
		buf_adds(b, ",\"version\":2}");
	}
	buf_addc(b, '\n');
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

/* A set has null for what is not valid: taken from `named`, added to the text. */
static int take_invalid(struct info_command *i, const struct path_set *named, struct path_set *valid, struct buf *b, struct err *e)
{
	for (size_t k = 0; k < named->n; k++) {
		int there = i->n.c.json && i->format ? store_is_valid(i->n.c.store, &named->v[k], e) : 1;

		if (there < 0)
			return there;
		if (there) {
			path_set_push(valid, &named->v[k]);
			continue;
		}
		if (b->len)
			buf_addc(b, ',');
		add_path_string(i, b, &named->v[k]);
		buf_adds(b, ":null");
	}
	return 0;
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
	for (size_t k = 0; !rc && k < paths->n; k++) {
		struct path_info info;
		uint64_t closure = 0;
		rc = db_info(store_db(i->n.c.store), &paths->v[k], &info, e);
		if (rc)
			break;
		if (i->closure)
			rc = store_closure_size(i->n.c.store, &paths->v[k], &closure, NULL, e);
		if (i->n.c.json && b->len)
			buf_addc(b, ',');
		if (i->n.c.json)
			add_json(i, b, &info, closure);
		else
			add_text(i, b, &info, closure, width);
		path_info_release(&info);
	}
	return rc;
}

static int print(struct info_command *i, const struct path_set *named)
{
	struct path_set paths = PATH_SET_INIT, valid = PATH_SET_INIT;
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT, json = BUF_INIT;
	int rc = take_invalid(i, named, &valid, &b, &e);

	rc = rc ? rc : choose(i, &valid, &paths, &e);
	if (!rc)
		rc = add_all(i, &paths, &b, &e);
	path_set_release(&valid);
	path_set_release(&paths);
	if (!rc && i->n.c.json) {
		begin_json(i, &json);
		buf_add(&json, b.p, b.len);
		end_json(i, &json);
	}
	rc = rc ? command_fail(&e) : command_print(i->n.c.json ? &json : &b);
	buf_release(&json);
	buf_release(&b);
	return rc;
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
	if (i.from_stdin && command_add_stdin(&i.n.c))
		return command_end(&i.n.c, EXIT_FAILED);
	if (!i.from_stdin && i.all == (i.n.c.n > 0 || value_options_given(&i.n.eval)))
		rc = usage_error(&program, i.all ? "with --all no path is named" : "'gx path-info' needs a path");
	else
		rc = named_find(&i.n, i.drvs, &named);
	rc = rc ? rc : print(&i, &named);
	path_set_release(&named);
	return command_end(&i.n.c, rc);
}

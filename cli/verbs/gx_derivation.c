/* SPDX-License-Identifier: MIT
 *
 * gx derivation: derivations as JSON, in the form of `nix show-derivation` (2.8) or in a newer one, and back.
 */
#include "config.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "cli/drv_add.h"
#include "cli/drv_json.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "cli/view.h"
#include "format/drv.h"
#include "store/object.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { O_RECURSIVE = 1, O_FORMAT };

struct show_command {
	struct named n; /* first: options get it */
	int recursive, newest;
};

static int on_option(struct named *n, int id, char **values)
{
	struct show_command *s = (struct show_command *)n;

	s->recursive |= id == O_RECURSIVE;
	if (id == O_FORMAT)
		s->newest = !strcmp(values[0], "4");
	if (id == O_FORMAT && !s->newest && strcmp(values[0], "0"))
		return usage_error(n->c.program, "the JSON format '%s' is neither 0 nor 4", values[0]);
	return 0;
}

/* --- JSON with two blanks a level, and nothing between the brackets of an empty set --- */

struct printer {
	struct buf *b;
	int level;
	int first;
};

static void newline(struct printer *p)
{
	buf_addf(p->b, "%s\n%*s", p->first ? "" : ",", p->level * 2, "");
	p->first = 0;
}

static void key(struct printer *p, struct slice name)
{
	newline(p);
	output_json_string(p->b, name.p, name.n);
	buf_adds(p->b, ": ");
}

static void string(struct printer *p, struct slice s)
{
	output_json_string(p->b, s.p, s.n);
}

static void opening(struct printer *p, char c)
{
	buf_addc(p->b, c);
	p->level++;
	p->first = 1;
}

static void closing(struct printer *p, char c)
{
	p->level--;
	if (!p->first)
		buf_addf(p->b, "\n%*s", p->level * 2, "");
	buf_addc(p->b, c);
	p->first = 0;
}

static void strings(struct printer *p, struct slice name, const struct slice *v, size_t n)
{
	key(p, name);
	opening(p, '[');
	for (size_t i = 0; i < n; i++) {
		newline(p);
		string(p, v[i]);
	}
	closing(p, ']');
}

/* --- a derivation --- */

static void output(struct printer *p, const struct drv_output *o)
{
	struct buf algo = BUF_INIT;

	key(p, o->name);
	opening(p, '{');
	if (o->path.n) {
		key(p, SLICE("path"));
		string(p, o->path);
	}
	if (o->kind == DRV_FIXED || o->kind == DRV_FLOATING || o->kind == DRV_IMPURE) {
		struct slice prefix = ca_method_prefix(o->method);
		buf_add(&algo, prefix.p, prefix.n);
		buf_adds(&algo, hash_algo_name(o->hash.algo));
		key(p, SLICE("hashAlgo"));
		string(p, (struct slice){ algo.p, algo.len });
		buf_release(&algo);
	}
	if (o->kind == DRV_FIXED) {
		key(p, SLICE("hash"));
		buf_addc(p->b, '"');
		hash_add(p->b, &o->hash, HASH_BASE16, 0);
		buf_addc(p->b, '"');
	}
	closing(p, '}');
}

static void derivation(struct printer *p, struct slice path, const struct drv *d)
{
	key(p, path);
	opening(p, '{');
	key(p, SLICE("outputs"));
	opening(p, '{');
	for (size_t i = 0; i < d->noutputs; i++)
		output(p, &d->outputs[i]);
	closing(p, '}');
	strings(p, SLICE("inputSrcs"), d->srcs, d->nsrcs);
	key(p, SLICE("inputDrvs"));
	opening(p, '{');
	for (size_t i = 0; i < d->ninputs; i++)
		strings(p, d->inputs[i].path, d->inputs[i].node.outputs, d->inputs[i].node.noutputs);
	closing(p, '}');
	key(p, SLICE("system"));
	string(p, d->system);
	key(p, SLICE("builder"));
	string(p, d->builder);
	strings(p, SLICE("args"), d->args, d->nargs);
	key(p, SLICE("env"));
	opening(p, '{');
	for (size_t i = 0; i < d->nenv; i++) {
		key(p, d->env[i].key);
		string(p, d->env[i].value);
	}
	closing(p, '}');
	closing(p, '}');
}

/* --- the same in the form of version 4 --- */

struct newest {
	struct arena a;
	struct jnode *all;
};

/* As text and back, so that nothing is borrowed from d. */
static void add_newest(struct newest *n, struct slice dir, const struct store_path *path, const struct drv *d)
{
	struct buf b = BUF_INIT;
	struct jnode *copy;

	json_tree_write(&b, drv_json_node(&n->a, dir, d));
	if (!json_tree_parse(&n->a, (struct slice){ arena_dup(&n->a, b.p, b.len), b.len }, &copy, NULL))
		json_set(n->all, store_path_base(path), copy);
	buf_release(&b);
}

static void write_newest(struct newest *n, struct buf *out)
{
	struct jnode *top = json_node(&n->a, JSON_OBJECT);
	struct buf b = BUF_INIT;

	json_set(top, SLICE("derivations"), n->all);
	json_set(top, SLICE("version"), json_int(&n->a, 4));
	json_tree_write(&b, top);
	if (isatty(STDOUT_FILENO))
		json_indent(out, (struct slice){ b.p, b.len });
	else
		buf_add(out, b.p, b.len);
	buf_addc(out, '\n');
	buf_release(&b);
}

static int show(struct command *c, struct printer *p, struct newest *newest, const struct store_path *path, struct err *e)
{
	struct buf text = BUF_INIT, full = BUF_INIT;
	struct slice name = store_path_name(path);
	struct drv d;
	int rc = store_read(c->store, path, LIMIT_DRV_TEXT, &text, e);

	store_add_path(c->store, &full, path);
	if (!rc)
		rc = drv_parse(&d, store_dir(c->store), (struct slice){ name.p, name.n - 4 },
			       (struct slice){ buf_str(&text), text.len }, e);
	if (!rc) {
		if (newest)
			add_newest(newest, store_dir(c->store), path, &d);
		else
			derivation(p, (struct slice){ full.p, full.len }, &d);
		drv_release(&d);
	} else {
		err_prefix(e, "'%s'", full.p);
	}
	buf_release(&full);
	buf_release(&text);
	return rc;
}

/* --- which --- */

/* The derivation itself, or the one that made the object. */
static int add_derivation(struct command *c, struct store_path p, int recursive, struct path_set *out, struct err *e)
{
	int rc = 0;

	if (!store_path_is_drv(&p)) {
		struct store_path object = p;
		struct path_info info;
		rc = db_info(store_db(c->store), &p, &info, e);
		if (rc)
			return rc;
		p = info.deriver;
		path_info_release(&info);
		if (!p.len)
			return err_set(e, ERR_NOTFOUND, "it is not known which derivation made '%s/%s'", c->place.store_dir,
				       object.base);
	}
	if (!rc && recursive)
		return store_closure(c->store, &p, 0, out, e);
	if (!rc) {
		int valid = store_is_valid(c->store, &p, e);
		rc = valid < 0 ? valid
		     : valid   ? 0
			       : err_set(e, ERR_NOTFOUND, "path '%s/%s' is not valid", c->place.store_dir, p.base);
	}
	if (!rc)
		path_set_add(out, &p);
	return rc;
}

static int print(struct show_command *s, const struct path_set *named)
{
	struct path_set paths = PATH_SET_INIT;
	struct command *c = &s->n.c;
	struct buf b = BUF_INIT;
	struct printer p = { .b = &b };
	struct newest newest = { .a = ARENA_INIT };
	struct err e = ERR_INIT;

	newest.all = json_node(&newest.a, JSON_OBJECT);
	for (size_t i = 0; i < named->n && !e.code; i++)
		add_derivation(c, named->v[i], s->recursive, &paths, &e);
	opening(&p, '{');
	for (size_t i = 0; i < paths.n && !e.code; i++)
		if (store_path_is_drv(&paths.v[i]))
			show(c, &p, s->newest ? &newest : NULL, &paths.v[i], &e);
	closing(&p, '}');
	buf_addc(&b, '\n');
	if (s->newest) {
		buf_trim(&b, 0);
		write_newest(&newest, &b);
	}
	arena_release(&newest.a);
	path_set_release(&paths);
	if (!e.code)
		return command_print(&b);
	buf_release(&b);
	return command_fail(&e);
}

static int show_run(int argc, char **argv)
{
	static const struct option options[] = { { O_RECURSIVE, 'r', "recursive", NULL, "Also the derivations it needs." },
						 { O_FORMAT, 0, "json-format", "N",
						   "0: the form of Nix 2.8, which gx prints as a rule; 4: its newest, which "
						   "'gx derivation add' reads." },
						 { OPT_JSON, 0, "json", NULL, NULL },
						 { 0 } };
	static const struct option_group groups[] = { { "Options", options },
						      { "What to evaluate", value_option_table },
						      { "Flakes", flake_option_table },
						      { "The store", command_store_options },
						      { 0 } };
	static const struct program program = { "gx derivation show", "print derivations as JSON",
						"gx derivation show [options] PATH | FLAKE#ATTR ...", NULL, groups };
	struct show_command s = { .n.option = on_option };
	struct path_set named = PATH_SET_INIT;
	int rc = named_read(&s.n, &program, argc, argv, 1, 0, "a path");

	if (rc != COMMAND_GO)
		return rc;
	rc = named_find(&s.n, 1, &named);
	rc = rc ? rc : print(&s, &named);
	path_set_release(&named);
	return command_end(&s.n.c, rc);
}

/* --- adding --- */

/* What the JSON says of paths of outputs against what follows from the rest. */
static int check_outputs(const struct drv *said, const struct drv *d, const struct store_path *path, struct err *e)
{
	for (size_t i = 0; i < said->noutputs; i++) {
		const struct slice s = said->outputs[i].path;
		const struct drv_output *o = drv_output(d, said->outputs[i].name);

		if (s.n && !slice_eq(s, o->path))
			return err_set(e, ERR_INVALID, "derivation '%s' has incorrect output '%.*s', should be '%.*s'", path->base,
				       (int)s.n, s.p, (int)o->path.n, o->path.p);
	}
	return 0;
}

static int read_json(struct command *c, struct arena *a, struct drv *d, struct drv *said, struct err *e)
{
	struct buf text = BUF_INIT;
	struct jnode *o;
	int rc = fd_read_all(STDIN_FILENO, &text) ? err_errno(e, "reading standard input") : 0;

	rc = rc ? rc : json_tree_parse(a, (struct slice){ arena_dup(a, buf_str(&text), text.len), text.len }, &o, e);
	buf_release(&text);
	if (rc || (rc = drv_json_read(d, store_dir(c->store), o, e)))
		return rc;
	rc = drv_json_read(said, store_dir(c->store), o, e);
	if (rc)
		drv_release(d);
	return rc;
}

static int add(struct command *c, struct drv *d, const struct drv *said, struct buf *out, struct err *e)
{
	struct buf text = BUF_INIT;
	struct store_path path;
	int rc = drv_finish_in(c->store, d, &text, &path, e);

	rc = rc ? rc : check_outputs(said, d, &path, e);
	rc = rc ? rc : drv_add(c->store, d, (struct slice){ text.p, text.len }, &path, e);
	rc = rc ? rc : view_send(c->store, &path, e);
	if (!rc) {
		store_add_path(c->store, out, &path);
		buf_addc(out, '\n');
	}
	buf_release(&text);
	return rc;
}

static int add_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "The store", command_store_options }, { 0 } };
	static const struct program program = {
		"gx derivation add", "make a derivation of JSON", "gx derivation add [options] <JSON",
		"It reads what 'gx derivation show --json-format 4' prints of one. Paths of outputs may be left out; those "
		"that are there have to be the right ones.",
		groups
	};
	struct command c = { .program = &program };
	struct arena a = ARENA_INIT;
	struct err e = ERR_INIT;
	struct buf out = BUF_INIT;
	struct drv d, said;
	int rc = command_read(&c, argc, argv, 0, COMMAND_NOTHING, NULL);

	if (rc != COMMAND_GO)
		return rc;
	rc = command_open(&c, 0);
	if (!rc && !(rc = read_json(&c, &a, &d, &said, &e) ? command_fail(&e) : 0)) {
		rc = add(&c, &d, &said, &out, &e) ? command_fail(&e) : 0;
		drv_release(&d);
		drv_release(&said);
	}
	arena_release(&a);
	int printed = command_print(&out);
	return command_end(&c, rc ? rc : printed);
}

const struct verb derivation_verbs[] = {
	{ "show", "print derivations as JSON", show_run, NULL },
	{ "add", "make a derivation of JSON", add_run, NULL },
	{ 0 }
};

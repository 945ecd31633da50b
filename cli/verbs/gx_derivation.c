/* SPDX-License-Identifier: MIT
 *
 * gx derivation show: derivations as JSON, in the form of `nix show-derivation` (2.8).
 */
#include "config.h"
#include "base/limits.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/value_options.h"
#include "cli/verb.h"
#include "format/drv.h"

#include <stdlib.h>
#include <string.h>

enum { O_RECURSIVE = 1 };

struct show_command {
	struct named n; /* first: options get it */
	int recursive;
};

static int on_option(struct named *n, int id, char **values)
{
	(void)id;
	(void)values;
	((struct show_command *)n)->recursive = 1;
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

static int show(struct command *c, struct printer *p, const struct store_path *path, struct err *e)
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
	struct err e = ERR_INIT;

	for (size_t i = 0; i < named->n && !e.code; i++)
		add_derivation(c, named->v[i], s->recursive, &paths, &e);
	opening(&p, '{');
	for (size_t i = 0; i < paths.n && !e.code; i++)
		if (store_path_is_drv(&paths.v[i]))
			show(c, &p, &paths.v[i], &e);
	closing(&p, '}');
	buf_addc(&b, '\n');
	path_set_release(&paths);
	if (!e.code)
		return command_print(&b);
	buf_release(&b);
	return command_fail(&e);
}

static int show_run(int argc, char **argv)
{
	static const struct option options[] = { { O_RECURSIVE, 'r', "recursive", NULL, "Also the derivations it needs." },
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

const struct verb derivation_verbs[] = {
	{ "show", "print derivations as JSON", show_run, NULL },
	{ 0 }
};

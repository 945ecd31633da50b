/* SPDX-License-Identifier: MIT
 *
 * A word is a package when it names a flake (cli/flake_options.h), as a folder does that is not in the store, or when -f or -E says
 * of what it is an attribute.  All packages are evaluated at once, since a process evaluates once.  The store is written to only
 * then: evaluating leaves derivations in it.
 */
#include "config.h"
#include "cli/named.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/limits.h"
#include "cli/installable.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/value_options.h"
#include "format/drv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int on_option(void *arg, int id, char **values)
{
	struct named *n = arg;

	if (id >= FLAKE_OPTION_FIRST && id < FLAKE_OPTION_LAST) {
		flake_options_take(&n->eval.flake_options, id, values);
		return 0;
	}
	if (id >= VALUE_OPTION_FIRST && id < VALUE_OPTION_LAST)
		return value_options_take(n->c.program, &n->eval, id, values);
	return n->option ? n->option(n, id, values) : 0;
}

int named_read(struct named *n, const struct program *p, int argc, char **argv, size_t min, size_t max, const char *what)
{
	n->c.program = p;
	n->c.option = on_option;
	n->c.arg = n;
	int rc = command_read(&n->c, argc, argv, 0, max, what);

	if (rc == COMMAND_GO && n->c.n < min && !value_options_given(&n->eval))
		return command_end(&n->c, usage_error(p, "'%s' needs %s", p->name, what));
	return rc;
}

/* --- which of them are packages --- */

static int is_package(const struct named *n, const char *word)
{
	size_t store = strlen(n->c.place.store_dir);
	struct stat st;
	char *real;
	int in_store;

	if (!strncmp(word, n->c.place.store_dir, store))
		return 0;
	if (strchr(word, '#') || value_options_given(&n->eval))
		return 1;
	if (stat(word, &st))
		return flake_options_is_flake(word);
	if (!S_ISDIR(st.st_mode))
		return 0;
	/* A result of gx build is a link to a folder as well. */
	real = realpath(word, NULL);
	in_store = real && !strncmp(real, n->c.place.real_store, strlen(n->c.place.real_store));
	free(real);
	return !in_store;
}

/* --- what they are --- */

static int wants(const struct build_target *t, struct slice output)
{
	for (size_t i = 0; i < t->noutputs; i++)
		if (slice_eq(t->outputs[i], output))
			return 1;
	return !t->noutputs;
}

/* Those of its outputs that are wanted. */
static int add_outputs(struct store *s, const struct build_target *t, struct path_set *out, struct err *e)
{
	struct slice name = store_path_name(&t->drv);
	struct buf text = BUF_INIT;
	struct drv d;
	int rc = store_read(s, &t->drv, LIMIT_DRV_TEXT, &text, e), parsed;

	name.n -= 4; /* ".drv" */
	rc = rc ? rc : drv_parse(&d, store_dir(s), name, (struct slice){ buf_str(&text), text.len }, e);
	parsed = !rc;
	for (size_t i = 0; !rc && i < d.noutputs; i++) {
		struct store_path p;

		if (!wants(t, d.outputs[i].name))
			continue;
		if (!d.outputs[i].path.n)
			rc = err_set(e, ERR_NOTFOUND, "where '%.*s' of '%s' will be is known only when it is built",
				     (int)d.outputs[i].name.n, d.outputs[i].name.p, t->drv.base);
		else if (!(rc = store_path_parse(store_dir(s), d.outputs[i].path, &p, e)))
			path_set_push(out, &p);
	}
	if (parsed)
		drv_release(&d);
	buf_release(&text);
	return rc;
}

static int add_package(struct named *n, const struct installable *i, int drvs, struct path_set *out, struct err *e)
{
	int rc = 0;

	if (i->path.len)
		path_set_push(out, &i->path);
	for (size_t k = 0; !rc && k < i->targets.n; k++)
		if (drvs)
			path_set_push(out, &i->targets.v[k].drv);
		else
			rc = add_outputs(n->c.store, &i->targets.v[k], out, e);
	return rc;
}

/* "…drv^out,dev" and "…drv^*": outputs of a derivation that is there. */
static int add_outputs_of(struct named *n, const char *word, const char *hat, struct path_set *out, struct err *e)
{
	struct build_targets t = { NULL, 0, 0 };
	char *drv = xstrndup(word, (size_t)(hat - word));
	struct store_path p;
	size_t before = out->n;
	int rc = store_resolve(n->c.store, drv, &p, NULL, e);

	if (!rc && !store_path_is_drv(&p))
		rc = err_set(e, ERR_INVALID, "'%s' is not a derivation: it has no outputs", drv);
	if (!rc) {
		build_targets_add(&t, &p, NULL, 0);
		rc = build_targets_name(&t, 0, hat + 1) ? err_set(e, ERR_INVALID, "'%s' names no output", word) :
							  add_outputs(n->c.store, &t.v[0], out, e);
		if (!rc && out->n == before)
			rc = err_set(e, ERR_NOTFOUND, "derivation '%s' has no output '%s'", drv, hat + 1);
	}
	build_targets_release(&t);
	free(drv);
	return rc;
}

static int add_path(struct named *n, const char *word, int drvs, struct path_set *out, struct err *e)
{
	const char *hat = strchr(word, '^');
	struct store_path p;
	char *rest = NULL;
	int rc;

	if (hat && !drvs)
		return add_outputs_of(n, word, hat, out, e);
	rc = store_resolve(n->c.store, word, &p, &rest, e);
	free(rest);
	if (!rc)
		path_set_push(out, &p);
	return rc;
}

/* --- all of them --- */

static int build(struct named *n, const struct installable *i)
{
	struct build_options o;
	struct build_result res;
	struct err e = ERR_INIT;
	int rc;

	build_options_init(&o);
	rc = realise(n->c.store, &o, &i->targets, &res, &e) ? build_options_status(&o, &e) : 0;
	build_result_release(&res);
	return rc;
}

/* The packages among the words, evaluated, in their order. */
static int evaluate(struct named *n, char *const *words, size_t count, struct installable *found)
{
	progress_begin();
	int rc = installables_eval(&n->eval, n->c.store, words, count, FLAKE_WANT_PACKAGE, found);

	for (size_t i = 0; !rc && i < n->builds && i < (count ? count : 1); i++)
		rc = build(n, &found[i]);
	progress_finish();
	return rc;
}

static int add_all(struct named *n, const struct installable *found, int drvs, struct path_set *out)
{
	struct err e = ERR_INIT;
	int rc = 0;

	if (!n->c.n && value_options_given(&n->eval))
		rc = add_package(n, found, drvs, out, &e);
	for (size_t i = 0; !rc && i < n->c.n; i++)
		if (is_package(n, n->c.operands[i]))
			rc = add_package(n, found++, drvs, out, &e);
		else
			rc = add_path(n, n->c.operands[i], drvs, out, &e);
	return rc ? command_fail(&e) : 0;
}

int named_find(struct named *n, int drvs, struct path_set *out)
{
	char **words = xcalloc(n->c.n + 1, sizeof *words);
	struct installable *found = xcalloc(n->c.n + 1, sizeof *found);
	struct err e = ERR_INIT;
	size_t count = 0;
	int rc = place_choose(&n->c.place, &n->c.request, &e) ? command_fail(&e) : 0;

	for (size_t i = 0; !rc && i < n->c.n; i++)
		if (is_package(n, n->c.operands[i]))
			words[count++] = n->c.operands[i];
	place_release(&n->c.place);
	int evaluates = count || (!n->c.n && value_options_given(&n->eval));

	if (!rc)
		rc = evaluates || n->writes ? command_open(&n->c, 0) : command_open_reading(&n->c);
	if (!rc && evaluates)
		rc = evaluate(n, words, count, found);
	if (!rc)
		rc = add_all(n, found, drvs, out);
	for (size_t i = 0; i < n->c.n + 1; i++)
		installable_release(&found[i]);
	free(found);
	free(words);
	return rc;
}

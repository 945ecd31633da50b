/* SPDX-License-Identifier: MIT
 *
 * nix-build: evaluates as nix-instantiate does, builds, leaves links, prints what they lead to.
 */
#include "config.h"
#include "cli/build_options.h"
#include "cli/drv_paths.h"
#include "cli/nix/nix_classic.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "store/roots.h"

#include <stdlib.h>
#include <string.h>

enum { O_LINK = 1, O_NO_LINK, O_CHECK, O_INDIRECT, O_DRV_LINK, O_ADD_DRV_LINK };

static const struct option options[] = {
	{ O_LINK, 'o', "out-link", "NAME", "Call the links NAME instead of result." },
	{ O_LINK, 0, "add-root", "NAME", NULL },
	{ O_NO_LINK, 0, "no-out-link", NULL, "Make no links: nothing keeps the outputs afterwards." },
	{ O_NO_LINK, 0, "no-link", NULL, NULL },
	{ O_CHECK, 0, "check", NULL, "Build once more and compare." },
	{ O_INDIRECT, 0, "indirect", NULL, NULL },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};

static const struct option_group groups[] = { { "Options", options },
					      { "What to evaluate", classic_options },
					      { "Arguments", VALUE_OPTION_ARGUMENTS },
					      { "Building", build_option_table },
					      { 0 } };
static const struct program program = { "nix-build", "build derivations of expressions",
					"nix-build [options] [FILE...]\nnix-build [options] -E EXPR...\nnix-build [options] DRV...",
					"Without operands default.gx or default.nix here.", groups };

struct line {
	struct nix_line l; /* first */
	struct classic c;
	struct build_options build;
	struct build_targets targets;
	const char *link; /* NULL: none */
};

static int on_option(struct nix_line *l, int id, char **values)
{
	struct line *s = (struct line *)l;

	switch (id) {
	case O_LINK: s->link = values[0]; return 0;
	case O_NO_LINK: s->link = NULL; return 0;
	case O_CHECK: s->build.settings.check = 1; return 0;
	case O_INDIRECT: return 0;
	}
	if (id >= BUILD_OPTION_FIRST && id < BUILD_OPTION_LAST)
		return build_options_take(&s->build, id, values);
	return classic_take(&s->c, &program, id, values);
}

/* --- what to build --- */

static void add_value(void *arg, W v, W args)
{
	drv_paths_add(arg, v, args, DRV_OUTPUT);
}

static void add_operand(void *arg, const struct eval_request *one, W args)
{
	classic_values(one, args, add_value, arg);
}

/* An operand that is a derivation of the store already; "!out,dev" names outputs. */
static int is_drv(const char *word)
{
	const char *end = strchr(word, '!');
	size_t n = end ? (size_t)(end - word) : strlen(word);

	return n > 4 && !strncmp(word + n - 4, ".drv", 4);
}

static int add_drv(struct line *s, struct store *st, char *word, struct err *e)
{
	char *outputs = strchr(word, '!');
	struct store_path p;
	int rc;

	if (outputs)
		*outputs++ = 0;
	rc = store_resolve(st, word, &p, NULL, e);
	if (rc)
		return rc;
	build_targets_add(&s->targets, &p, NULL, 0);
	if (outputs && build_targets_name(&s->targets, s->targets.n - 1, outputs))
		return err_set(e, ERR_INVALID, "'%s!' names no output", word);
	return 0;
}

/* Returns an exit status. */
static int find_targets(struct line *s, struct store *st)
{
	struct words *w = &s->l.operands;
	struct words evaluated = { NULL, 0, 0 };
	struct err e = ERR_INIT;
	int rc = 0;

	for (size_t i = 0; i < w->n && !rc; i++)
		if (!s->c.is_expr && is_drv(w->v[i]))
			rc = add_drv(s, st, w->v[i], &e) ? command_fail(&e) : 0;
		else
			words_add(&evaluated, w->v[i]);
	s->c.words = evaluated.v;
	s->c.n = evaluated.n;
	if (!rc && (evaluated.n || !w->n))
		rc = classic_eval(&s->c, st, add_operand, &s->targets);
	words_release(&evaluated);
	return rc;
}

/* --- results --- */

/* Which derivation it is among those that were named before. */
static size_t drv_number(const struct line *s, size_t target)
{
	const struct build_target *v = s->targets.v;
	size_t n = 0;

	for (size_t i = 0; i < target; i++) {
		size_t k = 0;

		if (!store_path_cmp(&v[i].drv, &v[target].drv))
			return drv_number(s, i);
		while (k < i && store_path_cmp(&v[k].drv, &v[i].drv))
			k++;
		n += k == i;
	}
	return n;
}

/* result, result-2 … by derivation, each with -OUTPUT behind it for another output than "out". */
static int add_link(struct line *s, struct store *st, const struct build_output *o, struct err *e)
{
	struct buf name = BUF_INIT;
	int rc;

	buf_adds(&name, s->link);
	if (drv_number(s, o->target))
		buf_addf(&name, "-%zu", drv_number(s, o->target) + 1);
	if (strcmp(o->name, "out"))
		buf_addf(&name, "-%s", o->name);
	rc = store_add_root_link(st, buf_str(&name), &o->path, e);
	buf_release(&name);
	return rc;
}

static int build(struct line *s, struct store *st, struct buf *out)
{
	struct build_result res = { NULL, 0, 0 };
	struct err e = ERR_INIT;
	int rc = realise(st, &s->build, &s->targets, &res, &e);

	for (size_t i = 0; i < res.n && !rc && !s->build.dry_run; i++) {
		store_add_path(st, out, &res.v[i].path);
		buf_addc(out, '\n');
		rc = s->link ? add_link(s, st, &res.v[i], &e) : 0;
	}
	build_result_release(&res);
	return rc ? build_options_status(&s->build, &e) : 0;
}

int nix_build_run(int argc, char **argv)
{
	struct line s = { .l = { .program = &program, .option = on_option }, .link = "result" };
	struct command c = { .program = &program };
	struct buf out = BUF_INIT;
	int rc;

	build_options_init(&s.build);
	s.c.eval.build = &s.build;
	rc = nix_line_read(&s.l, argc, argv);
	if (rc == COMMAND_GO && !(rc = nix_open(&c, &s.l, 0))) {
		progress_begin();
		rc = find_targets(&s, c.store);
		rc = rc ? rc : build(&s, c.store, &out);
		progress_finish();
		int printed = command_print(&out);
		rc = command_end(&c, rc ? rc : printed);
	}
	build_targets_release(&s.targets);
	nix_line_release(&s.l);
	return rc;
}

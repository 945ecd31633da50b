/* SPDX-License-Identifier: MIT
 *
 * A run has a store when it was given an open one, asked to put something there (--drv-path, --realise, the REPL), or told
 * which one (--store, --store-dir).
 * Otherwise there is none: the paths in what is printed come out right without, and a look at a value leaves no
 * trace on the disk.
 */
#include "config.h"
#include "cli/eval_store.h"
#include "builtins/drvs.h"
#include "builtins/fs.h"
#include "builtins/store_real.h"
#include "cli/eval_cmd.h"
#include "cli/options.h"
#include "cli/report.h"
#include "eval/eval.h"

#include <stdio.h>

static struct place place;
static const struct place *in_use;
static struct store_real *real;

static void notice(void *user, const char *text)
{
	(void)user;
	if (!report_settings.quiet)
		report_line("note: %s", text);
}

static int fail(struct err *e)
{
	report_err(e);
	err_release(e);
	return EXIT_FAILED;
}

static void use(const struct place *p, struct store_real *opened)
{
	eval_settings.store_dir = p->store_dir;
	in_use = p;
	real = opened;
}

void eval_store_attach(void)
{
	if (!real)
		return;
	if (place_is_mapped(in_use))
		fs_mount(in_use->store_dir, in_use->real_store);
	store_ops = store_real_ops(real);
}

int eval_store_start(const struct eval_request *r)
{
	const struct place_request request = { r->store, r->store_dir };
	struct err e = ERR_INIT;
	int named = r->store || r->store_dir;

	if (r->open_store) {
		use(store_place(r->open_store), store_real_on(r->open_store));
		return 0;
	}
	if (!named && (eval_settings.read_only || !r->want_store)) {
		eval_settings.read_only = 1;
		return 0;
	}
	if (place_choose(&place, &request, &e))
		return fail(&e);
	use(&place, store_real_new(&place, eval_settings.read_only ? STORE_READONLY : 0));
	store_real_set_notice(real, notice, NULL);
	return 0;
}

struct store_real *eval_store(void)
{
	return real;
}

int eval_store_write(void)
{
	struct err e = ERR_INIT;
	int rc = 0;

	if (!real || eval_settings.read_only)
		return 0;
	for (uint32_t id = 0; !rc && id < drvs_count(); id++)
		if (drvs_object(id)->unwritten)
			rc = drvs_write(drvs_object(id)->path, &e);
	if (!rc)
		rc = store_real_flush(real, &e);
	return rc ? fail(&e) : 0;
}

void eval_store_end(void)
{
	store_real_free(real);
	real = NULL;
	store_ops = NULL;
	/* The place stays: its store directory is named in eval_settings, and what was read keeps its mount. */
}

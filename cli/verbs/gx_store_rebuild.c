/* SPDX-License-Identifier: MIT
 *
 * gx store rebuild.
 */
#include "config.h"
#include "build/builder_fetch.h"
#include "cli/command.h"
#include "cli/report.h"
#include "cli/verbs/gx_store.h"
#include "store/rebuild.h"


enum { O_TRUST = 1 };

struct rebuild_command {
	struct command c;
	struct rebuild_options o;
};

static int on_option(void *arg, int id, char **values)
{
	(void)id;
	(void)values;
	((struct rebuild_command *)arg)->o.trust_contents = 1;
	return 0;
}

static void on_object(void *arg, const struct store_path *p, const char *why)
{
	const struct rebuild_command *r = arg;

	struct buf text = BUF_INIT;

	if (why) {
		report_line("left out: '%s/%s': %s", r->c.place.store_dir, p->base, why);
		return;
	}
	buf_addf(&text, "'%s/%s' is taken for what its name says; nothing proves it", r->c.place.store_dir, p->base);
	report_warning(0, 0, text.p);
	buf_release(&text);
}

static void on_notice(void *arg, const char *text)
{
	(void)arg;
	report_line("note: %s", text);
}

static const char about[] =
	"Taken is what proves itself: derivations, what they make, and what its path is the hash of. The rest is named and\n"
	"stays on the disk until the next collection. The old database is kept beside the new one.\n";

static void tell_result(const struct rebuild_command *r, const struct rebuild_result *result)
{
	struct buf text = BUF_INIT;

	if (result->kept)
		buf_addf(&text, "%zu kept, ", result->kept);
	buf_addf(&text, "%zu proved, ", result->proved);
	if (r->o.trust_contents)
		buf_addf(&text, "%zu trusted, ", result->trusted);
	report_line("%s%zu left out", text.p, result->left_out);
	buf_release(&text);
}

int store_rebuild_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_TRUST, 0, "trust-contents", NULL, "Also take what nothing proves, with a warning for each." }, { 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = { "gx store rebuild",
						"make a lost or damaged database anew from what the store holds",
						"gx store rebuild [options]", about, groups };
	struct rebuild_command r = { 0 };
	struct rebuild_result result;
	struct err e = ERR_INIT;
	int rc;

	r.o = (struct rebuild_options){ .content_hash = fetch_content_hash, .each = on_object, .notice = on_notice,
					.arg = &r };
	r.c = (struct command){ .program = &program, .option = on_option, .arg = &r };
	rc = command_read(&r.c, argc, argv, 0, 0, "");
	if (rc != COMMAND_GO)
		return rc;
	if (r.c.n)
		return command_end(&r.c, usage_error(&program, "'gx store rebuild' takes no path"));
	if (place_choose(&r.c.place, &r.c.request, &e) || store_rebuild(&r.c.place, &r.o, &result, &e))
		return command_end(&r.c, command_fail(&e));
	tell_result(&r, &result);
	return command_end(&r.c, EXIT_DONE);
}

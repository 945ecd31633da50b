/* SPDX-License-Identifier: MIT
 *
 * Finding the verb.  Options of gx itself are --help and --version only; everything else belongs to a verb and
 * comes after it, so that there is one place to look it up.
 */
#include "config.h"
#include "cli/verb.h"
#include "base/buf.h"
#include "base/suggest.h"
#include "cli/options.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

static int help(const char *title, const char *about, const struct verb *verbs)
{
	struct buf b = BUF_INIT;
	int rc;

	buf_addf(&b, "%s: %s\n\n%s VERB [options] ...\n\nVerbs\n", title, about, title);
	for (const struct verb *v = verbs; v->name; v++)
		buf_addf(&b, "  %-14s%s\n", v->name, v->summary);
	buf_addf(&b, "\n'%s VERB --help' tells more.\n", title);
	rc = output_write(b.p, b.len);
	buf_release(&b);
	return rc;
}

static int unknown(const char *title, const struct verb *verbs, const char *word)
{
	struct suggest s;

	suggest_init(&s, word, strlen(word));
	for (const struct verb *v = verbs; v->name; v++)
		suggest_offer(&s, v->name, strlen(v->name));
	fprintf(stderr, "error: '%s' has no verb '%s'", title, word);
	if (s.best)
		fprintf(stderr, "; did you mean '%.*s'?", (int)s.best_len, s.best);
	fprintf(stderr, "\n  see '%s --help'\n", title);
	return EXIT_USAGE;
}

int verb_run(const char *title, const char *about, const struct verb *verbs, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	char group[64];

	if (!word) {
		fprintf(stderr, "error: '%s' needs a verb\n  see '%s --help'\n", title, title);
		return EXIT_USAGE;
	}
	if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
		return help(title, about, verbs);
	if (!strcmp(word, "--version")) {
		static const char text[] = PACKAGE_NAME " " PACKAGE_VERSION "\n";
		return output_write(text, sizeof text - 1);
	}
	for (const struct verb *v = verbs; v->name; v++) {
		if (strcmp(v->name, word))
			continue;
		if (v->run)
			return v->run(argc - 1, argv + 1);
		snprintf(group, sizeof group, "%s %s", title, v->name);
		return verb_run(group, v->summary, v->verbs, argc - 1, argv + 1);
	}
	return unknown(title, verbs, word);
}

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
#include "cli/version.h"

#include <stdio.h>
#include <string.h>

static struct verb root = { "gx", "the store, builds and flakes", NULL, NULL };

void verb_set_root(const struct verb *verbs)
{
	root.verbs = verbs;
}

const struct verb *verb_root(void)
{
	return &root;
}

static int is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static const struct verb *find(const struct verb *verbs, const char *name)
{
	for (const struct verb *v = verbs; v && v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

void verb_descend(struct verb_found *f, const struct verb *v)
{
	size_t len = strlen(f->title);

	snprintf(f->title + len, sizeof f->title - len, " %s", v->name);
	f->verb = *v;
}

size_t verb_find(struct verb_found *f, char *const *words, size_t n)
{
	const struct verb *v;
	size_t i = 0;

	f->verb = root;
	snprintf(f->title, sizeof f->title, "%s", root.name);
	for (; i < n && (v = find(f->verb.verbs, words[i])); i++)
		verb_descend(f, v);
	return i;
}

/* --- help --- */

/* How wide the names of a group are, at least so much. */
static int name_width(const struct verb *v)
{
	size_t width = 15;

	for (; v->name; v++)
		if (v->summary && strlen(v->name) > width)
			width = strlen(v->name);
	return (int)width;
}

static int group_help(const struct verb_found *f)
{
	struct buf b = BUF_INIT;
	int rc, width = name_width(f->verb.verbs);

	buf_addf(&b, "%s: %s\n\n%s VERB [options] ...\n\nVerbs\n", f->title, f->verb.summary, f->title);
	for (const struct verb *v = f->verb.verbs; v->name; v++)
		if (v->summary)
			buf_addf(&b, "  %-*s %s\n", width, v->name, v->summary);
	buf_addf(&b, "\n'gx help%s VERB' tells more.\n", f->title + strlen(root.name));
	rc = output_write(b.p, b.len);
	buf_release(&b);
	return rc;
}

static int unknown(const struct verb_found *f, const char *word)
{
	struct suggest s;

	suggest_init(&s, word, strlen(word));
	for (const struct verb *v = f->verb.verbs; v->name; v++)
		if (v->summary)
			suggest_offer(&s, v->name, strlen(v->name));
	fprintf(stderr, "error: '%s' has no verb '%s'", f->title, word);
	if (s.best)
		fprintf(stderr, "; did you mean '%.*s'?", (int)s.best_len, s.best);
	fprintf(stderr, "\n  see '%s --help'\n", f->title);
	return EXIT_USAGE;
}

int verb_help(char *const *words, size_t n)
{
	struct verb_found f;
	size_t used = verb_find(&f, words, n);

	if (f.verb.verbs)
		return used < n ? unknown(&f, words[used]) : group_help(&f);
	return options_help(options_program(f.verb.run, f.verb.name));
}

int version_run(int argc, char **argv)
{
	static const struct option options[] = { { 1, 'h', "help", NULL, "Print this." }, { 0 } };
	static const struct option_group groups[] = { { "Options", options }, { 0 } };
	static const struct program program = { "gx version", "print the version", "gx version", NULL, groups };

	if (argc > 1 && is_help(argv[1]))
		return options_help(&program);
	return argc > 1 ? usage_error(&program, "'gx version' takes nothing, not '%s'", argv[1]) : version_print();
}

/* --- running --- */

int verb_main(const struct verb *verbs, int argc, char **argv)
{
	struct verb_found f;
	char **words = argv + 1;
	size_t n = argc > 1 ? (size_t)argc - 1 : 0, used;

	verb_set_root(verbs);
	used = verb_find(&f, words, n);
	/* In whatever order: gx --help build, gx store --help gc. */
	if (used < n && f.verb.verbs && is_help(words[used])) {
		memmove(words + used, words + used + 1, (n - used - 1) * sizeof *words);
		return verb_help(words, n - 1);
	}
	if (used + 1 == n && !strcmp(words[used], "--version"))
		return version_print();
	if (f.verb.run)
		return f.verb.run((int)(n - used + 1), words + used - 1);
	return used < n ? unknown(&f, words[used]) : group_help(&f);
}

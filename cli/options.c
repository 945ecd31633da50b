/* SPDX-License-Identifier: MIT
 *
 * The table is walked in order; there are some forty options, so nothing is indexed.  getopt_long
 * is not used: it accepts abbreviations (which break scripts when an option is added), permutes
 * argv, takes one value an option, and cannot say which option was meant.
 */
#include "config.h"
#include "cli/options.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/suggest.h"
#include "base/visible.h"
#include "cli/output.h"
#include "cli/width.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int usage_error(const struct program *p, const char *fmt, ...)
{
	struct buf text = BUF_INIT, shown = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	visible_add(&shown, text.p, text.len, VISIBLE_LINES);
	fprintf(stderr, "error: %s\n  see '%s --help'\n", buf_str(&shown), p->name);
	buf_release(&text);
	buf_release(&shown);
	return EXIT_USAGE;
}

static size_t count_values(const struct option *o)
{
	size_t n = 0;

	if (!o->value)
		return 0;
	for (const char *s = o->value; s; s = strchr(s, ' '), s = s ? s + 1 : NULL)
		n++;
	return n;
}

static const struct option *find_long(const struct program *p, const char *name, size_t len)
{
	for (const struct option_group *g = p->groups; g->title; g++)
		for (const struct option *o = g->options; o->id; o++)
			if (o->name && strlen(o->name) == len && !memcmp(o->name, name, len))
				return o;
	return NULL;
}

const struct option *options_find(const struct program *p, const char *name)
{
	return find_long(p, name, strlen(name));
}

static const struct option *find_letter(const struct program *p, char c)
{
	for (const struct option_group *g = p->groups; g->title; g++)
		for (const struct option *o = g->options; o->id; o++)
			if (o->letter == c)
				return o;
	return NULL;
}

static int unknown_option(const struct program *p, const struct option_sink *sink, const char *name, size_t len)
{
	struct suggest s;

	suggest_init(&s, name, len);
	for (const struct option_group *g = p->groups; g->title; g++)
		for (const struct option *o = g->options; o->id; o++)
			if (o->name && o->doc)
				suggest_offer(&s, o->name, strlen(o->name));
	if (sink->other_name)
		for (size_t i = 0; sink->other_name(i); i++)
			suggest_offer(&s, sink->other_name(i), strlen(sink->other_name(i)));
	if (s.best)
		return usage_error(p, "unknown option '--%.*s'; did you mean '--%.*s'?", (int)len, name,
				   (int)s.best_len, s.best);
	return usage_error(p, "unknown option '--%.*s'", (int)len, name);
}

/* --- parsing --- */

struct words {
	const struct program *p;
	const struct option_sink *sink;
	int argc;
	char **argv;
	int i; /* the next word */
};

/* Collects the values of o, the first of them `attached` when not NULL, and hands it over. */
static int take(struct words *w, const struct option *o, const char *shown, char *attached)
{
	char *values[OPTION_VALUES_MAX + 1] = { NULL };
	size_t want = count_values(o), n = 0;

	if (attached)
		values[n++] = attached;
	while (n < want && w->i < w->argc)
		values[n++] = w->argv[w->i++];
	if (n < want)
		return usage_error(w->p, "option '%s' needs %s%s", shown, want > 1 ? "two values: " : "a value: ",
				   o->value);
	return w->sink->option(w->sink->arg, o->id, values);
}

static int take_long(struct words *w, char *word)
{
	char *name = word + 2, *eq = strchr(name, '='), *value = eq ? eq + 1 : NULL;
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	const struct option *o = find_long(w->p, name, len);

	if (o) {
		char shown[64];
		snprintf(shown, sizeof shown, "--%s", o->name);
		if (value && !o->value)
			return usage_error(w->p, "option '%s' takes no value", shown);
		return take(w, o, shown, value);
	}
	if (w->sink->other) {
		int used = 0;
		char *copy = xstrndup(name, len);
		char *next = value ? value : w->i < w->argc ? w->argv[w->i] : NULL;
		int rc = w->sink->other(w->sink->arg, copy, next, &used);
		free(copy);
		if (rc == 0 && value && !used)
			return usage_error(w->p, "option '--%.*s' takes no value", (int)len, name);
		if (rc >= 0) {
			w->i += used && !value;
			return rc;
		}
	}
	return unknown_option(w->p, w->sink, name, len);
}

static int take_letters(struct words *w, char *word)
{
	for (char *c = word + 1; *c; c++) {
		const struct option *o = find_letter(w->p, *c);
		char shown[3] = { '-', *c, 0 };
		if (!o)
			return usage_error(w->p, "unknown option '%s'", shown);
		char *attached = o->value && c[1] ? c + 1 : NULL;
		int rc = take(w, o, shown, attached);
		if (rc || o->value)
			return rc;
	}
	return 0;
}

int options_parse(const struct program *p, int argc, char **argv, const struct option_sink *sink)
{
	struct words w = { p, sink, argc, argv, 1 };
	int only_operands = 0, rc = 0;

	while (rc == 0 && w.i < argc) {
		char *word = argv[w.i++];
		if (only_operands || word[0] != '-' || !word[1])
			rc = sink->operand(sink->arg, word);
		else if (!strcmp(word, "--"))
			only_operands = 1;
		else if (word[1] == '-')
			rc = take_long(&w, word);
		else
			rc = take_letters(&w, word);
	}
	return rc;
}

/* --- help --- */

/* Where options_program wants the table that --help would show; NULL: show it. */
static const struct program **asked;

const struct program *options_program(int (*run)(int argc, char **argv), const char *name)
{
	const struct program *p = NULL;
	char *words[] = { (char *)name, (char[]){ "--help" }, NULL };

	asked = &p;
	run(2, words);
	asked = NULL;
	return p;
}

static size_t help_width(void)
{
	struct winsize ws;

	if (isatty(1) && ioctl(1, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 50)
		return ws.ws_col < 110 ? ws.ws_col : 110;
	return 100;
}

static void help_option(struct buf *b, const struct option *o, size_t width)
{
	const size_t indent = 32;
	size_t start = b->len;

	if (o->letter && o->name)
		buf_addf(b, "  -%c, --%s", o->letter, o->name);
	else if (o->letter)
		buf_addf(b, "  -%c", o->letter);
	else
		buf_addf(b, "      --%s", o->name);
	if (o->value)
		buf_addf(b, " %s", o->value);
	size_t used = b->len - start;
	if (used + 2 > indent)
		buf_addf(b, "\n%*s", (int)indent, "");
	else
		buf_addf(b, "%*s", (int)(indent - used), "");
	width_wrap(b, o->doc, indent, width);
}

int options_help(const struct program *p)
{
	struct buf b = BUF_INIT;
	size_t width = help_width();

	if (asked) {
		*asked = p;
		return EXIT_DONE;
	}
	buf_addf(&b, "%s: %s\n\n%s\n", p->name, p->summary, p->usage);
	for (const struct option_group *g = p->groups; g->title; g++) {
		if (!g->options[0].id || !g->title[0])
			continue;
		buf_addf(&b, "\n%s\n", g->title);
		for (const struct option *o = g->options; o->id; o++)
			if (o->doc)
				help_option(&b, o, width);
	}
	if (p->about) {
		buf_addc(&b, '\n');
		if (strchr(p->about, '\n'))
			buf_adds(&b, p->about);
		else
			width_wrap(&b, p->about, 0, width);
	}
	int rc = output_write(b.p, b.len);
	buf_release(&b);
	return rc;
}

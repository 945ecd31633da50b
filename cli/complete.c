/* SPDX-License-Identifier: MIT
 *
 * The tables of verbs and options say what may stand where: an option's name for its value ("FILE") and the operands in the usage
 * of a verb ("FLAKE[#ATTR]") say of which kind a word is.
 */
#include "config.h"
#include "cli/complete.h"
#include "base/alloc.h"
#include "base/words.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "cli/verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct completion {
	struct buf *out;
	const char *word; /* the one to complete */
	const struct program *p;
	enum flake_want want;
	const char *file; /* of -f: operands are attributes of it */
	int given;	  /* -f or -E was there */
	struct words flakes; /* operands, and what --flake names */
	int attrs;	  /* attributes were asked for */
};

void complete_offer(struct buf *b, const char *word, const char *candidate, const char *doc)
{
	if (strncmp(candidate, word, strlen(word)))
		return;
	buf_adds(b, candidate);
	if (doc) {
		/* Up to the end of its first sentence. */
		const char *end = strstr(doc, ". ");
		size_t n = end ? (size_t)(end - doc) : strlen(doc);
		buf_addf(b, "\t%.*s", (int)(n && !end && doc[n - 1] == '.' ? n - 1 : n), doc);
	}
	buf_addc(b, '\n');
}

/* Each of the words in a list as it is written for people: "json, plain or raw". */
static void offer_list(const struct completion *c, const char *list)
{
	while (*(list += strspn(list, ", "))) {
		size_t n = strcspn(list, ", ");
		char *one = xstrndup(list, n);
		if (strcmp(one, "or"))
			complete_offer(c->out, c->word, one, NULL);
		free(one);
		list += n;
	}
}

static void ask_shell(const struct completion *c, const char *what)
{
	buf_addf(c->out, "@%s\n", what);
}

/* --- verbs --- */

static void offer_verbs(struct buf *b, const char *word, const struct verb *verbs)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (v->summary)
			complete_offer(b, word, v->name, v->summary);
	if (*word == '-') {
		complete_offer(b, word, "--help", "Print what there is");
		complete_offer(b, word, "--version", "Print the version");
	}
}

/* --- options --- */

static void offer_options(const struct completion *c)
{
	char name[64];

	for (const struct option_group *g = c->p->groups; g->title; g++)
		for (const struct option *o = g->options; o->id; o++) {
			if (!o->doc)
				continue;
			if (o->name)
				snprintf(name, sizeof name, "--%s", o->name);
			else
				snprintf(name, sizeof name, "-%c", o->letter);
			complete_offer(c->out, c->word, name, o->doc);
		}
}

static const struct option *find_option(const struct program *p, const char *word)
{
	if (word[0] != '-' || !word[1])
		return NULL;
	if (word[1] == '-')
		return options_find(p, word + 2);
	for (const struct option_group *g = p->groups; g->title; g++)
		for (const struct option *o = g->options; o->id; o++)
			if (o->letter == word[strlen(word) - 1])
				return o;
	return NULL;
}

static void offer_settings(const struct completion *c)
{
	for (size_t i = 0; settings_name(i); i++)
		complete_offer(c->out, c->word, settings_name(i), NULL);
}

static void offer_inputs(const struct completion *c)
{
	char *here[] = { (char *)"." };

	if (c->flakes.n)
		complete_inputs(c->out, c->word, c->flakes.v, c->flakes.n);
	else
		complete_inputs(c->out, c->word, here, 1);
}

/* A value of an option, by the name that the table gives it. */
static void offer_value(const struct completion *c, const struct option *o, const char *kind, size_t n, const char *before)
{
	static const char *const folders[] = { "DIR", "ROOT", "REF" }, *const files[] = { "FILE", "PATH", "LINK" };

	if (o->name && !strcmp(o->name, "attr")) {
		complete_paths(c->out, c->word, c->file);
		return;
	}
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (!strncmp(kind, folders[i], n) && !folders[i][n])
			ask_shell(c, "dirs");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (!strncmp(kind, files[i], n) && !files[i][n])
			ask_shell(c, "files");
	if (!strncmp(kind, "PROGRAM", n))
		ask_shell(c, "commands");
	else if (!strncmp(kind, "SYSTEM", n))
		offer_list(c, "x86_64-linux aarch64-linux x86_64-darwin aarch64-darwin");
	else if (o->name && !strcmp(o->name, "log-format"))
		offer_list(c, LOG_FORMATS);
	else if (!strncmp(kind, "LEVEL", n))
		offer_list(c, "ignore warn fatal");
	else if (o->name && !strcmp(o->name, "option") && !before)
		offer_settings(c);
	else if (before && settings_is_bool(before) == 1)
		offer_list(c, "true false");
	else if (o->name && !before && (!strcmp(o->name, "override-input") || !strcmp(o->name, "update-input")))
		offer_inputs(c);
}

/* --option=value: what is offered begins with the whole word. */
static void offer_joined_value(const struct completion *c, const char *value)
{
	char *name = xstrndup(c->word, (size_t)(value - c->word));
	const struct option *o = options_find(c->p, name + 2);
	struct buf found = BUF_INIT;
	struct completion inner = *c;

	inner.out = &found;
	inner.word = value + 1;
	if (o && o->value)
		offer_value(&inner, o, o->value, strlen(o->value), NULL);
	for (const char *line = buf_str(&found); *line; line += strcspn(line, "\n") + 1)
		buf_addf(c->out, "%s%s%.*s\n", *line == '@' ? "" : name, *line == '@' ? "" : "=", (int)strcspn(line, "\n"), line);
	buf_release(&found);
	free(name);
}

/* --- operands --- */

static int usage_has(const struct completion *c, const char *word)
{
	return strstr(c->p->usage, word) != NULL;
}

static void offer_operand(struct completion *c)
{
	c->attrs = c->given || (usage_has(c, "FLAKE[#ATTR]") && strchr(c->word, '#'));
	if (usage_has(c, "gx doc")) {
		complete_documented(c->out, c->word);
	} else if (c->given) {
		if (c->file)
			complete_paths(c->out, c->word, c->file);
	} else if (usage_has(c, "[INPUT]")) {
		offer_inputs(c);
	} else if (usage_has(c, "FLAKE[#ATTR]")) {
		if (!strchr(c->word, '/') || strchr(c->word, '#'))
			complete_attributes(c->out, c->word, c->want);
		if (!strchr(c->word, '#') && !strchr(c->word, ':'))
			ask_shell(c, strchr(c->word, '/') && usage_has(c, "FILE") ? "files" : "dirs");
	} else if (usage_has(c, "FLAKE")) {
		complete_offer(c->out, c->word, "gx:std", "the standard library");
		ask_shell(c, "dirs");
	} else if (usage_has(c, "FILE") || usage_has(c, "PATH") || usage_has(c, "DRV")) {
		ask_shell(c, "files");
	}
}

/* What -f and -E before the last word say of it. */
static void read_given(struct completion *c, char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct option *o = find_option(c->p, words[i]);
		if (!strncmp(words[i], "--file=", strlen("--file="))) {
			c->file = words[i] + strlen("--file=");
			c->given = 1;
		}
		if (!o || !o->name || (strcmp(o->name, "file") && strcmp(o->name, "expr")))
			continue;
		c->given = i + 1 < n;
		if (!strcmp(o->name, "file") && c->given)
			c->file = words[i + 1];
	}
}

/* A word as a flake: "~/" is a shell's, which did not see it between quotes. */
static void add_flake(struct completion *c, const char *word)
{
	const char *home = getenv("HOME");
	size_t n = strcspn(word, "#");

	if (!n)
		return;
	if (!strncmp(word, "~/", 2) && home)
		words_addf(&c->flakes, "%s%.*s", home, (int)n - 1, word + 1);
	else
		words_addf(&c->flakes, "%.*s", (int)n, word);
}

/* The flakes among the words, but for the one that is completed. */
static void read_flakes(struct completion *c, char *const *words, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++) {
		const struct option *o = find_option(c->p, words[i]);
		const char *kind = o ? o->value : NULL;

		if (o && o->name && !strcmp(o->name, "flake") && i + 1 < n && i + 1 != at)
			add_flake(c, words[i + 1]);
		for (const char *p = kind; p; p = strchr(p, ' '), p = p ? p + 1 : NULL)
			i++;
		if (!o && i != at && words[i][0] != '-' && usage_has(c, "FLAKE"))
			add_flake(c, words[i]);
	}
}

/* The words before the last: what do they leave open? */
static void offer_argument(struct completion *c, char *const *words, size_t n)
{
	const char *value = !strncmp(c->word, "--", 2) ? strchr(c->word, '=') : NULL;

	read_given(c, words, n);
	for (size_t i = 0; i < n; i++) {
		const struct option *o = find_option(c->p, words[i]);
		const char *kind = o ? o->value : NULL;

		/* A program and its words, or those of the program of 'gx run'. */
		if (!strcmp(words[i], "--") || (kind && !strcmp(kind, "PROGRAM"))) {
			ask_shell(c, kind && i + 1 == n ? "commands" : "files");
			return;
		}
		for (; kind; kind = strchr(kind, ' '), kind = kind ? kind + 1 : NULL)
			if (++i == n) {
				offer_value(c, o, kind, strcspn(kind, " "), i && kind != o->value ? words[i - 1] : NULL);
				return;
			}
	}
	if (value)
		offer_joined_value(c, value);
	else if (*c->word == '-')
		offer_options(c);
	else
		offer_operand(c);
}

static enum flake_want want_of(const struct verb *v)
{
	if (v->run == develop_run || v->run == print_dev_env_run || v->run == env_run)
		return FLAKE_WANT_SHELL;
	return v->run == run_run ? FLAKE_WANT_APP : FLAKE_WANT_PACKAGE;
}

int complete_word_at(struct buf *b, char *const *words, size_t all, size_t at)
{
	const char *word = words[at];
	struct verb_found f;
	size_t n = at + 1, used = verb_find(&f, words, at);

	/* These two speak of verbs. */
	if (f.verb.run == help_run || f.verb.run == man_run) {
		size_t from = used;
		if (*word != '-' && (used += verb_find(&f, words + from, n - 1 - from), used == n - 1) && f.verb.verbs) {
			offer_verbs(b, word, f.verb.verbs);
			return 0;
		}
	}
	if (f.verb.run == completion_run && *word != '-') {
		offer_list(&(struct completion){ .out = b, .word = word }, "bash zsh fish");
	} else if (f.verb.verbs) {
		if (used == n - 1)
			offer_verbs(b, word, f.verb.verbs);
	} else {
		struct completion c = { .out = b, .word = word, .p = options_program(f.verb.run, f.verb.name),
					.want = want_of(&f.verb) };

		read_flakes(&c, words + used, all - used, at - used);
		offer_argument(&c, words + used, n - 1 - used);
		words_release(&c.flakes);
		return c.attrs;
	}
	return 0;
}

void complete_words(struct buf *b, char *const *words, size_t n)
{
	complete_word_at(b, words, n, n - 1);
}

void complete_program(struct buf *b, const struct program *p, char *const *words, size_t n)
{
	struct completion c = { .out = b, .word = words[n - 1], .p = p, .want = FLAKE_WANT_PACKAGE };

	offer_argument(&c, words, n - 1);
}

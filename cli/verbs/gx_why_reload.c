/* SPDX-License-Identifier: MIT
 *
 * gx why-reload: what was evaluated in this folder, whether it would be evaluated anew, and why; and why it was, the last time.
 */
#include "config.h"
#include "cli/command.h"
#include "cli/eval_cache.h"
#include "cli/verb.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct asking {
	char cwd[PATH_MAX];
	const struct command *c;
	struct buf out;
};

/* Moves p past a word of a question. */
static const char *next(const char *p, const char *end)
{
	const char *nul = memchr(p, 0, (size_t)(end - p));

	return nul ? nul + 1 : end;
}

/* Is this word of a question the one that was asked for? */
static int is_word(const char *word, const char *asked)
{
	size_t n = strlen(asked);

	return !strncmp(word, asked, n) && (!word[n] || (word[n] == ' ' && !word[n + 1]));
}

static int is_asked_for(const struct asking *k, const struct answer *a, const char *words)
{
	const char *end = a->question.p + a->question.n;

	if (!k->c->n)
		return 1;
	for (const char *p = words; p < end; p = next(p, end))
		if (is_word(p, k->c->operands[0]) || (!strncmp(p, "flake ", 6) && is_word(p + 6, k->c->operands[0])))
			return 1;
	return 0;
}

/* "gx develop .#x": the words up to the options. */
static void add_title(struct buf *b, const struct answer *a, const char *words)
{
	const char *end = a->question.p + a->question.n;

	buf_addf(b, "%s%s", strcmp(a->question.p, "gxeval") ? "gx " : "", a->question.p);
	for (const char *p = words; p < end && strncmp(p, "--store", 7); p = next(p, end)) {
		buf_addf(b, " %s", p);
		while (b->len && b->p[b->len - 1] == ' ')
			buf_trim(b, b->len - 1);
	}
	for (const char *p = words; p < end; p = next(p, end))
		if (!strncmp(p, "flake ", 6))
			buf_addf(b, " %s", p + 6);
		else if (!strncmp(p, "--attr ", 7) || !strncmp(p, "-f ", 3) || !strncmp(p, "-E ", 3))
			buf_addf(b, " %s", p);
}

/* Lines, indented. */
static void add_lines(struct buf *b, const char *p, size_t n)
{
	for (const char *end = p + n, *nl; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl ? nl : end - 1;
		buf_addf(b, "  %.*s\n", (int)(nl - p), p);
	}
}

static void look(void *user, struct answer *a)
{
	struct asking *k = user;
	const char *end = a->question.p + a->question.n, *cwd = next(a->question.p, end), *words = next(cwd, end);
	struct buf why = BUF_INIT;
	time_t at = (time_t)(a->at / ANSWER_SECOND);
	char when[64];
	struct tm tm;

	if (!a->question.n || end[-1] || strcmp(cwd < end ? cwd : "", k->cwd) || !is_asked_for(k, a, words))
		return;
	int holds = eval_cache_holds(a, &why);
	localtime_r(&at, &tm);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
	add_title(&k->out, a, words);
	buf_addf(&k->out, holds == 1 ? ": nothing changed since %s\n" : ": will be evaluated anew (last at %s):\n", when);
	if (holds != 1)
		add_lines(&k->out, buf_str(&why), why.len);
	else if (a->reason.n) {
		buf_adds(&k->out, "  it was evaluated then because\n  ");
		add_lines(&k->out, a->reason.p, a->reason.n);
	}
	buf_release(&why);
}

int why_reload_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", command_help_options }, { NULL, NULL } };
	static const struct program program = {
		"gx why-reload", "why something is evaluated anew", "gx why-reload [FLAKE[#ATTR]]",
		"Of what was evaluated in this folder (or of FLAKE, as it was named then): whether all that it read is still the "
		"same, what changed, and what had changed the last time. Without '--option' settings are those of the command "
		"line of this command.", groups
	};
	struct command c = { .program = &program };
	struct asking k = { .c = &c };
	int rc = command_read(&c, argc, argv, 0, 1, "one flake");

	if (rc != COMMAND_GO)
		return rc;
	if (!getcwd(k.cwd, sizeof k.cwd)) {
		struct err e = ERR_INIT;

		err_errno(&e, "cannot tell the current directory");
		return command_end(&c, command_fail(&e));
	}
	answer_each(look, &k);
	if (!k.out.len)
		buf_adds(&k.out, "nothing that was evaluated here is kept\n");
	return command_end(&c, command_print(&k.out));
}

/* SPDX-License-Identifier: MIT
 *
 * The words live as long as the process: settings keep the texts they are given.
 */
#include "config.h"
#include "cli/shebang.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/words.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int caller = -1; /* the folder to go back to */

/* --- the words of lines --- */

/* Two, and no more. */
static int is_quote(const char *p)
{
	return p[0] == '`' && p[1] == '`' && p[2] != '`';
}

/* Takes what stands between double backticks, from behind the first; returns what follows, NULL when it does not end. */
static const char *take_quoted(struct buf *word, const char *p)
{
	while (*p) {
		if (is_quote(p))
			return p + 2;
		if (*p == ' ' && is_quote(p + 1))
			return p + 3;
		if (!strncmp(p, "```", 3))
			for (p++; *p == '`'; p++)
				buf_addc(word, '`');
		else
			buf_addc(word, *p++);
	}
	return NULL;
}

static int bad_character(const char *script, const char *p)
{
	report_error("unsupported unquoted character in nix shebang: %c. Use double backticks to escape?\n"
		     "  in '%s': ``...%c...``", *p, script, *p);
	return EXIT_FAILED;
}

/* One word outside of backticks, or what is left of one. */
static int take_plain(struct buf *word, const char **at, const char *script)
{
	const char *p = *at;

	for (; *p && !strchr(" \t\r\n", *p) && strncmp(p, "``", 2); p++) {
		if (strchr("`$*~<>|;()[]{}'\"\\", *p) || (*p == '#' && !word->len))
			return bad_character(script, p);
		buf_addc(word, *p);
	}
	*at = p;
	return 0;
}

static void end_word(struct words *out, struct buf *word, int quoted)
{
	if (word->len || quoted)
		words_add(out, buf_str(word));
	buf_trim(word, 0);
}

static int split(const char *p, const char *script, struct words *out)
{
	struct buf word = BUF_INIT;
	int rc = 0;

	while (!rc && *p) {
		if (!strncmp(p, "``", 2)) {
			if (!(p = take_quoted(&word, p + 2))) {
				report_error("double backticks in '%s' are not closed", script);
				rc = EXIT_FAILED;
				break;
			}
			end_word(out, &word, 1);
		} else if (strchr(" \t\r\n", *p)) {
			p++;
			end_word(out, &word, 0);
		} else {
			rc = take_plain(&word, &p, script);
		}
	}
	if (!rc)
		end_word(out, &word, 0);
	buf_release(&word);
	return rc;
}

/* --- the lines --- */

/* What follows "#! NAME" and one blank; NULL when it is another line. */
static const char *after_name(const char *line, const char *name)
{
	size_t n = name ? strlen(name) : 0;

	if (!name || strncmp(line, "#!", 2))
		return NULL;
	line += 2 + strspn(line + 2, " \t");
	if (strncmp(line, name, n) || (line[n] != ' ' && line[n]))
		return NULL;
	return line + n + (line[n] == ' ');
}

static void read_lines(FILE *f, const char *name, const char *also, struct buf *text)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	/* The first names an interpreter. */
	for (int first = 1; (n = getline(&line, &cap, f)) > 0; first = 0) {
		while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = 0;
		if (first)
			continue;
		if (!n || !strchr("#/\\%@*-(", *line))
			break;
		const char *words = after_name(line, name);
		if (!words)
			words = after_name(line, also);
		if (words)
			buf_addf(text, "%s\n", words);
	}
	free(line);
}

/* A file that begins with "#!"; NULL for every other. */
static FILE *open_script(const char *path)
{
	FILE *f = strchr(path, '/') ? fopen(path, "re") : NULL;
	char head[2];

	if (f && fread(head, 1, 2, f) == 2 && !memcmp(head, "#!", 2))
		return f;
	if (f)
		fclose(f);
	return NULL;
}

static int go_beside(const char *script)
{
	char *dir = xstrndup(script, (size_t)(strrchr(script, '/') - script + 1));
	int rc = 0;

	caller = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (caller < 0 || chdir(dir)) {
		report_error("cannot go to the folder of '%s': %s", script, strerror(errno));
		rc = EXIT_FAILED;
	}
	free(dir);
	return rc;
}

int shebang_take(int *argc, char ***argv, const char *name, const char *also)
{
	static struct words line;
	struct buf text = BUF_INIT;
	FILE *f = *argc > 1 ? open_script((*argv)[1]) : NULL;

	if (!f)
		return 0;
	read_lines(f, name, also, &text);
	fclose(f);
	words_add(&line, (*argv)[0]);
	int rc = split(buf_str(&text), (*argv)[1], &line);
	if (!rc && line.n == 1) {
		report_error("the script '%s' has no line '#! %s VERB ...' that says what to do", (*argv)[1], name);
		rc = EXIT_FAILED;
	}
	if (!rc)
		rc = go_beside((*argv)[1]);
	for (int i = 1; !rc && i < *argc; i++)
		words_add(&line, (*argv)[i]);
	buf_release(&text);
	*argc = (int)line.n;
	*argv = line.v;
	return rc;
}

int shebang_leave(void)
{
	int rc = 0;

	if (caller < 0)
		return 0;
	if (fchdir(caller)) {
		report_error("cannot go back to where the script was called: %s", strerror(errno));
		rc = EXIT_FAILED;
	}
	close(caller);
	caller = -1;
	return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * What the completion scripts of Nix ask `nix` for: the variable NIX_GET_COMPLETIONS says which of the words is to be
 * completed.  The answer is a line with the kind of the candidates (normal, filenames, attrs), and one for each: the word, a
 * tab, perhaps what it means.
 */
#include "config.h"
#include "cli/nix/nix.h"
#include "cli/complete.h"
#include "cli/output.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files that begin as the word does. */
static void add_files(struct buf *b, const char *word, int only_folders)
{
	struct buf pattern = BUF_INIT;
	struct stat st;
	glob_t found;

	for (const char *p = word; *p; p++)
		buf_addf(&pattern, "%s%c", strchr("*?[\\", *p) ? "\\" : "", *p);
	buf_addc(&pattern, '*');
	if (!glob(buf_str(&pattern), 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (!only_folders || (!stat(found.gl_pathv[i], &st) && S_ISDIR(st.st_mode)))
				buf_addf(b, "%s\t\n", found.gl_pathv[i]);
		globfree(&found);
	}
	buf_release(&pattern);
}

/* Puts the answer for gx's own scripts into Nix's terms. */
static int answer(const char *lines, const char *word, int attrs)
{
	struct buf words = BUF_INIT, out = BUF_INIT;
	int files = 0, rc;

	for (const char *p = lines; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t n = strcspn(p, "\n");

		if (*p != '@') {
			/* Verbs and attributes without what they mean: scripts compare. */
			buf_addf(&words, "%.*s\t\n", (int)strcspn(p, "\t\n"), p);
		} else if (!strncmp(p, "@files", n) || !strncmp(p, "@dirs", n)) {
			files = 1;
			add_files(&words, word, p[1] == 'd');
		}
	}
	buf_addf(&out, "%s\n%s", attrs ? "attrs" : files ? "filenames" : "normal", buf_str(&words));
	rc = output_write(out.p, out.len);
	buf_release(&words);
	buf_release(&out);
	return rc;
}

/* Whoever types a word is not told why a flake has nothing to offer. */
static void be_silent(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
}

int nix_complete(int argc, char **argv, size_t at)
{
	struct buf b = BUF_INIT;
	int rc = EXIT_DONE;

	be_silent();
	if (argc > 1 && at && at < (size_t)argc) {
		int attrs = complete_word_at(&b, argv + 1, (size_t)argc - 1, at - 1);

		rc = answer(buf_str(&b), argv[at], attrs);
	}
	buf_release(&b);
	return rc;
}

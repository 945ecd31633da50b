/* SPDX-License-Identifier: MIT
 *
 * The grammar, as in ftp(1) and as libcurl reads it: words between blanks,
 *
 *     { "machine" host | "default" } { "login" word | "password" word | "account" word }
 *     "macdef" name, then lines up to an empty one
 *
 * A word may stand in double quotes, with \" and \\ in it.  "#" at the start of a word comments out the line.
 */
#include "config.h"
#include "fetch/netrc.h"
#include "fetch/fetch_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct scan {
	const char *p, *end;
	struct buf word;
};

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_line(struct scan *s)
{
	while (s->p < s->end && *s->p != '\n')
		s->p++;
}

/* The lines of a macro end with an empty one. */
static void skip_macro(struct scan *s)
{
	const char *p = s->p < s->end ? memmem(s->p, (size_t)(s->end - s->p), "\n\n", 2) : NULL;

	s->p = p ? p + 2 : s->end;
}

static int next_word(struct scan *s)
{
	buf_trim(&s->word, 0);
	for (;; skip_line(s)) {
		while (s->p < s->end && is_blank(*s->p))
			s->p++;
		if (s->p == s->end)
			return 0;
		if (*s->p != '#')
			break;
	}
	int quoted = *s->p == '"';

	s->p += quoted;
	while (s->p < s->end && (quoted ? *s->p != '"' : !is_blank(*s->p))) {
		if (quoted && *s->p == '\\' && s->p + 1 < s->end)
			s->p++;
		buf_addc(&s->word, *s->p++);
	}
	s->p += quoted && s->p < s->end;
	return 1;
}

static int word_is(const struct scan *s, const char *text)
{
	return !strcmp(buf_str(&s->word), text);
}

/* Host names have no case. */
static int is_host(const struct scan *s, struct slice host)
{
	return s->word.len == host.n && !strncasecmp(buf_str(&s->word), host.p, host.n);
}

int netrc_find(struct slice text, struct slice host, struct buf *user, struct buf *password)
{
	struct scan s = { text.p, text.p + text.n, BUF_INIT };
	int found = 0, here = 0;

	while (next_word(&s)) {
		struct buf *out = NULL;

		if (word_is(&s, "machine") || word_is(&s, "default")) {
			if (here)
				break; /* the first entry that fits is the one */
			here = word_is(&s, "default") || (next_word(&s) && is_host(&s, host));
			found |= here;
		} else if (word_is(&s, "macdef")) {
			skip_macro(&s);
		} else if (word_is(&s, "login") || word_is(&s, "password") || word_is(&s, "account")) {
			if (!word_is(&s, "account"))
				out = word_is(&s, "login") ? user : password;
			if (next_word(&s) && out && here)
				buf_add(out, buf_str(&s.word), s.word.len);
		}
	}
	buf_release(&s.word);
	return found;
}

int netrc_load(struct buf *out, struct err *e)
{
	const char *set = fetch_settings.netrc_file, *named = set && *set ? set : getenv("NETRC"), *home = getenv("HOME");
	struct buf path = BUF_INIT;
	char piece[4096];
	ssize_t n = 0;
	int rc = 0;

	if (named && *named)
		buf_adds(&path, named);
	else if (home && *home)
		buf_addf(&path, "%s/.netrc", home);
	else
		return 0;
	int fd = open(path.p, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read(fd, piece, sizeof piece)) != 0)
		if (n > 0)
			buf_add(out, piece, (size_t)n);
		else if (errno != EINTR)
			break;
	if ((fd < 0 && errno != ENOENT && errno != ENOTDIR) || n < 0)
		rc = err_errno(e, "cannot read '%s'", path.p);
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	return rc;
}

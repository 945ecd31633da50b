/* SPDX-License-Identifier: MIT
 *
 * Names that several packages can provide (awk, editor, cc) are links that a package asks for when it is installed, by
 *
 *     update-alternatives --install LINK NAME PATH PRIORITY --slave LINK NAME PATH ...
 *
 * in its postinst.  The script is not run, only these lines are read; words that hold a variable are beyond that.  Where packages
 * of one object ask for the same link, the higher priority has it, as with Debian.  A link to what is not here is not made, nor one
 * where a file of that name is.
 */
#include "config.h"
#include "build/deb_int.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <stdlib.h>

/* The next word of a line without its quotes; 0 at the end, at a comment and at the end of the command. */
static int next_word(const char **line, struct buf *word)
{
	const char *p = *line + strspn(*line, " \t");
	char quote = 0;

	buf_trim(word, 0);
	if (!*p || *p == '\n' || *p == '#' || *p == ';')
		return 0;
	for (; *p && *p != '\n' && (quote || !strchr(" \t;", *p)); p++)
		if (*p == quote)
			quote = 0;
		else if (!quote && (*p == '"' || *p == '\''))
			quote = *p;
		else
			buf_addc(word, *p);
	*line = p;
	return 1;
}

static void add(struct deb_tree *t, const char *link, const char *path, int priority)
{
	if (*link != '/' || *path != '/' || strchr(link, '$') || strchr(path, '$'))
		return;
	ARRAY_GROW(t->alternatives, t->nalternatives + 1, t->alternatives_cap);
	t->alternatives[t->nalternatives++] = (struct deb_alternative){ xstrdup(link), xstrdup(path), priority };
}

/* The words behind update-alternatives. */
static void read_command(struct deb_tree *t, const char *line)
{
	struct buf words[4] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT }, option = BUF_INIT;
	int priority = 0;

	while (next_word(&line, &option)) {
		int master = !strcmp(buf_str(&option), "--install"), n = 0;

		if (!master && strcmp(buf_str(&option), "--slave"))
			continue;
		while (n < 3 + master && next_word(&line, &words[n]))
			n++;
		if (master && n == 4)
			priority = atoi(buf_str(&words[3]));
		if (n == 3 + master)
			add(t, buf_str(&words[0]), buf_str(&words[2]), priority);
	}
	for (size_t i = 0; i < 4; i++)
		buf_release(&words[i]);
	buf_release(&option);
}

void deb_read_alternatives(struct deb_tree *t, const char *script)
{
	static const char command[] = "update-alternatives";
	char *text = xstrdup(script);

	/* Lines that go on are one. */
	for (char *p = text; (p = strstr(p, "\\\n"));)
		p[0] = p[1] = ' ';
	for (const char *p = text; (p = strstr(p, command));) {
		p += sizeof command - 1;
		read_command(t, p);
	}
	free(text);
}

/* Whether it is the first of those with the highest priority for its link. */
static int is_chosen(const struct deb_tree *t, size_t i)
{
	const struct deb_alternative *a = &t->alternatives[i];

	for (size_t k = 0; k < t->nalternatives; k++) {
		const struct deb_alternative *b = &t->alternatives[k];

		if (!strcmp(deb_flat(a->link), deb_flat(b->link)) &&
		    (b->priority > a->priority || (b->priority == a->priority && k < i)))
			return 0;
	}
	return 1;
}

int deb_note_alternatives(struct deb_tree *t, struct err *e)
{
	struct stat st;
	int rc = 0;

	for (size_t i = 0; i < t->nalternatives && !rc; i++) {
		const struct deb_alternative *a = &t->alternatives[i];
		const char *path = deb_flat(a->link);

		if (is_chosen(t, i) && !deb_is_pruned(t, path) && !deb_find_link(t, path) &&
		    fstatat(t->fd, path, &st, AT_SYMLINK_NOFOLLOW))
			rc = deb_note_link(t, a->link, a->path, 1, e);
	}
	return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * What `repoint` names: a file, a string in it that says where Debian has something, and what it shall be.  In a program all that
 * refers to the string is made to refer to another one (elf_repoint.c); in text the words themselves are replaced.
 *
 * A file may be a pattern ("bin/x86_64-linux-gnu-*"): then those that have the string are meant, and there must be one.
 */
#include "config.h"
#include "build/deb_int.h"

#include "base/alloc.h"

#include <fnmatch.h>
#include <stdlib.h>

static int matches(const char *pattern, const char *path)
{
	return !fnmatch(deb_flat(pattern), path, FNM_PATHNAME);
}

static int is_pattern(const char *s)
{
	return strpbrk(s, "*?[") != NULL;
}

/* Is it meant by one of the names that the file has? */
static int is_named(const struct deb_tree *t, size_t i, const char *pattern)
{
	if (!t->same[i])
		return matches(pattern, t->files.v[i]);
	for (size_t k = 0; k < t->files.n; k++)
		if (t->same[k] == t->same[i] && matches(pattern, t->files.v[k]))
			return 1;
	return 0;
}

static int is_sized(const struct deb_tree *t, const char *s)
{
	for (size_t i = 0; i < t->sized.n; i++)
		if (!strcmp(t->sized.v[i], s))
			return 1;
	return 0;
}

int deb_is_named(const struct deb_tree *t, size_t i)
{
	for (size_t k = 0; k < t->repoint.n; k += 3)
		if (is_named(t, i, t->repoint.v[k]))
			return 1;
	return 0;
}

size_t deb_repoints(const struct deb_tree *t, size_t i, const void *p, size_t n, struct elf_string **out)
{
	size_t found = 0;

	*out = xcalloc(t->repoint.n / 3 + 1, sizeof **out);
	for (size_t k = 0; k + 2 < t->repoint.n; k += 3) {
		const char *pattern = t->repoint.v[k], *from = t->repoint.v[k + 1];

		if (!is_named(t, i, pattern) || (is_pattern(pattern) && !memmem(p, n, from, strlen(from))))
			continue;
		(*out)[found++] = (struct elf_string){ from, t->repoint.v[k + 2], is_sized(t, from) };
		t->repointed[k / 3]++;
	}
	return found;
}

static int replace(struct buf *text, const struct elf_string *s, struct err *e)
{
	struct buf b = BUF_INIT;
	const char *p = buf_str(text), *end = p + text->len, *hit;
	size_t n = strlen(s->from), hits = 0;

	for (; (hit = memmem(p, (size_t)(end - p), s->from, n)); p = hit + n, hits++) {
		buf_add(&b, p, (size_t)(hit - p));
		buf_adds(&b, s->to);
	}
	buf_add(&b, p, (size_t)(end - p));
	buf_release(text);
	*text = b;
	return hits ? 0 : err_set(e, ERR_INVALID, "the string '%s' does not stand in it", s->from);
}

int deb_repoint_text(const struct deb_tree *t, size_t i, struct buf *text, struct err *e)
{
	struct elf_string *v;
	size_t n = deb_repoints(t, i, buf_str(text), text->len, &v);
	int rc = 0;

	for (size_t k = 0; k < n && !rc; k++)
		rc = replace(text, &v[k], e);
	free(v);
	return rc;
}

int deb_check_repoints(const struct deb_tree *t, struct err *e)
{
	for (size_t k = 0; k < t->repoint.n; k += 3)
		if (!t->repointed[k / 3])
			return err_set(e, ERR_INVALID, "no file '%s' with the string '%s'", t->repoint.v[k], t->repoint.v[k + 1]);
	return 0;
}

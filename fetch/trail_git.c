/* SPDX-License-Identifier: MIT
 *
 * What the state of a git work tree follows from, its files aside: HEAD and what it leads to, the index, the configuration.  A
 * branch is a file of its own or a line among packed-refs, which is looked at only then.
 */
#include "config.h"
#include "fetch/git_index.h"
#include "fetch/trail.h"

#include <string.h>

enum { REFS_MAX = 8 };

static int read_in(const struct buf *dir, const char *name, struct buf *out)
{
	struct buf path = BUF_INIT;
	int rc;

	buf_addf(&path, "%s/%s", buf_str(dir), name);
	buf_trim(out, 0);
	rc = trail_read(path.p, out);
	buf_release(&path);
	while (!rc && out->len && out->p[out->len - 1] == '\n')
		buf_trim(out, out->len - 1);
	return rc;
}

/* From HEAD to a commit. */
static void note_head(const struct buf *own, const struct buf *shared)
{
	struct buf text = BUF_INIT, other = BUF_INIT;
	int rc = read_in(own, "HEAD", &text);

	for (int i = 0; !rc && i < REFS_MAX && !strncmp(buf_str(&text), "ref: ", 5); i++) {
		struct buf name = BUF_INIT;

		buf_adds(&name, text.p + 5);
		rc = read_in(shared, name.p, &text);
		/* Where references are kept in tables, their list changes. */
		if (rc && (read_in(shared, "packed-refs", &other) || strstr(other.p, name.p) == NULL))
			read_in(shared, "reftable/tables.list", &other);
		buf_release(&name);
	}
	buf_release(&text);
	buf_release(&other);
}

void trail_git_head(const char *top)
{
	struct buf own = BUF_INIT, shared = BUF_INIT;

	if (trail_is_on() && !git_folders(top, &own, &shared))
		note_head(&own, &shared);
	buf_release(&own);
	buf_release(&shared);
}

void trail_git_config(const char *top)
{
	static const char *const files[] = { "config", "config.worktree", "shallow", "info/attributes", "info/sparse-checkout" };
	struct buf own = BUF_INIT, shared = BUF_INIT, text = BUF_INIT;

	if (trail_is_on() && !git_folders(top, &own, &shared))
		for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
			read_in(&own, files[i], &text);
			if (strcmp(own.p, shared.p))
				read_in(&shared, files[i], &text);
		}
	buf_release(&own);
	buf_release(&shared);
	buf_release(&text);
}

/* SPDX-License-Identifier: MIT
 *
 * The two sides of a conflict are put together again from the lines between the marks and those around them.  Where both are lock
 * files, what differs is told input by input, as for any change.
 */
#include "config.h"
#include "flake/lock_conflict.h"
#include "base/buf.h"
#include "flake/lockfile.h"

#include <string.h>

enum side { BOTH, OURS, BASE, THEIRS };

/* The rest of the line after a mark of git, NULL for any other line. */
static int is_mark(struct slice line, char c)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == c)
		n++;
	return n == 7 && (line.n == 7 || line.p[7] == ' ' || line.p[7] == '\r');
}

static enum side next_side(enum side now, struct slice line)
{
	if (is_mark(line, '<'))
		return OURS;
	if (now != BOTH && is_mark(line, '|'))
		return BASE;
	if (now != BOTH && is_mark(line, '='))
		return THEIRS;
	return is_mark(line, '>') ? BOTH : now;
}

static struct slice line_at(struct slice text, size_t at)
{
	const char *end = memchr(text.p + at, '\n', text.n - at);

	return (struct slice){ text.p + at, end ? (size_t)(end - text.p) - at : text.n - at };
}

/* One side as a file of its own, in the arena.  *mark: the line of the first mark, 0 without. */
static struct slice side_of(struct slice text, enum side want, struct arena *mem, unsigned *mark)
{
	struct buf b = BUF_INIT;
	enum side side = BOTH;
	unsigned number = 0;

	*mark = 0;
	for (size_t at = 0; at < text.n;) {
		struct slice line = line_at(text, at);
		enum side next = next_side(side, line);
		number++;
		if (!*mark && side == BOTH && next == OURS)
			*mark = number;
		if (next == side && !is_mark(line, '<') && (side == BOTH || side == want)) {
			buf_add(&b, line.p, line.n);
			buf_addc(&b, '\n');
		}
		side = next;
		at += line.n + 1;
	}
	struct slice s = { arena_dup(mem, buf_str(&b), b.len), b.len };
	buf_release(&b);
	return s;
}

/* What the sides differ in; empty when one of them is no lock file. */
static void compare(struct slice ours, struct slice theirs, struct arena *mem, const char *name, struct buf *out)
{
	struct lockfile a, b;
	struct err ignored = ERR_INIT;

	if (!lockfile_parse(&a, mem, ours, name, &ignored) && !lockfile_parse(&b, mem, theirs, name, &ignored))
		lockfile_diff(&a, &b, out);
	err_release(&ignored);
}

int lock_conflict_explain(struct slice text, struct arena *mem, const char *name, struct err *e)
{
	struct buf diff = BUF_INIT;
	unsigned mark, again;
	struct slice ours = side_of(text, OURS, mem, &mark), theirs = side_of(text, THEIRS, mem, &again);

	if (!mark)
		return 0;
	compare(ours, theirs, mem, name, &diff);
	err_release(e);
	err_set(e, ERR_INVALID, "the lock file '%s' has conflict marks of git at line %u%s%s\n"
		"take one side and complete it: git checkout --ours flake.lock && gx flake lock", name, mark,
		diff.len ? "; from our side to theirs:\n" : "", diff.len ? buf_str(&diff) : "");
	buf_release(&diff);
	return ERR_INVALID;
}

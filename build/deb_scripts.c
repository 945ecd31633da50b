/* SPDX-License-Identifier: MIT
 *
 * Text that names where Debian has things: the first line of a script, which is the interpreter that the kernel starts; linker
 * scripts (libc.so, libm.a), which name libraries by their full paths; .pc files, whose prefix is /usr.
 *
 * A path that is found becomes that; in a .pc file all others are below $out, where its package would have made them. An
 * interpreter that is not here stays as it is and is told: examples name ruby.
 */
#include "config.h"
#include "build/deb_int.h"

#include "base/alloc.h"
#include "base/fdio.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIRST_LINE = 4096, LINKER_SCRIPT = 65536 };

/* --- interpreters --- */

static struct slice next_word(struct slice *line)
{
	return slice_word(line, " \t");
}

/* One of ours already: it was named to stand there. */
static int is_ours(const struct deb_tree *t, struct slice path)
{
	for (size_t i = 0; i <= t->deps.n; i++)
		if (slice_starts(path, slice_of(i ? t->deps.v[i - 1] : t->out)))
			return 1;
	return 0;
}

static int find_path(const struct deb_tree *t, const char *dir, struct slice name, struct buf *where)
{
	struct buf path = BUF_INIT;
	int found;

	buf_addf(&path, "%s%.*s", dir, (int)name.n, name.p);
	found = deb_find(t, *path.p == '/' ? deb_flat(path.p) : path.p, where);
	buf_release(&path);
	return found;
}

/* What env would find, with what the line says behind it. */
static int find_by_env(const struct deb_tree *t, struct slice *rest, struct buf *where)
{
	struct slice program = next_word(rest);

	if (slice_eq(program, SLICE("-S")))
		program = next_word(rest);
	if (!program.n || *program.p == '-' || memchr(program.p, '=', program.n))
		return 0;
	if (memchr(program.p, '/', program.n))
		return find_path(t, "", program, where);
	return find_path(t, "bin/", program, where) || find_path(t, "sbin/", program, where);
}

/* The line without "#!" as it shall be; 0 when the interpreter is not here. */
static int new_interpreter(const struct deb_tree *t, struct slice line, struct buf *out)
{
	struct slice program = next_word(&line);
	int found;

	if (is_ours(t, program)) {
		buf_add(out, program.p, program.n);
		found = 1;
	} else if (slice_eq(program, SLICE("/usr/bin/env")) || slice_eq(program, SLICE("/bin/env"))) {
		found = find_by_env(t, &line, out);
	} else {
		found = program.n && *program.p == '/' && find_path(t, "", program, out);
	}
	if (found)
		buf_add(out, line.p, line.n);
	return found;
}

static int adapt_interpreter(struct deb_tree *t, const char *path, int fd, const char *head, size_t n, struct err *e)
{
	const char *end = memchr(head, '\n', n);
	struct slice line = { head + 2, (size_t)((end ? end : head + n) - head) - 2 };
	struct buf text = BUF_INIT;
	int rc = 0;

	buf_adds(&text, "#!");
	if (!new_interpreter(t, line, &text)) {
		deb_log("no interpreter for '%s': '%.*s'", path, (int)line.n, line.p);
		t->counts.lost_scripts++;
	} else {
		if (lseek(fd, (off_t)(line.n + 2), SEEK_SET) < 0 || fd_read_all(fd, &text) < 0)
			rc = err_errno(e, "cannot read '%s'", path);
		rc = rc ? rc : deb_write_file(fd, path, &text, e);
		t->counts.scripts++;
	}
	buf_release(&text);
	return rc;
}

/* --- paths in text --- */

static int is_path_char(char c)
{
	return isalnum((unsigned char)c) || strchr("._+-/@", c);
}

/* A full path begins here: what is before it is no part of a path but perhaps an option (-I), and it is no comment. */
static int begins_path(const char *text, const char *p)
{
	if (*p != '/' || p[1] == '*' || p == text)
		return *p == '/' && p[1] != '*';
	if (p - text >= 2 && p[-2] == '-' && isupper((unsigned char)p[-1]))
		return 1;
	return !is_path_char(p[-1]) && p[-1] != '}' && p[-1] != '*';
}

static void add_path(const struct deb_tree *t, struct slice path, int always, struct buf *out)
{
	char *p = xstrndup(path.p, path.n);
	size_t before = out->len;

	if (!strncmp(p, "/usr/local", 10) || !strncmp(p, "/nix/", 5) || !deb_find(t, deb_flat(p), out)) {
		buf_trim(out, before);
		if (always && !strncmp(p, "/usr", 4) && (!p[4] || p[4] == '/') && strncmp(p, "/usr/local", 10)) {
			buf_adds(out, t->out);
			if (*deb_flat(p))
				buf_addf(out, "/%s", deb_flat(p));
		} else {
			buf_add(out, path.p, path.n);
		}
	}
	free(p);
}

/* The text with paths that are found replaced; `always`: those below /usr that are not found as well. */
static void replace_paths(const struct deb_tree *t, const struct buf *text, int always, struct buf *out)
{
	const char *p = buf_str(text), *end = p + text->len;

	while (p < end) {
		size_t n = 0;

		if (begins_path(text->p, p))
			while (p + n < end && is_path_char(p[n]))
				n++;
		if (n)
			add_path(t, (struct slice){ p, n }, always, out);
		else
			buf_addc(out, *p);
		p += n ? n : 1;
	}
}

static int adapt_text(struct deb_tree *t, const char *path, int fd, int always, struct err *e)
{
	struct buf text = BUF_INIT, out = BUF_INIT;
	int rc = lseek(fd, 0, SEEK_SET) < 0 || fd_read_all(fd, &text) < 0 ? err_errno(e, "cannot read '%s'", path) : 0;

	if (!rc) {
		replace_paths(t, &text, always, &out);
		if (text.len != out.len || memcmp(buf_str(&text), buf_str(&out), text.len)) {
			rc = deb_write_file(fd, path, &out, e);
			t->counts.texts++;
		}
	}
	buf_release(&text);
	buf_release(&out);
	return rc;
}

/* --- which files --- */

/* ld begins those it writes with this; libraries of today are ELF files and archives. */
static int is_linker_script(const char *path, const char *head, const struct stat *st)
{
	return st->st_size < LINKER_SCRIPT && !strncmp(head, "/* GNU ld script", 16) &&
	       (slice_ends(slice_of(path), SLICE(".so")) || slice_ends(slice_of(path), SLICE(".a")));
}

static int adapt_named(struct deb_tree *t, size_t i, int fd, struct err *e)
{
	struct buf text = BUF_INIT;
	int rc = fd_read_all(fd, &text) < 0 ? err_errno(e, "cannot read '%s'", t->files.v[i]) : 0;

	rc = rc ? rc : deb_repoint_text(t, i, &text, e);
	rc = rc ? rc : deb_write_file(fd, t->files.v[i], &text, e);
	if (rc)
		err_prefix(e, "'%s'", t->files.v[i]);
	buf_release(&text);
	return rc;
}

static int adapt_known(struct deb_tree *t, const char *path, int fd, const struct stat *st, struct err *e)
{
	char head[FIRST_LINE + 1];
	ssize_t n = fd_read_at(fd, head, FIRST_LINE, 0);

	if (n < 0)
		return err_errno(e, "cannot read '%s'", path);
	head[n] = 0;
	if (n > 2 && head[0] == '#' && head[1] == '!' && st->st_mode & 0100)
		return adapt_interpreter(t, path, fd, head, (size_t)n, e);
	if (slice_ends(slice_of(path), SLICE(".pc")))
		return adapt_text(t, path, fd, 1, e);
	return is_linker_script(path, head, st) ? adapt_text(t, path, fd, 0, e) : 0;
}

static int adapt(struct deb_tree *t, size_t i, struct err *e)
{
	const char *path = t->files.v[i];
	char magic[SELFMAG];
	struct stat st;
	int fd = deb_open_file(t, path, &st, e), rc = 0;

	if (fd < 0)
		return fd;
	if (fd_read_at(fd, magic, sizeof magic, 0) != sizeof magic || memcmp(magic, ELFMAG, SELFMAG)) {
		if (deb_is_named(t, i))
			rc = adapt_named(t, i, fd, e);
		rc = rc ? rc : adapt_known(t, path, fd, &st, e);
	}
	close(fd);
	return rc;
}

int deb_adapt_scripts(struct deb_tree *t, struct err *e)
{
	return deb_each_file(t, adapt, e);
}

/* SPDX-License-Identifier: MIT
 *
 * Programs and libraries are given the loader and the folders that have what they need: first those they looked into themselves
 * (private ones below /usr/lib), then of each library it needs the folder where it is found, in the tree itself before its
 * dependencies.  No other is looked into, neither the machine's nor what its cache says.  Libraries that a program loads by a name
 * it has built in count as needed where they are here: libc.so.6 loads libgcc_s.so.1 so.
 *
 * What needs nothing stays as it is, and so does the loader itself, which relies on having no such entries.
 */
#include "config.h"
#include "build/deb_int.h"
#include "build/elf_patch.h"

#include "base/alloc.h"
#include "base/pathname.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* One file, and what is found out about it. */
struct program {
	struct deb_tree *t;
	size_t i; /* which */
	const char *path;
	struct elf f;
	struct words folders; /* where it looks */
};

/* --- finding libraries --- */

static void add_folder(struct program *p, const char *folder)
{
	for (size_t i = 0; i < p->folders.n; i++)
		if (!strcmp(p->folders.v[i], folder))
			return;
	words_add(&p->folders, folder);
}

static int has_library(const char *folder, const char *name)
{
	char *path = deb_join(folder, name);
	int there = !access(path, R_OK);

	free(path);
	return there;
}

/* Looks into the usual folders of one tree. */
static int find_in_tree(struct program *p, const char *tree, const char *name)
{
	static const char *const usual[2][3] = { { "lib/x86_64-linux-gnu", "lib", "lib64" },
						 { "lib/aarch64-linux-gnu", "lib", "lib64" } };
	int found = 0;

	for (size_t i = 0; i < 3 && !found; i++) {
		char *folder = deb_join(tree, usual[p->f.machine == EM_AARCH64][i]);

		found = has_library(folder, name);
		if (found)
			add_folder(p, folder);
		free(folder);
	}
	return found;
}

static int find_library(struct program *p, const char *name)
{
	for (size_t i = 0; i < p->folders.n; i++)
		if (has_library(p->folders.v[i], name))
			return 1;
	int found = find_in_tree(p, p->t->out, name);

	for (size_t i = 0; i < p->t->deps.n && !found; i++)
		found = find_in_tree(p, p->t->deps.v[i], name);
	return found;
}

/* What "$ORIGIN/../x" means, a path of the tree. Malloc'd; NULL when it is none of these. */
static char *from_origin(const struct program *p, const char *folder)
{
	size_t n = !strncmp(folder, "$ORIGIN", 7) ? 7 : !strncmp(folder, "${ORIGIN}", 9) ? 9 : 0;
	const char *slash = strrchr(p->path, '/');
	struct buf b = BUF_INIT;

	if (!n)
		return NULL;
	buf_addf(&b, "/%.*s%s", slash ? (int)(slash - p->path) : 0, p->path, folder + n);
	char *out = xmalloc(b.len + 2);

	path_normalise(b.p, b.len, out);
	buf_release(&b);
	return out;
}

/* One of its own folders, where that is now. */
static void add_own_folder(struct program *p, const char *folder)
{
	struct buf where = BUF_INIT;
	char *path = from_origin(p, folder);

	if ((path || *folder == '/') && deb_find(p->t, deb_flat(path ? path : folder), &where))
		add_folder(p, buf_str(&where));
	buf_release(&where);
	free(path);
}

static void add_own_folders(struct program *p)
{
	const char *path = elf_dynamic_string(&p->f, DT_RUNPATH, 0);

	if (!path)
		path = elf_dynamic_string(&p->f, DT_RPATH, 0);
	while (path && *path) {
		size_t n = strcspn(path, ":");
		char *folder = xstrndup(path, n);

		add_own_folder(p, folder);
		free(folder);
		path += n + (path[n] == ':');
	}
}

/* --- libraries by name --- */

/* "lib….so" or with numbers behind, the whole of a string. */
static int is_library_name(const char *s, const char *so, const char *end)
{
	if (so - s < 4 || strncmp(s, "lib", 3))
		return 0;
	for (const char *p = s; p < so; p++)
		if (*p == '/' || *p == '%' || (unsigned char)*p <= ' ' || (unsigned char)*p > '~')
			return 0;
	return strspn(so + 3, ".0123456789") == (size_t)(end - so - 3);
}

static void add_named(struct program *p, const char *text, size_t n)
{
	const char *own = elf_dynamic_string(&p->f, DT_SONAME, 0), *end = text + n, *so = text;

	while ((so = memmem(so, (size_t)(end - so), ".so", 3))) {
		const char *s = so, *stop = memchr(so, 0, (size_t)(end - so));

		while (s > text && s[-1])
			s--;
		if (!stop)
			return;
		if (is_library_name(s, so, stop) && !(own && !strcmp(own, s)))
			find_library(p, s);
		so += 3;
	}
}

/* Only what is not written to has such names; the table of strings has them as well, of libraries that are needed anyway. */
static void add_loaded_by_name(struct program *p)
{
	for (size_t i = 0; i < p->f.nphdrs; i++) {
		const uint8_t *h = elf_phdr(&p->f, i);

		if (FIELD(h, Elf64_Phdr, p_type) == PT_LOAD && !(FIELD(h, Elf64_Phdr, p_flags) & PF_W))
			add_named(p, (const char *)p->f.p + FIELD(h, Elf64_Phdr, p_offset), FIELD(h, Elf64_Phdr, p_filesz));
	}
}

/* --- one file --- */

static void add_needed(struct program *p)
{
	const char *name;

	for (size_t i = 0; (name = elf_dynamic_string(&p->f, DT_NEEDED, i)); i++)
		if (!strchr(name, '/') && !find_library(p, name)) {
			deb_log("'%s' needs '%s', which is not here", p->path, name);
			p->t->counts.lost_libraries++;
		}
}

static int is_loader(const struct elf *f)
{
	const char *name = elf_dynamic_string(f, DT_SONAME, 0);

	return name && !strncmp(name, "ld-linux", 8) && !elf_dynamic_string(f, DT_NEEDED, 0);
}

static void add_folders(struct program *p, struct buf *runpath)
{
	add_own_folders(p);
	add_needed(p);
	add_loaded_by_name(p);
	for (size_t i = 0; i < p->folders.n; i++)
		buf_addf(runpath, "%s%s", i ? ":" : "", p->folders.v[i]);
}

static void find_loader(struct program *p, struct buf *interp)
{
	const char *now = elf_interp(&p->f);

	if (!now || deb_find(p->t, deb_flat(now), interp))
		return;
	deb_log("'%s' needs the loader '%s', which is not here", p->path, now);
	p->t->counts.lost_loaders++;
}

static int write_tail(int fd, const char *path, const struct buf *tail, size_t at, struct err *e)
{
	for (size_t done = 0; done < tail->len;) {
		ssize_t n = pwrite(fd, tail->p + done, tail->len - done, (off_t)(at + done));

		if (n < 0 && errno != EINTR)
			return err_errno(e, "cannot write '%s'", path);
		done += n < 0 ? 0 : (size_t)n;
	}
	return 0;
}

static int change(struct program *p, int fd, struct err *e)
{
	struct buf interp = BUF_INIT, runpath = BUF_INIT, tail = BUF_INIT;
	struct elf_string *strings;
	struct elf_change c = { NULL, NULL, NULL, deb_repoints(p->t, p->i, p->f.p, p->f.n, &strings) };
	int rc;

	add_folders(p, &runpath);
	find_loader(p, &interp);
	c.strings = strings;
	if (interp.len)
		c.interp = interp.p;
	if (p->folders.n || elf_dynamic_string(&p->f, DT_RUNPATH, 0) || elf_dynamic_string(&p->f, DT_RPATH, 0))
		c.runpath = buf_str(&runpath);
	rc = elf_patch(&p->f, &c, &tail, e);
	rc = rc ? rc : write_tail(fd, p->path, &tail, p->f.n, e);
	free(strings);
	buf_release(&interp);
	buf_release(&runpath);
	buf_release(&tail);
	return rc;
}

static int adapt_mapped(struct program *p, int fd, uint8_t *bytes, size_t n, struct err *e)
{
	int rc = elf_open(&p->f, bytes, n, e);

	if (!rc || (rc > 0 && is_loader(&p->f))) {
		p->t->counts.foreign++;
		return 0;
	}
	if (rc > 0) {
		p->t->counts.elf++;
		rc = change(p, fd, e);
	}
	if (rc < 0)
		err_prefix(e, "'%s'", p->path);
	words_release(&p->folders);
	return rc;
}

static int adapt(struct deb_tree *t, size_t i, struct err *e)
{
	const char *path = t->files.v[i];
	struct program p = { .t = t, .i = i, .path = path };
	struct stat st;
	char magic[4];
	int fd = deb_open_file(t, path, &st, e), rc = 0;
	void *bytes = MAP_FAILED;

	if (fd < 0)
		return fd;
	if (pread(fd, magic, sizeof magic, 0) == sizeof magic && !memcmp(magic, ELFMAG, SELFMAG)) {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (bytes == MAP_FAILED)
			rc = err_errno(e, "cannot read '%s'", path);
		else
			rc = adapt_mapped(&p, fd, bytes, (size_t)st.st_size, e);
	}
	if (bytes != MAP_FAILED)
		munmap(bytes, (size_t)st.st_size);
	close(fd);
	return rc;
}

int deb_adapt_programs(struct deb_tree *t, struct err *e)
{
	return deb_each_file(t, adapt, e);
}

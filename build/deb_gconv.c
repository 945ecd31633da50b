/* SPDX-License-Identifier: MIT
 *
 * Character sets of glibc are modules in a folder whose path is built into libc.so.6 as bytes, so that nothing can be made to refer
 * to another one.  But libc looks into a cache first, gconv-modules.cache, whose path is a string that can be another (`repoint`),
 * and which names the folder of each module.  Debian has it ready in libc6; here it gets the folder that the modules are in now.
 *
 * All numbers have 16 bits but the first, of 32, and are little-endian; offsets of names are within the table of strings:
 *
 *     0            0x20010324
 *     4            offsets of the strings, of the hash table, length of that, offsets of the character sets, of the shortcuts
 *     sets         six each: name; folder and module that encodes; folder and module that decodes; where shortcuts of it begin
 *     shortcuts    lists: how many modules, of each three: a character set, folder, module; 0 ends the lists of a set
 *
 * The new name of the folder stands behind everything else: offsets of strings reach there as well.
 */
#include "config.h"
#include "build/deb_int.h"

#include "base/fdio.h"

#include <unistd.h>

#define MAGIC 0x20010324u
enum { HEADER = 14, SET = 12, MODULE = 6 };

struct cache {
	const struct deb_tree *t;
	struct buf text;
	size_t size; /* as it was */
	size_t strings, sets, shortcuts;
	size_t from, to; /* the last folder that was replaced, and by which */
	struct err *e;
};

static int damaged(struct cache *c)
{
	return err_set(c->e, ERR_INVALID, "a cache of character sets that is damaged");
}

static uint8_t *at(const struct cache *c, size_t offset)
{
	return (uint8_t *)c->text.p + offset;
}

/* The folder whose name's offset stands there gets another name. */
static int replace_folder(struct cache *c, size_t where)
{
	size_t old = elf_get(at(c, where), 2);
	const char *name = (const char *)at(c, c->strings + old);

	if (c->strings + old >= c->size || !memchr(name, 0, c->size - c->strings - old))
		return damaged(c);
	if (*name != '/')
		return 0; /* built into libc */
	if (old != c->from) {
		struct buf b = BUF_INIT;

		buf_addf(&b, "%s/%s", c->t->out, deb_flat(name));
		c->from = old;
		c->to = c->text.len - c->strings;
		buf_add(&c->text, b.p, b.len + 1);
		buf_release(&b);
		if (c->to > UINT16_MAX)
			return err_set(c->e, ERR_LIMIT, "a cache of character sets that is too large");
	}
	elf_put(at(c, where), 2, c->to);
	return 0;
}

static int replace_all(struct cache *c)
{
	int rc = 0;

	for (size_t i = c->sets; i + SET <= c->shortcuts && !rc; i += SET) {
		rc = replace_folder(c, i + 2);
		rc = rc ? rc : replace_folder(c, i + 6);
	}
	for (size_t i = c->shortcuts; i + 2 <= c->size && !rc;) {
		size_t n = elf_get(at(c, i), 2);

		i += 2;
		if (n * MODULE > c->size - i)
			return damaged(c);
		for (; n && !rc; n--, i += MODULE)
			rc = replace_folder(c, i + 2);
	}
	return rc;
}

static int replace(struct cache *c)
{
	c->size = c->text.len;
	if (c->size < HEADER || elf_get(at(c, 0), 4) != MAGIC)
		return damaged(c);
	c->strings = elf_get(at(c, 4), 2);
	c->sets = elf_get(at(c, 10), 2);
	c->shortcuts = elf_get(at(c, 12), 2);
	if (c->strings > c->size || c->sets > c->shortcuts || c->shortcuts > c->size)
		return damaged(c);
	return replace_all(c);
}

static int adapt(struct deb_tree *t, size_t i, struct err *e)
{
	struct cache c = { .t = t, .text = BUF_INIT, .e = e };
	const char *path = t->files.v[i];
	struct stat st;
	int fd, rc;

	if (!slice_ends(slice_of(path), SLICE("/gconv-modules.cache")))
		return 0;
	if ((fd = deb_open_file(t, path, &st, e)) < 0)
		return fd;
	rc = fd_read_all(fd, &c.text) < 0 ? err_errno(e, "cannot read '%s'", path) : replace(&c);
	rc = rc ? rc : deb_write_file(fd, path, &c.text, e);
	if (rc)
		err_prefix(e, "'%s'", path);
	t->counts.texts += !rc;
	buf_release(&c.text);
	close(fd);
	return rc;
}

int deb_adapt_gconv(struct deb_tree *t, struct err *e)
{
	return deb_each_file(t, adapt, e);
}

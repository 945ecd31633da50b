/* SPDX-License-Identifier: MIT
 *
 * gx nar: archives as files.
 */
#include "config.h"
#include "base/alloc.h"
#include "cli/command.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "format/nar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- pack --- */

static int pack_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", command_help_options }, { 0 } };
	static const struct program program = { "gx nar pack", "print the archive of a file or folder",
						"gx nar pack PATH >FILE.nar", NULL, groups };
	const struct nar_sink sink = { output_sink, NULL };
	struct command c = { .program = &program };
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 1, 1, "one path");

	if (rc != COMMAND_GO)
		return rc;
	rc = nar_write(AT_FDCWD, c.operands[0], NULL, NULL, &sink, &e) ? command_fail(&e) : EXIT_DONE;
	return command_end(&c, rc);
}

/* --- reading one into a tree --- */

/* Offsets follow from the format: every string is 8 bytes of length and its bytes padded to 8 (format/nar_write.c). */
enum {
	TAG_SMALL = 16,	      /* ( ) type entry name node regular symlink target contents, all of 1 to 8 bytes */
	TAG_LARGE = 24,	      /* nix-archive-1, directory, executable */
	NODE_HEAD = 2 * TAG_SMALL, /* ( type */
	ENTRY_HEAD = 4 * TAG_SMALL /* entry ( name, node */
};

struct reading {
	struct node *root, *at;
	uint64_t offset;
	const char *cat; /* print the contents of this one */
	int catting;
};

static uint64_t string_size(size_t n)
{
	return 8 + (n + 7) / 8 * 8;
}

static struct node *begin_node(struct reading *r, struct slice name, enum nar_type type)
{
	struct node *n = node_new(r->at, name.p ? name.p : "", type);

	if (!r->root) {
		r->root = n;
		r->offset = TAG_LARGE;
	} else {
		r->offset += ENTRY_HEAD + string_size(name.n);
	}
	r->offset += NODE_HEAD + (type == NAR_DIRECTORY ? TAG_LARGE : TAG_SMALL);
	return n;
}

/* ")" of the node, and that of the entry it is in. */
static void end_node(struct reading *r, const struct node *n)
{
	r->offset += n->up ? 2 * TAG_SMALL : TAG_SMALL;
}

static int on_directory(void *user, struct slice name, struct err *e)
{
	struct reading *r = user;

	(void)e;
	r->at = begin_node(r, name, NAR_DIRECTORY);
	return 0;
}

static int on_directory_end(void *user, struct err *e)
{
	struct reading *r = user;

	(void)e;
	end_node(r, r->at);
	r->at = r->at->up;
	return 0;
}

/* 1 when n lies at `path` below the root. */
static int is_at(const struct node *n, const char *path)
{
	size_t end = strlen(path), len;

	for (; n->up; n = n->up) {
		while (end && path[end - 1] == '/')
			end--;
		len = strlen(n->name);
		if (len > end || memcmp(path + end - len, n->name, len) || (end > len && path[end - len - 1] != '/'))
			return 0;
		end -= len;
	}
	while (end && path[end - 1] == '/')
		end--;
	return !end;
}

static int on_regular(void *user, struct slice name, int executable, uint64_t size, struct err *e)
{
	struct reading *r = user;
	struct node *n = begin_node(r, name, NAR_REGULAR);

	(void)e;
	n->executable = executable;
	n->size = size;
	r->offset += (executable ? TAG_LARGE + 8 : 0) + TAG_SMALL + 8;
	n->nar_offset = r->offset;
	r->offset += (size + 7) / 8 * 8;
	end_node(r, n);
	r->catting = r->cat && is_at(n, r->cat);
	return 0;
}

static int on_contents(void *user, const void *p, size_t n, struct err *e)
{
	struct reading *r = user;

	return r->catting ? output_sink(NULL, p, n, e) : 0;
}

static int on_symlink(void *user, struct slice name, struct slice target, struct err *e)
{
	struct reading *r = user;
	struct node *n = begin_node(r, name, NAR_SYMLINK);

	(void)e;
	n->target = xstrdup(target.p);
	r->offset += TAG_SMALL + string_size(target.n);
	end_node(r, n);
	return 0;
}

static int read_nar(struct reading *r, const char *file, struct err *e)
{
	static const struct nar_events events = { on_directory, on_directory_end, on_regular, on_contents, NULL, on_symlink };
	int fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : dup(0), rc;

	if (fd < 0)
		return err_errno(e, "cannot open '%s'", file);
	rc = nar_read_fd(fd, &events, r, e);
	if (rc)
		err_prefix(e, "'%s'", file);
	close(fd);
	return rc;
}

/* --- ls, cat --- */

static int ls_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", listing_option_table },
						      { "Help", command_help_options },
						      { 0 } };
	static const struct program program = { "gx nar ls", "list what is in an archive", "gx nar ls [options] FILE.nar [PATH]",
						NULL, groups };
	struct listing_options o = { 0 };
	struct command c = { .program = &program, .option = listing_option, .arg = &o };
	struct reading r = { 0 };
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct node *n = NULL;
	int rc = command_read(&c, argc, argv, 1, 2, "an archive and a path in it");

	if (rc != COMMAND_GO)
		return rc;
	o.json = c.json;
	if (!read_nar(&r, c.operands[0], &e))
		n = node_find(r.root, c.n > 1 ? c.operands[1] : "", &e);
	if (n)
		listing_add(&b, n, n->name, &o);
	node_free(r.root);
	return command_end(&c, n ? command_print(&b) : command_fail(&e));
}

static void want_file(struct node *root, const char *path, struct err *e)
{
	struct err none = ERR_INIT;
	const struct node *n = node_find(root, path, &none);

	if (!n || n->type != NAR_REGULAR)
		err_set(e, ERR_NOTFOUND, "NAR does not contain regular file '%s'%s%s", path, n ? ": it is a " : "",
			n ? nar_type_name(n->type) : "");
	err_release(&none);
}

static int cat_run(int argc, char **argv)
{
	static const struct option_group groups[] = { { "Options", command_help_options }, { 0 } };
	static const struct program program = { "gx nar cat", "print a file out of an archive", "gx nar cat FILE.nar PATH", NULL,
						groups };
	struct command c = { .program = &program };
	struct reading r = { 0 };
	struct err e = ERR_INIT;
	int rc = command_read(&c, argc, argv, 2, 2, "an archive and a path in it");

	if (rc != COMMAND_GO)
		return rc;
	r.cat = c.operands[1];
	if (!read_nar(&r, c.operands[0], &e))
		want_file(r.root, c.operands[1], &e);
	node_free(r.root);
	return command_end(&c, e.code ? command_fail(&e) : EXIT_DONE);
}

const struct verb nar_verbs[] = {
	{ "pack", "print the archive of a file or folder", pack_run, NULL },
	{ "ls", "list what is in an archive", ls_run, NULL },
	{ "cat", "print a file out of an archive", cat_run, NULL },
	{ 0 }
};

/* SPDX-License-Identifier: MIT
 *
 * builtin:unpack-deb, between its files: a tree is being made of some .deb files, in this order:
 *
 *     deb_unpack.c        the files of all, below one folder instead of / and /usr
 *     deb_more.c          files, links and wrappers that a recipe adds
 *     deb_alternatives.c  links that packages ask for when they are installed
 *     deb_links.c         symbolic links, to where their targets are now
 *     deb_gconv.c         where glibc's character sets are
 *     deb_scripts.c       interpreters of scripts, paths in linker scripts and .pc files
 *     deb_elf.c           loaders and libraries of programs
 *     deb_repoint.c       for both: other strings in place of some that are named
 *
 * Two kinds of paths: those of Debian ("/usr/bin/perl"), and those of our trees ("bin/perl"), which have neither / nor usr/ in
 * front: deb_flat makes one of the other.  What is not in the tree itself may be in those it depends on.
 */
#ifndef BUILD_DEB_INT_H
#define BUILD_DEB_INT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/words.h"
#include "build/elf_patch.h"

#include <stddef.h>
#include <sys/stat.h>

/* A symbolic link, before it is known where it leads. */
struct deb_link {
	char *path;   /* in the tree */
	char *origin; /* Debian's path of it, and of its target */
	char *target;
	char *text; /* what stands in it */
	int optional; /* not made when it would lead nowhere */
	int settled;
};

/* A link that a package asks for; paths are Debian's. */
struct deb_alternative {
	char *link, *path;
	int priority;
};

struct deb_tree {
	int fd;		 /* $out */
	int copies;	 /* what is taken from stays as it is */
	const char *out; /* its path */
	struct words debs, deps, prune;
	struct words repoint; /* triples: files, a string, what it shall be */
	struct words concat, add, link, merge; /* pairs, and */
	struct words wrap;	/* programs and their variables: what recipes add */
	struct words sized;   /* those of these strings whose size is built in as well */
	size_t *repointed;    /* of each triple, in how many files */
	struct words files;   /* regular ones of the tree; in byte order once all is unpacked */
	ino_t *same;	      /* of each the same number where several are one file, 0 where it is alone */
	struct deb_link *links;
	size_t nlinks, links_cap;
	struct deb_alternative *alternatives; /* in the order of their packages */
	size_t nalternatives, alternatives_cap;
	int with_alternatives;
	struct {
		size_t links, dangling, scripts, lost_scripts, texts, elf, foreign, lost_libraries, lost_loaders;
	} counts;
};

/* Malloc'd, as all that is kept; a builder's process ends with its tree. */
char *deb_join(const char *dir, const char *name);

/* A path of Debian as one of a tree, a part of the former: "/usr/lib/x" is "lib/x", "/usr" and "/" are "". */
const char *deb_flat(const char *path);

/* A text with what stands for the output replaced. */
char *deb_with_output(const char *s, const char *out);

/* Where a path of a tree is: in the tree itself, or in the first of its dependencies that has it, be it a link that leads nowhere.
 * Appends the full path; 0 when it is nowhere. */
int deb_find(const struct deb_tree *t, const char *path, struct buf *where);

/* Calls adapt for each file of the tree, for those that are one file once, with the first name. */
int deb_each_file(struct deb_tree *t, int (*adapt)(struct deb_tree *t, size_t i, struct err *e), struct err *e);

/* Opens a regular file of the tree to be changed, and how large it is; negative, with the error set, on failure. */
int deb_open_file(const struct deb_tree *t, const char *path, struct stat *st, struct err *e);

/* Writes its contents anew. */
int deb_write_file(int fd, const char *path, const struct buf *text, struct err *e);

/* What people read afterwards: the build's log. */
void deb_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- deb_unpack.c --- */

/* Unpacks one more .deb file into the tree: into the folder `top` first, which it makes and removes.  Links are only noted. */
int deb_unpack(struct deb_tree *t, const char *deb, const char *top, struct err *e);

/* Makes the parent of a path of the tree where it is missing. */
int deb_make_parent(const struct deb_tree *t, const char *path, struct err *e);

/* Is the path of the tree left out? */
int deb_is_pruned(const struct deb_tree *t, const char *path);

/* --- deb_more.c --- */

/* Makes what recipes ask for, once all is unpacked. */
int deb_add_more(struct deb_tree *t, struct err *e);

/* --- deb_alternatives.c --- */

/* Reads what a postinst asks for. */
void deb_read_alternatives(struct deb_tree *t, const char *script);

/* Notes the links that were asked for, once all is unpacked. */
int deb_note_alternatives(struct deb_tree *t, struct err *e);

/* --- deb_links.c --- */

/* Notes a link: its path in Debian, and what stands in it. ERR_INVALID when there is another of that name. */
int deb_note_link(struct deb_tree *t, const char *origin, const char *text, int optional, struct err *e);

/* The one that was noted for a path of the tree, or NULL. */
const struct deb_link *deb_find_link(const struct deb_tree *t, const char *path);

/* Makes all that were noted. */
int deb_make_links(struct deb_tree *t, struct err *e);

/* --- deb_repoint.c --- */

/* Is there something to be changed in the i-th file? */
int deb_is_named(const struct deb_tree *t, size_t i);

/* What is to be changed in the i-th file, whose contents these are: how many strings; the caller frees *out. */
size_t deb_repoints(const struct deb_tree *t, size_t i, const void *p, size_t n, struct elf_string **out);

/* Does so in text, which belongs to the caller still. ERR_INVALID names a string that is not in it. */
int deb_repoint_text(const struct deb_tree *t, size_t i, struct buf *text, struct err *e);

/* All that was asked for has been done, or ERR_INVALID. */
int deb_check_repoints(const struct deb_tree *t, struct err *e);

/* --- deb_gconv.c, deb_scripts.c, deb_elf.c --- */
int deb_adapt_gconv(struct deb_tree *t, struct err *e);
int deb_adapt_scripts(struct deb_tree *t, struct err *e);
int deb_adapt_programs(struct deb_tree *t, struct err *e);

#endif

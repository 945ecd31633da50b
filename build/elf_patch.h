/* SPDX-License-Identifier: MIT
 *
 * Another loader, other folders to look for libraries in, and other strings in a program, which may be longer than those that
 * stood there: written behind the end of the file, in a segment of their own.
 */
#ifndef BUILD_ELF_PATCH_H
#define BUILD_ELF_PATCH_H

#include "build/elf.h"

/* A string that the program has built in, and what it shall be.  sized: code has its length built in as well, beside what refers
 * to it, which is changed with it (glibc's name of the folder of locales is a list by length). */
struct elf_string {
	const char *from, *to;
	int sized;
};

struct elf_change {
	const char *interp;  /* NULL: as it is */
	const char *runpath; /* NULL: as it is; "": none. Otherwise no other folders are looked into (DF_1_NODEFLIB). */
	const struct elf_string *strings;
	size_t nstrings;
};

/* Changes the file that was opened, in memory; *tail gets what has to be written behind it (nothing when there was nothing to
 * change).  f holds no longer then.  ERR_INVALID: it has no program header to spare, or there is no reference to a string; the
 * memory may be changed in part then. */
int elf_patch(struct elf *f, const struct elf_change *c, struct buf *tail, struct err *e);

/* --- elf_repoint.c, for elf_patch --- */

/* A string that is to be found elsewhere, and the address that references shall have. */
struct elf_moved {
	const struct elf_string *s;
	uint64_t to;
};

/* Points what refers to the beginning of a string elsewhere: instructions that take its address, and words that are relocated.
 * Appends to *code what some have to do instead, to lie at this address (a multiple of 4). ERR_INVALID names a string that nothing
 * refers to. */
int elf_repoint(struct elf *f, const struct elf_moved *v, size_t n, struct buf *code, uint64_t address, struct err *e);

#endif

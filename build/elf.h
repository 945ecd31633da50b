/* SPDX-License-Identifier: MIT
 *
 * Programs and libraries of Linux as they lie in a file: what of them has to be known to move them to another place (their
 * loader, the libraries they need, where they look for these), and writing that anew (elf_patch.c, elf_repoint.c).
 *
 * 64-bit, little-endian, x86_64 and aarch64, dynamically linked; on a machine of any kind.  What else begins as an ELF file is
 * foreign: nothing is known of it.  Whatever the bytes are, nothing outside of them is touched: a table that does
 * not fit is ERR_INVALID.
 *
 * The layout is in <elf.h>; fields are read byte by byte, by FIELD and SET_FIELD, since the file is little-endian and need
 * not be aligned.
 */
#ifndef BUILD_ELF_H
#define BUILD_ELF_H

#include "base/buf.h"
#include "base/err.h"

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/* No program has an address above. */
#define ELF_ADDRESS_END ((uint64_t)1 << 48)

/* A file in memory, borrowed, and what was found in it.  Offsets are of the file, SIZE_MAX where there is no such thing. */
struct elf {
	uint8_t *p;
	size_t n;
	unsigned machine, type;	  /* EM_*, ET_* */
	size_t phdrs, nphdrs;	  /* program headers */
	size_t sections, nsections;
	size_t interp;		  /* the index of its program header */
	size_t dynamic_ph;	  /* likewise */
	size_t dynamic, ndynamic; /* entries, up to the end of the segment */
	size_t used;		  /* of these, before the first DT_NULL */
	uint64_t strings_at;	  /* DT_STRTAB, an address */
	size_t strings, nstrings; /* the table in the file; it ends with a NUL */
};

/* The field of a structure of <elf.h> that lies at p. */
#define FIELD(p, type, field) elf_get((p) + offsetof(type, field), sizeof ((type *)0)->field)
#define SET_FIELD(p, type, field, v) elf_put((p) + offsetof(type, field), sizeof ((type *)0)->field, v)

static inline uint64_t elf_get(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static inline void elf_put(uint8_t *p, size_t n, uint64_t v)
{
	for (; n--; v >>= 8)
		*p++ = (uint8_t)v;
}

/* Looks at the n bytes at p, which must outlive f. 1: it is one of those that can be changed.  0: it is foreign.  ERR_INVALID
 * says what is wrong with it. */
int elf_open(struct elf *f, uint8_t *p, size_t n, struct err *e);

static inline uint8_t *elf_phdr(const struct elf *f, size_t i)
{
	return f->p + f->phdrs + i * sizeof(Elf64_Phdr);
}

static inline uint8_t *elf_section(const struct elf *f, size_t i)
{
	return f->p + f->sections + i * sizeof(Elf64_Shdr);
}

/* Where n bytes at an address lie in the file: SIZE_MAX when no segment has all of them there. */
size_t elf_offset(const struct elf *f, uint64_t address, uint64_t n);

/* The loader it asks for; NULL when it is no program.  Borrowed, as below. */
const char *elf_interp(const struct elf *f);

/* The i-th value of the dynamic section with this tag; 0 when there are not so many. */
int elf_dynamic(const struct elf *f, int64_t tag, size_t i, uint64_t *value);

/* The same as a string of its table; NULL when there are not so many. */
const char *elf_dynamic_string(const struct elf *f, int64_t tag, size_t i);

#endif

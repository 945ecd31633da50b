/* SPDX-License-Identifier: MIT
 *
 * A string that is built in is not overwritten: linkers merge strings that end alike, and who patches "/lib/" in place patches the
 * end of "/usr/lib/" as well, or of a word that has nothing to do with it.  Instead, what refers to its first byte is made to refer
 * to another string.  Who refers to the middle of it, or to a longer one that it is the end of, sees what it saw before.
 *
 * What refers to it is code that takes the address relative to itself (`lea` on x86_64, `adrp` and `add` or `adr` on aarch64; plain
 * numbers in programs that have a fixed place), and pointers in tables, which the loader makes of relocations.  Bytes are not
 * decoded as instructions: that some others look like one that takes exactly this address has odds of one to 2^40 and less.
 */
#include "config.h"
#include "build/elf_patch.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define DT_RELR_TAG 36 /* younger than some <elf.h> */

enum { NEAR = 256 }; /* instructions between the two of a pair */

/* An address at which one of the strings begins. */
struct place {
	uint64_t at;
	size_t which;
};

struct repoint {
	struct elf *f;
	const struct elf_moved *v;
	struct place *places; /* ascending */
	size_t n, cap;
	size_t *refs; /* to each string */
	struct err *e;
};

/* A part of the file that is in memory at run time. */
struct part {
	uint8_t *p;
	size_t n;
	uint64_t at;
	unsigned flags;
};

static int part_of(const struct elf *f, size_t i, struct part *s)
{
	const uint8_t *h = elf_phdr(f, i);

	if (FIELD(h, Elf64_Phdr, p_type) != PT_LOAD)
		return 0;
	s->p = f->p + FIELD(h, Elf64_Phdr, p_offset);
	s->n = FIELD(h, Elf64_Phdr, p_filesz);
	s->at = FIELD(h, Elf64_Phdr, p_vaddr);
	s->flags = (unsigned)FIELD(h, Elf64_Phdr, p_flags);
	return 1;
}

/* --- where the strings are --- */

static void find_string(struct repoint *r, const struct part *s, size_t which)
{
	const char *text = r->v[which].from;
	size_t n = strlen(text) + 1;
	const uint8_t *p = s->p, *end = s->p + s->n;

	while ((p = memmem(p, (size_t)(end - p), text, n))) {
		ARRAY_GROW(r->places, r->n + 1, r->cap);
		r->places[r->n++] = (struct place){ s->at + (uint64_t)(p - s->p), which };
		p++;
	}
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = ((const struct place *)a)->at, y = ((const struct place *)b)->at;

	return (x > y) - (x < y);
}

static void find_strings(struct repoint *r, size_t nstrings)
{
	struct part s;

	for (size_t i = 0; i < r->f->nphdrs; i++)
		for (size_t k = 0; part_of(r->f, i, &s) && k < nstrings; k++)
			find_string(r, &s, k);
	if (r->n)
		qsort(r->places, r->n, sizeof *r->places, by_address);
}

static const struct place *place_at(const struct repoint *r, uint64_t at)
{
	struct place key = { at, 0 };

	return r->n ? bsearch(&key, r->places, r->n, sizeof key, by_address) : NULL;
}

static int too_far(struct repoint *r, const struct place *to)
{
	return err_set(r->e, ERR_INVALID, "a reference to the string '%s' cannot reach the end of the file", r->v[to->which].from);
}

/* --- words that hold its address --- */

static void point_relocations(struct repoint *r)
{
	uint64_t type = r->f->machine == EM_AARCH64 ? R_AARCH64_RELATIVE : R_X86_64_RELATIVE, at, n;
	size_t offset;

	if (!elf_dynamic(r->f, DT_RELA, 0, &at) || !elf_dynamic(r->f, DT_RELASZ, 0, &n) ||
	    (offset = elf_offset(r->f, at, n)) == SIZE_MAX)
		return;
	for (uint8_t *p = r->f->p + offset; n >= sizeof(Elf64_Rela); n -= sizeof(Elf64_Rela), p += sizeof(Elf64_Rela)) {
		const struct place *to = place_at(r, FIELD(p, Elf64_Rela, r_addend));

		if (!to || FIELD(p, Elf64_Rela, r_info) != type)
			continue;
		SET_FIELD(p, Elf64_Rela, r_addend, r->v[to->which].to);
		r->refs[to->which]++;
	}
}

/* Words in data: of a program with a fixed place, and where relocations are packed as places only. */
static void point_words(struct repoint *r, const struct part *s)
{
	for (size_t i = -s->at & 7; i + 8 <= s->n; i += 8) {
		const struct place *to = place_at(r, elf_get(s->p + i, 8));

		if (!to)
			continue;
		elf_put(s->p + i, 8, r->v[to->which].to);
		r->refs[to->which]++;
	}
}

/* --- x86_64 --- */

/* "lea register, [address of the next instruction + 32 bits]" at p. */
static int is_lea(const uint8_t *p)
{
	return (p[0] & 0xf8) == 0x48 && p[1] == 0x8d && (p[2] & 0xc7) == 0x05;
}

static int point_lea(struct repoint *r, const struct part *s)
{
	enum { LEN = 7 };

	for (size_t i = 0; i + LEN <= s->n; i++) {
		uint64_t next = s->at + i + LEN;
		const struct place *to;

		if (!is_lea(s->p + i) || !(to = place_at(r, next + (uint64_t)(int64_t)(int32_t)elf_get(s->p + i + 3, 4))))
			continue;
		int64_t by = (int64_t)(r->v[to->which].to - next);

		if (by != (int32_t)by)
			return too_far(r, to);
		elf_put(s->p + i + 3, 4, (uint64_t)by);
		r->refs[to->which]++;
	}
	return 0;
}

/* "mov register, 32 bits", which only a program with a fixed place can use for an address. */
static int point_mov(struct repoint *r, const struct part *s)
{
	enum { LEN = 5 };

	for (size_t i = 0; i + LEN <= s->n; i++) {
		const struct place *to;

		if ((s->p[i] & 0xf8) != 0xb8 || !(to = place_at(r, elf_get(s->p + i + 1, 4))))
			continue;
		if (r->v[to->which].to > UINT32_MAX)
			return too_far(r, to);
		elf_put(s->p + i + 1, 4, r->v[to->which].to);
		r->refs[to->which]++;
	}
	return 0;
}

/* --- aarch64 --- */

static uint32_t word(const struct part *s, size_t i)
{
	return (uint32_t)elf_get(s->p + i * 4, 4);
}

static int is_adr(uint32_t w)
{
	return (w & 0x9f000000) == 0x10000000;
}

static int is_adrp(uint32_t w)
{
	return (w & 0x9f000000) == 0x90000000;
}

/* add xD, xN, #12 bits */
static int is_add(uint32_t w)
{
	return (w & 0xffc00000) == 0x91000000;
}

/* The 21 bits with a sign of both. */
static int64_t adr_value(uint32_t w)
{
	int64_t v = (int64_t)((w >> 5 & 0x7ffff) << 2 | (w >> 29 & 3));

	return v - ((v & 1 << 20) << 1);
}

static uint32_t with_adr_value(uint32_t w, int64_t v)
{
	return (w & 0x9f00001f) | (uint32_t)(v & 3) << 29 | (uint32_t)(v >> 2 & 0x7ffff) << 5;
}

static int is_adr_range(int64_t v)
{
	return v >= -(1 << 20) && v < 1 << 20;
}

/* Does it change the register, as far as can be told from its class? */
static int writes(uint32_t w, unsigned reg)
{
	unsigned class = w >> 25 & 15, first = w & 31, second = w >> 10 & 31;
	int pair = (w >> 27 & 7) == 5;

	if ((w & 0xfc000000) == 0x94000000 || (w & 0xfffffc1f) == 0xd63f0000) /* calls leave 19 to 29 alone */
		return reg <= 18 || reg == 30;
	if ((class & 14) == 8 || ((class & 7) == 5 && (w & 0x1fe00000) != 0x1a400000)) /* calculates; not a conditional compare */
		return first == reg;
	if ((class & 5) != 4 || w >> 26 & 1) /* no load or store, or one of a vector */
		return 0;
	return pair ? w >> 22 & 1 && (first == reg || second == reg) : w >> 22 & 3 && first == reg;
}

/* Does it use the register as the page of something else than what lies at `low`? */
static int uses_otherwise(uint32_t w, unsigned reg, uint32_t low)
{
	unsigned class = w >> 25 & 15;

	if ((w >> 5 & 31) != reg)
		return 0;
	if (is_add(w))
		return (w >> 10 & 0xfff) != low;
	return (class & 5) == 4; /* a load or store with it as address */
}

/* The index of the adrp that the add at i builds upon, when it is for this page; SIZE_MAX otherwise. */
static size_t adrp_of(const struct part *s, size_t i, uint64_t page)
{
	unsigned reg = word(s, i) >> 5 & 31;

	for (size_t k = 1; k <= NEAR && k <= i; k++) {
		uint32_t w = word(s, i - k);
		uint64_t at = s->at + (i - k) * 4;

		if (is_adrp(w) && (w & 31) == reg)
			return (at & ~(uint64_t)0xfff) + (uint64_t)(adr_value(w) * 4096) == page ? i - k : SIZE_MAX;
		if (writes(w, reg))
			return SIZE_MAX;
	}
	return SIZE_MAX;
}

static int is_shared(const struct part *s, size_t adrp, uint32_t low)
{
	unsigned reg = word(s, adrp) & 31;

	for (size_t k = adrp + 1; k <= adrp + NEAR && (k + 1) * 4 <= s->n; k++) {
		if (uses_otherwise(word(s, k), reg, low))
			return 1;
		if (writes(word(s, k), reg))
			return 0;
	}
	return 0;
}

static void set_word(const struct part *s, size_t i, uint32_t w)
{
	elf_put(s->p + i * 4, 4, w);
}

/* The pair becomes another pair, or the add alone an adr, which needs no page: that is preferred, for nobody else can be
 * concerned by it. */
static int point_pair(struct repoint *r, const struct part *s, size_t adrp, size_t add, const struct place *from)
{
	uint64_t to = r->v[from->which].to, at = s->at + add * 4, base = (s->at + adrp * 4) & ~(uint64_t)0xfff;
	int64_t by = (int64_t)(to - at), pages = (int64_t)((to & ~(uint64_t)0xfff) - base) / 4096;

	if (is_adr_range(by)) {
		set_word(s, add, with_adr_value(0x10000000 | (word(s, add) & 31), by));
	} else if (is_adr_range(pages) && !is_shared(s, adrp, from->at & 0xfff)) {
		set_word(s, adrp, with_adr_value(word(s, adrp), pages));
		set_word(s, add, (word(s, add) & ~(uint32_t)(0xfff << 10)) | (uint32_t)(to & 0xfff) << 10);
	} else {
		return too_far(r, from);
	}
	r->refs[from->which]++;
	return 0;
}

static int point_adr(struct repoint *r, const struct part *s, size_t i)
{
	uint64_t at = s->at + i * 4;
	const struct place *from = place_at(r, at + (uint64_t)adr_value(word(s, i)));

	if (!from)
		return 0;
	int64_t by = (int64_t)(r->v[from->which].to - at);

	if (!is_adr_range(by))
		return too_far(r, from);
	set_word(s, i, with_adr_value(word(s, i), by));
	r->refs[from->which]++;
	return 0;
}

struct pair {
	size_t adrp, add;
	const struct place *from;
};

/* All pairs are found before one is changed: several can share their first instruction. */
static int point_aarch64(struct repoint *r, const struct part *s)
{
	struct pair *v = NULL;
	size_t n = 0, cap = 0;
	int rc = 0;

	for (size_t i = 0; (i + 1) * 4 <= s->n && !rc; i++) {
		uint32_t w = word(s, i);

		if (is_adr(w))
			rc = point_adr(r, s, i);
		for (size_t k = 0; is_add(w) && k < r->n; k++) {
			size_t adrp = (r->places[k].at & 0xfff) == (w >> 10 & 0xfff) ?
					      adrp_of(s, i, r->places[k].at & ~(uint64_t)0xfff) :
					      SIZE_MAX;

			if (adrp == SIZE_MAX)
				continue;
			ARRAY_GROW(v, n + 1, cap);
			v[n++] = (struct pair){ adrp, i, &r->places[k] };
		}
	}
	for (size_t i = 0; i < n && !rc; i++)
		rc = point_pair(r, s, v[i].adrp, v[i].add, v[i].from);
	free(v);
	return rc;
}

/* --- all of it --- */

static int point_part(struct repoint *r, const struct part *s)
{
	int fixed = r->f->type == ET_EXEC, code = s->flags & PF_X, rc = 0;
	uint64_t unused;

	if (!code) {
		if (fixed || (s->flags & PF_W && elf_dynamic(r->f, DT_RELR_TAG, 0, &unused)))
			point_words(r, s);
	} else if (r->f->machine == EM_AARCH64) {
		rc = point_aarch64(r, s);
	} else {
		rc = point_lea(r, s);
		if (!rc && fixed)
			rc = point_mov(r, s);
	}
	return rc;
}

static int check_found(struct repoint *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!r->refs[i])
			return err_set(r->e, ERR_INVALID, "nothing in it refers to the string '%s'", r->v[i].from);
	return 0;
}

int elf_repoint(struct elf *f, const struct elf_moved *v, size_t n, struct err *e)
{
	struct repoint r = { .f = f, .v = v, .e = e, .refs = xcalloc(n, sizeof *r.refs) };
	struct part s;
	int rc = 0;

	find_strings(&r, n);
	point_relocations(&r);
	for (size_t i = 0; i < f->nphdrs && !rc; i++)
		if (part_of(f, i, &s))
			rc = point_part(&r, &s);
	rc = rc ? rc : check_found(&r, n);
	free(r.places);
	free(r.refs);
	return rc;
}

/* SPDX-License-Identifier: MIT
 *
 * A string that is built in is not overwritten: linkers merge strings that end alike, and who patches "/lib/" in place patches the
 * end of "/usr/lib/" as well, or of a word that has nothing to do with it.  Instead, what refers to its first byte is made to refer
 * to another string.  Who refers to the middle of it, or to a longer one that it is the end of, sees what it saw before.
 *
 * What refers to it is code that takes the address relative to itself (`lea` on x86_64, `adrp` and `add` or `adr` on aarch64; plain
 * numbers in programs that have a fixed place), and pointers in tables, which the loader makes of relocations, or of symbols. Bytes
 * are not decoded as instructions: that some others look like one that takes exactly this address has odds of one to 2^40 and less.
 *
 * On aarch64 the first instruction of a pair may serve several others, and the second be reached from several first ones; so only
 * the second is changed, to one that needs no first: `adr` where the string is within a MiB, otherwise a branch to two instructions
 * behind the strings, and back.
 */
#include "config.h"
#include "build/elf_patch.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define DT_RELR_TAG 36 /* younger than some <elf.h> */

enum { NEAR = 256 };  /* instructions between the two of a pair */
enum { MOST = 1000 }; /* places of strings: none stands in a file so often */

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
	size_t *refs;	      /* to each string */
	size_t *sizes;	      /* how often its size was found beside these */
	struct buf *code;
	uint64_t code_at;
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

static int find_string(struct repoint *r, const struct part *s, size_t which)
{
	const char *text = r->v[which].s->from;
	size_t n = strlen(text) + 1;
	const uint8_t *p = s->p, *end = s->p + s->n;

	for (; (p = memmem(p, (size_t)(end - p), text, n)); p++) {
		if (r->n == MOST)
			return err_set(r->e, ERR_LIMIT, "the string '%s' stands in it more than %d times", text, MOST);
		ARRAY_GROW(r->places, r->n + 1, r->cap);
		r->places[r->n++] = (struct place){ s->at + (uint64_t)(p - s->p), which };
	}
	return 0;
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = ((const struct place *)a)->at, y = ((const struct place *)b)->at;

	return (x > y) - (x < y);
}

static int find_strings(struct repoint *r, size_t nstrings)
{
	struct part s;
	int rc = 0;

	for (size_t i = 0; i < r->f->nphdrs && !rc; i++)
		for (size_t k = 0; part_of(r->f, i, &s) && k < nstrings && !rc; k++)
			rc = find_string(r, &s, k);
	if (r->n)
		qsort(r->places, r->n, sizeof *r->places, by_address);
	return rc;
}

static const struct place *place_at(const struct repoint *r, uint64_t at)
{
	struct place key = { at, 0 };

	return r->n ? bsearch(&key, r->places, r->n, sizeof key, by_address) : NULL;
}

static int too_far(struct repoint *r, const struct place *to)
{
	return err_set(r->e, ERR_INVALID, "a reference to the string '%s' cannot reach the end of the file",
		       r->v[to->which].s->from);
}

/* --- words that hold its address --- */

/* The value of a symbol that a relocation names: what others call the string by (perl's PL_sh_path). */
static void point_symbol(struct repoint *r, uint64_t info)
{
	uint64_t table, at = info >> 32;
	size_t offset;

	if (!at || !elf_dynamic(r->f, DT_SYMTAB, 0, &table) ||
	    (offset = elf_offset(r->f, table + at * sizeof(Elf64_Sym), sizeof(Elf64_Sym))) == SIZE_MAX)
		return;
	uint8_t *p = r->f->p + offset;
	const struct place *to = place_at(r, FIELD(p, Elf64_Sym, st_value));

	if (!to || !FIELD(p, Elf64_Sym, st_shndx))
		return;
	SET_FIELD(p, Elf64_Sym, st_value, r->v[to->which].to);
	r->refs[to->which]++;
}

static void point_relocations(struct repoint *r)
{
	uint64_t type = r->f->machine == EM_AARCH64 ? R_AARCH64_RELATIVE : R_X86_64_RELATIVE, at, n;
	size_t offset;

	if (!elf_dynamic(r->f, DT_RELA, 0, &at) || !elf_dynamic(r->f, DT_RELASZ, 0, &n) ||
	    (offset = elf_offset(r->f, at, n)) == SIZE_MAX)
		return;
	for (uint8_t *p = r->f->p + offset; n >= sizeof(Elf64_Rela); n -= sizeof(Elf64_Rela), p += sizeof(Elf64_Rela)) {
		const struct place *to = place_at(r, FIELD(p, Elf64_Rela, r_addend));

		point_symbol(r, FIELD(p, Elf64_Rela, r_info));
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

/* Where in a "mov something, 32 bits" at p, which has so many bytes, these stand; 0 when it is none. */
static size_t immediate(const uint8_t *p, size_t n)
{
	size_t at = n > 1 && (p[0] & 0xf0) == 0x40;

	if (n > at && (p[at] & 0xf8) == 0xb8)
		return at + 1;
	if (n < at + 3 || p[at] != 0xc7 || p[at + 1] & 0x38)
		return 0;
	unsigned mode = p[at + 1] >> 6;

	at += 2 + (mode != 3 && (p[at + 1] & 7) == 4);
	return mode == 0 || mode == 3 ? at : mode == 1 ? at + 1 : at + 4;
}

/* What a length or a size of the old string is of the new one; 0: it is neither. */
static size_t new_size(const struct elf_string *s, uint64_t old)
{
	size_t n = strlen(s->from);

	return old == n || old == n + 1 ? strlen(s->to) + (size_t)(old - n) : 0;
}

/* The size of a string that had one beside the reference at p. */
static void size_at(struct repoint *r, size_t which, uint8_t *p, size_t n)
{
	const struct elf_string *s = r->v[which].s;
	size_t at = immediate(p, n), size = at && at + 4 <= n ? new_size(s, elf_get(p + at, 4)) : 0;

	if (!size)
		return;
	elf_put(p + at, 4, size);
	r->sizes[which]++;
}

/* "mov register, register" of 64 bits at p. */
static int is_move(const uint8_t *p)
{
	return (p[0] & 0xf8) == 0x48 && p[1] == 0x89 && p[2] >> 6 == 3;
}

/* The instructions before and behind one of `len` bytes; one that moves another argument of a call may be between. */
static void size_beside(struct repoint *r, size_t which, const struct part *s, size_t i, size_t len)
{
	enum { LONGEST = 12, MOVE = 3 };

	if (!r->v[which].s->sized)
		return;
	if (i >= MOVE && is_move(s->p + i - MOVE)) {
		i -= MOVE;
		len += MOVE;
	}
	for (size_t n = 5; n <= LONGEST && n <= i; n++)
		if (immediate(s->p + i - n, n) + 4 == n)
			size_at(r, which, s->p + i - n, n);
	size_at(r, which, s->p + i + len, s->n - i - len < LONGEST ? s->n - i - len : LONGEST);
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
		size_beside(r, to->which, s, i, LEN);
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

/* Does the add at i build upon an adrp of this page? */
static int has_page(const struct part *s, size_t i, uint64_t page)
{
	unsigned reg = word(s, i) >> 5 & 31;

	for (size_t k = 1; k <= NEAR && k <= i; k++) {
		uint32_t w = word(s, i - k);
		uint64_t at = s->at + (i - k) * 4;

		if (is_adrp(w) && (w & 31) == reg)
			return (at & ~(uint64_t)0xfff) + (uint64_t)(adr_value(w) * 4096) == page;
		if (writes(w, reg))
			return 0;
	}
	return 0;
}

/* What the add at i adds up to, when it is one of the strings. */
static const struct place *sum_at(const struct repoint *r, const struct part *s, size_t i)
{
	for (size_t k = 0; k < r->n; k++)
		if ((r->places[k].at & 0xfff) == (word(s, i) >> 10 & 0xfff) && has_page(s, i, r->places[k].at & ~(uint64_t)0xfff))
			return &r->places[k];
	return NULL;
}

static void set_word(const struct part *s, size_t i, uint32_t w)
{
	elf_put(s->p + i * 4, 4, w);
}

static uint32_t branch(uint64_t from, uint64_t to)
{
	return 0x14000000 | (uint32_t)((to - from) / 4 & 0x3ffffff);
}

static void add_word(struct buf *b, uint32_t w)
{
	uint8_t bytes[4];

	elf_put(bytes, sizeof bytes, w);
	buf_add(b, bytes, sizeof bytes);
}

/* adrp, add, and a branch behind the instruction at `back`. */
static void add_detour(struct repoint *r, unsigned reg, uint64_t to, uint64_t back)
{
	uint64_t at = r->code_at + r->code->len;

	add_word(r->code, with_adr_value(0x90000000 | reg, (int64_t)((to >> 12) - (at >> 12))));
	add_word(r->code, 0x91000000 | reg | reg << 5 | (uint32_t)(to & 0xfff) << 10);
	add_word(r->code, branch(at + 8, back));
}

/* "mov register, size" near a reference. */
static void sizes_near(struct repoint *r, size_t which, const struct part *s, size_t i)
{
	const struct elf_string *t = r->v[which].s;
	enum { AWAY = 3 };

	for (size_t k = i > AWAY ? i - AWAY : 0; t->sized && k <= i + AWAY && (k + 1) * 4 <= s->n; k++) {
		size_t size = (word(s, k) & 0x7fe00000) == 0x52800000 ? new_size(t, word(s, k) >> 5 & 0xffff) : 0;

		if (!size)
			continue;
		set_word(s, k, (word(s, k) & ~(uint32_t)(0xffff << 5)) | (uint32_t)size << 5);
		r->sizes[which]++;
	}
}

/* The instruction at i puts the address of a string into a register: whatever it did before, it does so alone from now on. */
static int point_instruction(struct repoint *r, const struct part *s, size_t i, const struct place *from)
{
	uint64_t at = s->at + i * 4, to = r->v[from->which].to, detour = r->code_at + r->code->len;
	int64_t by = (int64_t)(to - at);
	unsigned reg = word(s, i) & 31;

	if (is_adr_range(by)) {
		set_word(s, i, with_adr_value(0x10000000 | reg, by));
	} else if (detour - at < (uint64_t)1 << 27) {
		set_word(s, i, branch(at, detour));
		add_detour(r, reg, to, at + 4);
	} else {
		return too_far(r, from);
	}
	sizes_near(r, from->which, s, i);
	r->refs[from->which]++;
	return 0;
}

/* All are found before one is changed: what stands before each of them tells what it means. */
static int point_aarch64(struct repoint *r, const struct part *s)
{
	struct found {
		size_t i;
		const struct place *from;
	} *v = NULL;
	size_t n = 0, cap = 0;
	int rc = 0;

	for (size_t i = 0; (i + 1) * 4 <= s->n; i++) {
		uint32_t w = word(s, i);
		const struct place *from = is_adr(w) ? place_at(r, s->at + i * 4 + (uint64_t)adr_value(w)) :
					   is_add(w) ? sum_at(r, s, i) :
						       NULL;

		if (!from)
			continue;
		ARRAY_GROW(v, n + 1, cap);
		v[n++] = (struct found){ i, from };
	}
	for (size_t i = 0; i < n && !rc; i++)
		rc = point_instruction(r, s, v[i].i, v[i].from);
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
			return err_set(r->e, ERR_INVALID, "nothing in it refers to the string '%s'", r->v[i].s->from);
	for (size_t i = 0; i < n; i++)
		if (r->v[i].s->sized && !r->sizes[i])
			return err_set(r->e, ERR_INVALID, "nothing in it has the size of the string '%s'", r->v[i].s->from);
	return 0;
}

int elf_repoint(struct elf *f, const struct elf_moved *v, size_t n, struct buf *code, uint64_t address, struct err *e)
{
	struct repoint r = { .f = f, .v = v, .e = e, .code = code, .code_at = address };
	struct part s;
	int rc;

	r.refs = xcalloc(n, sizeof *r.refs);
	r.sizes = xcalloc(n, sizeof *r.sizes);
	rc = find_strings(&r, n);
	if (!rc)
		point_relocations(&r);
	for (size_t i = 0; i < f->nphdrs && !rc; i++)
		if (part_of(f, i, &s))
			rc = point_part(&r, &s);
	rc = rc ? rc : check_found(&r, n);
	free(r.places);
	free(r.refs);
	free(r.sizes);
	return rc;
}

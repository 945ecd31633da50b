/* SPDX-License-Identifier: MIT
 *
 * Why not patchelf: it is a program of some architecture that had to be there first, it writes the file anew from its sections, so
 * that its result depends on its version, and it knows nothing of strings that are built in.  This makes the same bytes on every
 * machine, and touches nothing but what it names.
 *
 * A file gets one segment more, behind everything else both in the file and in memory:
 *
 *     the dynamic section, where the old one has no room for the new entries
 *     the name of the loader
 *     the table of strings, with the new ones at its end: the folders to look in, then what the program had built in; and what
 *         code has to do to reach these, where it cannot (aarch64)
 *
 * The program headers stay where they are and as many as they are: the new segment takes the place of a note that nobody needs to
 * run the program (they stay sections, where debuggers look for them).  Segments have to ascend in that table, so what stands
 * between the note and the last segment moves by one.  Nothing that is in the file moves, so nothing else can be wrong afterwards.
 * All that is new belongs to a section: strip and objcopy leave out what does not.
 *
 * Old strings stay where they are. They are no references to anything: what Debian builds in begins with /usr or /lib.
 */
#include "config.h"
#include "build/elf_patch.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Pages are no larger than this, whatever the kernel: a segment must begin in a page of its own. */
enum { PAGE_X86_64 = 4096, PAGE_AARCH64 = 65536 };
enum { ALIGN = 16 };

/* What is being made. */
struct patch {
	struct elf *f;
	const struct elf_change *c;
	struct buf *tail;
	uint64_t offset, address; /* of the segment */
	size_t start;		  /* where it begins in the tail */
	struct buf dynamic;	  /* the new section */
	int code;		  /* there is some in it */
	struct err *e;
};

static uint64_t align_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) / to * to;
}

/* --- which program header --- */

/* How well we can do without it: 0 not at all. */
static int dispensable(const uint8_t *h)
{
	switch (FIELD(h, Elf64_Phdr, p_type)) {
	case PT_NULL:
		return 4;
	case PT_NOTE: /* Of 8: properties, which have a header of their own as well.  Of 4: the build's identity, the system. */
		return FIELD(h, Elf64_Phdr, p_align) == 8 ? 3 : 1;
	case PT_GNU_PROPERTY:
		return 2;
	default:
		return 0;
	}
}

static int choose_header(const struct elf *f, size_t *which, struct err *e)
{
	int best = 0;

	for (size_t i = 0; i < f->nphdrs; i++)
		if (dispensable(elf_phdr(f, i)) > best) {
			best = dispensable(elf_phdr(f, i));
			*which = i;
		}
	return best ? 0
		    : err_set(e, ERR_INVALID,
			      "none of its program headers can be done without: there is no room for another segment");
}

static size_t last_load(const struct elf *f)
{
	size_t last = 0;

	for (size_t i = 0; i < f->nphdrs; i++)
		if (FIELD(elf_phdr(f, i), Elf64_Phdr, p_type) == PT_LOAD)
			last = i;
	return last;
}

/* Puts the header of the new segment behind the last of its kind, in place of `which`. */
static void put_header(struct patch *p, size_t which, uint64_t page)
{
	size_t last = last_load(p->f), size = sizeof(Elf64_Phdr), to = which < last ? last : last + 1;
	uint8_t *h = elf_phdr(p->f, 0);

	if (which < last)
		memmove(h + which * size, h + (which + 1) * size, (last - which) * size);
	else
		memmove(h + (to + 1) * size, h + to * size, (which - to) * size);
	h += to * size;
	memset(h, 0, size);
	SET_FIELD(h, Elf64_Phdr, p_type, PT_LOAD);
	SET_FIELD(h, Elf64_Phdr, p_flags, (uint64_t)(PF_R | (p->dynamic.len ? PF_W : 0) | (p->code ? PF_X : 0)));
	SET_FIELD(h, Elf64_Phdr, p_offset, p->offset);
	SET_FIELD(h, Elf64_Phdr, p_vaddr, p->address);
	SET_FIELD(h, Elf64_Phdr, p_paddr, p->address);
	SET_FIELD(h, Elf64_Phdr, p_filesz, p->tail->len - p->start);
	SET_FIELD(h, Elf64_Phdr, p_memsz, p->tail->len - p->start);
	SET_FIELD(h, Elf64_Phdr, p_align, page);
}

/* --- where the segment goes --- */

static int place_segment(struct patch *p, uint64_t *page_out)
{
	uint64_t page = p->f->machine == EM_AARCH64 ? PAGE_AARCH64 : PAGE_X86_64, end = 0;

	for (size_t i = 0; i < p->f->nphdrs; i++) {
		const uint8_t *h = elf_phdr(p->f, i);
		uint64_t align = FIELD(h, Elf64_Phdr, p_align);

		if (FIELD(h, Elf64_Phdr, p_type) != PT_LOAD)
			continue;
		end = FIELD(h, Elf64_Phdr, p_vaddr) + FIELD(h, Elf64_Phdr, p_memsz);
		if (align > page && !(align & (align - 1)) && align <= 1 << 24)
			page = align;
	}
	if (end > ELF_ADDRESS_END / 2)
		return err_set(p->e, ERR_INVALID, "there is no room for another segment behind those it has");
	p->offset = align_up(p->f->n, ALIGN);
	/* Both have to be the same within a page. */
	p->address = align_up(end, page) + p->offset % page;
	for (p->start = 0; p->f->n + p->start < p->offset; p->start++)
		buf_addc(p->tail, 0);
	*page_out = page;
	return 0;
}

static uint64_t address_of_end(const struct patch *p)
{
	return p->address + (p->tail->len - p->start);
}

static uint64_t offset_of(const struct patch *p, uint64_t address)
{
	return p->offset + (address - p->address);
}

/* --- the dynamic section --- */

static uint8_t *find_tag(struct buf *d, int64_t tag)
{
	uint8_t *entry = (uint8_t *)d->p;

	for (size_t i = 0; i < d->len; i += sizeof(Elf64_Dyn), entry += sizeof(Elf64_Dyn))
		if ((int64_t)FIELD(entry, Elf64_Dyn, d_tag) == tag)
			return entry;
	return NULL;
}

static void set_tag(struct buf *d, int64_t tag, uint64_t value)
{
	static const char empty[sizeof(Elf64_Dyn)];
	uint8_t *entry = find_tag(d, tag);

	if (!entry) {
		buf_add(d, empty, sizeof empty);
		entry = (uint8_t *)d->p + d->len - sizeof empty;
	}
	SET_FIELD(entry, Elf64_Dyn, d_tag, (uint64_t)tag);
	SET_FIELD(entry, Elf64_Dyn, d_un.d_val, value);
}

static void remove_tag(struct buf *d, int64_t tag)
{
	for (uint8_t *entry; (entry = find_tag(d, tag));) {
		size_t at = (size_t)(entry - (uint8_t *)d->p);

		memmove(entry, entry + sizeof(Elf64_Dyn), d->len - at - sizeof(Elf64_Dyn));
		buf_trim(d, d->len - sizeof(Elf64_Dyn));
	}
}

/* The entries as they shall be, without DT_NULL.  What they say of the table of strings is known last. */
static void make_dynamic(struct patch *p, struct buf *d)
{
	const uint8_t *flags;

	buf_add(d, p->f->p + p->f->dynamic, p->f->used * sizeof(Elf64_Dyn));
	if (!p->c->runpath)
		return;
	remove_tag(d, DT_RPATH);
	remove_tag(d, DT_RUNPATH);
	if (*p->c->runpath)
		set_tag(d, DT_RUNPATH, p->f->nstrings);
	flags = find_tag(d, DT_FLAGS_1);
	set_tag(d, DT_FLAGS_1, (flags ? FIELD(flags, Elf64_Dyn, d_un.d_val) : 0) | DF_1_NODEFLIB);
}

/* Room for it at the beginning of the segment where it has none where it is. */
static void reserve_dynamic(struct patch *p, const struct buf *d)
{
	size_t n = d->len + sizeof(Elf64_Dyn);

	if (n <= p->f->ndynamic * sizeof(Elf64_Dyn))
		return;
	buf_add(&p->dynamic, d->p, d->len);
	for (size_t i = 0; i < n; i++)
		buf_addc(p->tail, 0);
}

static void move_section(struct patch *p, uint64_t from, uint64_t type, uint64_t to, uint64_t n)
{
	for (size_t i = 0; i < p->f->nsections; i++) {
		uint8_t *s = elf_section(p->f, i);

		if (FIELD(s, Elf64_Shdr, sh_addr) != from || FIELD(s, Elf64_Shdr, sh_type) != type ||
		    !(FIELD(s, Elf64_Shdr, sh_flags) & SHF_ALLOC))
			continue;
		SET_FIELD(s, Elf64_Shdr, sh_addr, to);
		SET_FIELD(s, Elf64_Shdr, sh_offset, offset_of(p, to));
		SET_FIELD(s, Elf64_Shdr, sh_size, n);
	}
}

static void move_segment(struct patch *p, size_t which, uint64_t to, uint64_t n)
{
	uint8_t *h = elf_phdr(p->f, which);

	SET_FIELD(h, Elf64_Phdr, p_offset, offset_of(p, to));
	SET_FIELD(h, Elf64_Phdr, p_vaddr, to);
	SET_FIELD(h, Elf64_Phdr, p_paddr, to);
	SET_FIELD(h, Elf64_Phdr, p_filesz, n);
	SET_FIELD(h, Elf64_Phdr, p_memsz, n);
}

static void put_dynamic(struct patch *p, const struct buf *d)
{
	struct elf *f = p->f;
	size_t n = f->ndynamic * sizeof(Elf64_Dyn);
	uint8_t *old = f->p + f->dynamic;

	if (!p->dynamic.len) {
		memcpy(old, d->p, d->len);
		memset(old + d->len, 0, n - d->len);
		return;
	}
	/* The end is there: it was reserved as zeros. */
	memcpy(p->tail->p + p->start, d->p, d->len);
	move_section(p, FIELD(elf_phdr(f, f->dynamic_ph), Elf64_Phdr, p_vaddr), SHT_DYNAMIC, p->address,
		     d->len + sizeof(Elf64_Dyn));
	move_segment(p, f->dynamic_ph, p->address, d->len + sizeof(Elf64_Dyn));
}

/* --- strings --- */

static void put_interp(struct patch *p)
{
	size_t n = p->c->interp ? strlen(p->c->interp) + 1 : 0;
	uint64_t to = address_of_end(p);

	if (!n || p->f->interp == SIZE_MAX)
		return;
	move_section(p, FIELD(elf_phdr(p->f, p->f->interp), Elf64_Phdr, p_vaddr), SHT_PROGBITS, to, n);
	move_segment(p, p->f->interp, to, n);
	buf_add(p->tail, p->c->interp, n);
}

static int repoint(struct patch *p, const struct elf_moved *moved)
{
	struct buf code = BUF_INIT;
	int rc;

	while (address_of_end(p) % 4)
		buf_addc(p->tail, 0);
	rc = elf_repoint(p->f, moved, p->c->nstrings, &code, address_of_end(p), p->e);
	p->code = code.len > 0;
	buf_add(p->tail, code.p, code.len);
	/* A table of strings ends with a NUL. */
	buf_addc(p->tail, 0);
	buf_release(&code);
	return rc;
}

/* The table of strings; what was built in stands at its end. */
static int put_strings(struct patch *p, struct buf *d)
{
	struct elf_moved *moved = xcalloc(p->c->nstrings, sizeof *moved);
	uint64_t to = address_of_end(p);
	int rc = 0;

	buf_add(p->tail, p->f->p + p->f->strings, p->f->nstrings);
	if (p->c->runpath && *p->c->runpath)
		buf_add(p->tail, p->c->runpath, strlen(p->c->runpath) + 1);
	for (size_t i = 0; i < p->c->nstrings; i++) {
		moved[i] = (struct elf_moved){ &p->c->strings[i], address_of_end(p) };
		buf_add(p->tail, p->c->strings[i].to, strlen(p->c->strings[i].to) + 1);
	}
	if (p->c->nstrings)
		rc = repoint(p, moved);
	set_tag(d, DT_STRTAB, to);
	set_tag(d, DT_STRSZ, address_of_end(p) - to);
	move_section(p, p->f->strings_at, SHT_STRTAB, to, address_of_end(p) - to);
	free(moved);
	return rc;
}

int elf_patch(struct elf *f, const struct elf_change *c, struct buf *tail, struct err *e)
{
	struct patch p = { .f = f, .c = c, .tail = tail, .e = e };
	struct buf d = BUF_INIT;
	size_t which = 0;
	uint64_t page = 0;
	int rc;

	if (!(c->interp && f->interp != SIZE_MAX) && !c->runpath && !c->nstrings)
		return 0;
	rc = choose_header(f, &which, e);
	rc = rc ? rc : place_segment(&p, &page);
	if (!rc) {
		make_dynamic(&p, &d);
		reserve_dynamic(&p, &d);
		put_interp(&p);
		rc = put_strings(&p, &d);
		put_dynamic(&p, &d);
		put_header(&p, which, page);
	}
	buf_release(&p.dynamic);
	buf_release(&d);
	return rc;
}

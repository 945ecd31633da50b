/* SPDX-License-Identifier: MIT
 *
 * Everything is checked once, here, so that who changes a file can follow what it found: that tables lie in the file, segments
 * ascend and do not wrap round, strings end.
 */
#include "config.h"
#include "build/elf.h"

#include <string.h>

/* More than any linker makes; a program has some ten. */
enum { MAX_PHDRS = 1024 };

static int bad(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "damaged ELF file: %s", what);
}

static int fits(uint64_t at, uint64_t n, uint64_t size)
{
	return at <= size && n <= size - at;
}

static int is_ours(const uint8_t *p, size_t n)
{
	if (n < sizeof(Elf64_Ehdr) || memcmp(p, ELFMAG, SELFMAG) || p[EI_CLASS] != ELFCLASS64 || p[EI_DATA] != ELFDATA2LSB)
		return 0;
	uint64_t machine = FIELD(p, Elf64_Ehdr, e_machine), type = FIELD(p, Elf64_Ehdr, e_type);

	return (machine == EM_X86_64 || machine == EM_AARCH64) && (type == ET_EXEC || type == ET_DYN);
}

static int read_header(struct elf *f, struct err *e)
{
	uint64_t at = FIELD(f->p, Elf64_Ehdr, e_phoff), n = FIELD(f->p, Elf64_Ehdr, e_phnum);

	if (FIELD(f->p, Elf64_Ehdr, e_phentsize) != sizeof(Elf64_Phdr) || n > MAX_PHDRS || !fits(at, n * sizeof(Elf64_Phdr), f->n))
		return bad(e, "its program headers do not lie in it");
	f->phdrs = at;
	f->nphdrs = n;
	at = FIELD(f->p, Elf64_Ehdr, e_shoff);
	n = FIELD(f->p, Elf64_Ehdr, e_shnum);
	if (!at || !n)
		return 0;
	if (FIELD(f->p, Elf64_Ehdr, e_shentsize) != sizeof(Elf64_Shdr) || !fits(at, n * sizeof(Elf64_Shdr), f->n))
		return bad(e, "its section headers do not lie in it");
	f->sections = at;
	f->nsections = n;
	return 0;
}

static int note_one(size_t *where, size_t i, struct err *e)
{
	if (*where != SIZE_MAX)
		return bad(e, "two program headers where there can be one");
	*where = i;
	return 0;
}

static int read_segments(struct elf *f, struct err *e)
{
	uint64_t end = 0;
	int rc = 0;

	for (size_t i = 0; i < f->nphdrs && !rc; i++) {
		const uint8_t *h = elf_phdr(f, i);
		uint64_t type = FIELD(h, Elf64_Phdr, p_type), at = FIELD(h, Elf64_Phdr, p_vaddr);
		uint64_t size = FIELD(h, Elf64_Phdr, p_filesz), memory = FIELD(h, Elf64_Phdr, p_memsz);

		if (type != PT_LOAD && type != PT_INTERP && type != PT_DYNAMIC)
			continue;
		if (!fits(FIELD(h, Elf64_Phdr, p_offset), size, f->n))
			return bad(e, "a segment does not lie in it");
		if (type == PT_LOAD && (memory < size || at < end || !fits(at, memory, ELF_ADDRESS_END)))
			return bad(e, "its segments overlap");
		if (type == PT_LOAD)
			end = at + memory;
		else
			rc = note_one(type == PT_INTERP ? &f->interp : &f->dynamic_ph, i, e);
	}
	return rc;
}

static int read_dynamic(struct elf *f, struct err *e)
{
	const uint8_t *h = elf_phdr(f, f->dynamic_ph);
	uint64_t n, strings = 0;

	f->dynamic = FIELD(h, Elf64_Phdr, p_offset);
	f->ndynamic = FIELD(h, Elf64_Phdr, p_filesz) / sizeof(Elf64_Dyn);
	while (f->used < f->ndynamic && FIELD(f->p + f->dynamic + f->used * sizeof(Elf64_Dyn), Elf64_Dyn, d_tag) != DT_NULL)
		f->used++;
	if (f->used == f->ndynamic)
		return bad(e, "its dynamic section does not end");
	if (!elf_dynamic(f, DT_STRTAB, 0, &f->strings_at) || !elf_dynamic(f, DT_STRSZ, 0, &n) || !n)
		return bad(e, "it has no table of strings");
	strings = elf_offset(f, f->strings_at, n);
	if (strings == SIZE_MAX || f->p[strings + n - 1])
		return bad(e, "its table of strings does not lie in it");
	f->strings = strings;
	f->nstrings = n;
	return 0;
}

/* All that is named is there. */
static int check_strings(const struct elf *f, struct err *e)
{
	static const int64_t tags[] = { DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH };
	uint64_t at;

	for (size_t k = 0; k < sizeof tags / sizeof *tags; k++)
		for (size_t i = 0; elf_dynamic(f, tags[k], i, &at); i++)
			if (at >= f->nstrings)
				return bad(e, "a name does not lie in its table of strings");
	return 0;
}

static int check_interp(const struct elf *f, struct err *e)
{
	const uint8_t *h = f->interp == SIZE_MAX ? NULL : elf_phdr(f, f->interp);
	uint64_t n = h ? FIELD(h, Elf64_Phdr, p_filesz) : 0;

	if (h && (!n || f->p[FIELD(h, Elf64_Phdr, p_offset) + n - 1]))
		return bad(e, "the name of its loader does not end");
	return 0;
}

int elf_open(struct elf *f, uint8_t *p, size_t n, struct err *e)
{
	int rc;

	*f = (struct elf){ .p = p, .n = n, .interp = SIZE_MAX, .dynamic_ph = SIZE_MAX, .sections = SIZE_MAX };
	if (!is_ours(p, n))
		return 0;
	f->machine = (unsigned)FIELD(p, Elf64_Ehdr, e_machine);
	f->type = (unsigned)FIELD(p, Elf64_Ehdr, e_type);
	rc = read_header(f, e);
	rc = rc ? rc : read_segments(f, e);
	if (rc || f->dynamic_ph == SIZE_MAX)
		return rc;
	rc = read_dynamic(f, e);
	rc = rc ? rc : check_strings(f, e);
	rc = rc ? rc : check_interp(f, e);
	return rc ? rc : 1;
}

size_t elf_offset(const struct elf *f, uint64_t address, uint64_t n)
{
	for (size_t i = 0; i < f->nphdrs; i++) {
		const uint8_t *h = elf_phdr(f, i);
		uint64_t at = FIELD(h, Elf64_Phdr, p_vaddr);

		if (FIELD(h, Elf64_Phdr, p_type) == PT_LOAD && address >= at &&
		    fits(address - at, n, FIELD(h, Elf64_Phdr, p_filesz)))
			return FIELD(h, Elf64_Phdr, p_offset) + (address - at);
	}
	return SIZE_MAX;
}

const char *elf_interp(const struct elf *f)
{
	if (f->interp == SIZE_MAX)
		return NULL;
	return (const char *)f->p + FIELD(elf_phdr(f, f->interp), Elf64_Phdr, p_offset);
}

int elf_dynamic(const struct elf *f, int64_t tag, size_t i, uint64_t *value)
{
	const uint8_t *d = f->p + f->dynamic;

	for (size_t k = 0; k < f->used; k++, d += sizeof(Elf64_Dyn))
		if ((int64_t)FIELD(d, Elf64_Dyn, d_tag) == tag && !i--) {
			*value = FIELD(d, Elf64_Dyn, d_un.d_val);
			return 1;
		}
	return 0;
}

const char *elf_dynamic_string(const struct elf *f, int64_t tag, size_t i)
{
	uint64_t at;

	return elf_dynamic(f, tag, i, &at) ? (const char *)f->p + f->strings + at : NULL;
}

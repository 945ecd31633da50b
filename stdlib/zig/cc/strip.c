/* SPDX-License-Identifier: MIT
 *
 * strip: takes from a program or a shared library what nobody needs who runs it.  zig has no such program for ELF files.
 *
 * What is loaded stays where it is: all that program headers or sections with SHF_ALLOC name.  Behind it come those other sections that are kept,
 * their names and their headers.  Both classes and both orders of bytes are read by the width of their fields.
 *
 * Objects and archives that are not linked yet are refused: to take symbols from them is to change what others refer to.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "cc.h"

/* A header of a section, in the order of its fields; those of WIDE have the width of an address. */
enum { NAME_AT, TYPE, FLAGS, ADDRESS, OFFSET, SIZE, LINK, INFO, ALIGN, ENTRY, FIELDS };
enum { WIDE = 1 << FLAGS | 1 << ADDRESS | 1 << OFFSET | 1 << SIZE | 1 << ALIGN | 1 << ENTRY };

struct section {
	uint64_t field[FIELDS];
	size_t now; /* its number from now on; 0: it is no more */
};

struct elf {
	const char *name;
	unsigned char *bytes;
	size_t size;
	unsigned wide; /* 4 or 8 */
	int big;
	struct section *sections;
	size_t n, names; /* how many there are, and which has their names */
	unsigned char *out;
	size_t end;
};

static int refuse(const struct elf *elf, const char *why)
{
	fprintf(stderr, "error: cannot strip '%s': %s\n", elf->name, why);
	return 1;
}

static uint64_t get(const struct elf *elf, size_t at, unsigned width)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < width; i++)
		n |= (uint64_t)elf->bytes[at + i] << 8 * (elf->big ? width - 1 - i : i);
	return n;
}

static void put(const struct elf *elf, size_t at, unsigned width, uint64_t n)
{
	for (unsigned i = 0; i < width; i++)
		elf->out[at + i] = (unsigned char)(n >> 8 * (elf->big ? width - 1 - i : i));
}

/* Where the fields of the file's header lie that come after its three addresses. */
static size_t after_addresses(const struct elf *elf, size_t at)
{
	return 24 + 3 * elf->wide + at;
}

enum { HEADER_SIZE = 4, PROGRAM_SIZE = 6, PROGRAMS = 8, SECTION_SIZE = 10, SECTIONS = 12, NAMES = 14 };

static size_t of_header(const struct elf *elf, size_t at)
{
	return (size_t)get(elf, after_addresses(elf, at), 2);
}

static int lies_inside(const struct elf *elf, uint64_t offset, uint64_t size)
{
	return offset <= elf->size && size <= elf->size - offset;
}

static int read_section(const struct elf *elf, size_t at, struct section *s)
{
	for (int i = 0; i < FIELDS; i++) {
		unsigned width = WIDE & 1 << i ? elf->wide : 4;

		s->field[i] = get(elf, at, width);
		at += width;
	}
	return s->field[TYPE] == SHT_NOBITS || lies_inside(elf, s->field[OFFSET], s->field[SIZE]);
}

static void put_section(const struct elf *elf, size_t at, const struct section *s)
{
	for (int i = 0; i < FIELDS; i++) {
		unsigned width = WIDE & 1 << i ? elf->wide : 4;

		put(elf, at, width, s->field[i]);
		at += width;
	}
}

static size_t section_size(const struct elf *elf)
{
	return 4 * FIELDS + 6 * (elf->wide - 4);
}

/* The headers, and where what is loaded ends.  Nothing is believed of them that is not in the file. */
static int read_headers(struct elf *elf)
{
	uint64_t programs = get(elf, 24 + elf->wide, elf->wide), sections = get(elf, 24 + 2 * elf->wide, elf->wide);
	size_t n = of_header(elf, PROGRAMS), size = elf->wide == 8 ? 56 : 32;

	elf->n = of_header(elf, SECTIONS);
	elf->names = of_header(elf, NAMES);
	elf->end = after_addresses(elf, NAMES + 2);
	if ((n && of_header(elf, PROGRAM_SIZE) != size) || !lies_inside(elf, programs, n * size) ||
	    (elf->n && of_header(elf, SECTION_SIZE) != section_size(elf)) || !lies_inside(elf, sections, elf->n * section_size(elf)) ||
	    (elf->n && elf->names >= elf->n))
		return 0;
	if (n && programs + n * size > elf->end)
		elf->end = programs + n * size;
	for (size_t i = 0; i < n; i++) {
		size_t at = programs + i * size;
		uint64_t offset = get(elf, at + elf->wide, elf->wide), in_file = get(elf, at + 4 * elf->wide, elf->wide);

		if (!lies_inside(elf, offset, in_file))
			return 0;
		if (in_file && offset + in_file > elf->end)
			elf->end = offset + in_file;
	}
	elf->sections = calloc(elf->n + 1, sizeof *elf->sections);
	if (!elf->sections)
		fail("read", elf->name);
	for (size_t i = 0; i < elf->n; i++)
		if (!read_section(elf, sections + i * section_size(elf), &elf->sections[i]))
			return 0;
	return 1;
}

static const char *name_of(const struct elf *elf, const struct section *s)
{
	const struct section *names = &elf->sections[elf->names];
	uint64_t at = names->field[OFFSET] + s->field[NAME_AT];

	if (names->field[TYPE] != SHT_STRTAB || s->field[NAME_AT] >= names->field[SIZE] ||
	    !memchr(elf->bytes + at, 0, names->field[SIZE] - s->field[NAME_AT]))
		return "";
	return (const char *)elf->bytes + at;
}

static int is_for_debuggers(const char *name)
{
	return !strncmp(name, ".debug", 6) || !strncmp(name, ".zdebug", 7) || !strcmp(name, ".gdb_index") || !strcmp(name, ".stab") ||
	       !strcmp(name, ".stabstr");
}

/* Those that stay get their new numbers; the next of them is returned. */
static size_t choose(struct elf *elf, int only_debug)
{
	size_t next = 1;

	for (size_t i = 1; i < elf->n; i++) {
		struct section *s = &elf->sections[i];
		int loaded = (s->field[FLAGS] & SHF_ALLOC) != 0;

		if (loaded || i == elf->names || (only_debug && !is_for_debuggers(name_of(elf, s))))
			s->now = next++;
		if (loaded && s->field[TYPE] != SHT_NOBITS && s->field[OFFSET] + s->field[SIZE] > elf->end)
			elf->end = s->field[OFFSET] + s->field[SIZE];
	}
	return next;
}

static uint64_t renumbered(const struct elf *elf, uint64_t section)
{
	return section < elf->n ? elf->sections[section].now : section;
}

/* Symbols say which section they are in. */
static void renumber_symbols(const struct elf *elf, size_t at, size_t size)
{
	size_t entry = elf->wide == 8 ? 24 : 16, field = elf->wide == 8 ? 6 : 14;

	for (size_t i = 0; i + entry <= size; i += entry) {
		uint64_t section = get(elf, at + i + field, 2);

		if (section < SHN_LORESERVE)
			put(elf, at + i + field, 2, renumbered(elf, section));
	}
}

static size_t aligned(size_t n, size_t to)
{
	return to > 1 && to <= 4096 ? (n + to - 1) / to * to : n;
}

/* What is behind all that is loaded. */
static void put_rest(struct elf *elf, size_t n)
{
	size_t at, size = section_size(elf);

	for (size_t i = 1; i < elf->n; i++) {
		struct section *s = &elf->sections[i];

		if (!s->now || s->field[FLAGS] & SHF_ALLOC || s->field[TYPE] == SHT_NOBITS)
			continue;
		elf->end = aligned(elf->end, s->field[ALIGN]);
		memcpy(elf->out + elf->end, elf->bytes + s->field[OFFSET], s->field[SIZE]);
		s->field[OFFSET] = elf->end;
		elf->end += s->field[SIZE];
	}
	at = elf->end = aligned(elf->end, elf->wide);
	for (size_t i = 0; i < elf->n; i++) {
		struct section *s = &elf->sections[i];

		if (i && !s->now)
			continue;
		s->field[LINK] = renumbered(elf, s->field[LINK]);
		if (s->field[FLAGS] & SHF_INFO_LINK || s->field[TYPE] == SHT_REL || s->field[TYPE] == SHT_RELA)
			s->field[INFO] = renumbered(elf, s->field[INFO]);
		put_section(elf, elf->end, s);
		elf->end += size;
	}
	put(elf, 24 + 2 * elf->wide, elf->wide, at);
	put(elf, after_addresses(elf, SECTIONS), 2, n);
	put(elf, after_addresses(elf, NAMES), 2, elf->sections[elf->names].now);
}

/* How large it is at most, with what sections are aligned to: they may overlap, and are more together than the file is. */
static size_t room(const struct elf *elf)
{
	size_t n = elf->end + 4096;

	for (size_t i = 0; i < elf->n; i++) {
		const struct section *s = &elf->sections[i];

		n += section_size(elf) + 4096 + (s->now && s->field[TYPE] != SHT_NOBITS ? s->field[SIZE] : 0);
	}
	return n;
}

static void write_elf(struct elf *elf, size_t n)
{
	elf->out = calloc(1, room(elf));
	if (!elf->out)
		fail("strip", elf->name);
	memcpy(elf->out, elf->bytes, elf->end);
	for (size_t i = 1; i < elf->n; i++)
		if (elf->sections[i].field[TYPE] == SHT_SYMTAB || elf->sections[i].field[TYPE] == SHT_DYNSYM) {
			struct elf copy = *elf;

			copy.out = elf->sections[i].field[FLAGS] & SHF_ALLOC ? elf->out : elf->bytes;
			renumber_symbols(&copy, elf->sections[i].field[OFFSET], elf->sections[i].field[SIZE]);
		}
	put_rest(elf, n);
}

static int is_elf(struct elf *elf)
{
	if (elf->size < 52 || memcmp(elf->bytes, ELFMAG, SELFMAG))
		return 0;
	elf->wide = elf->bytes[EI_CLASS] == ELFCLASS64 ? 8 : 4;
	elf->big = elf->bytes[EI_DATA] == ELFDATA2MSB;
	return elf->size >= after_addresses(elf, NAMES + 2);
}

static int strip_file(const char *name, const char *to, int only_debug)
{
	struct elf elf = { .name = name };
	mode_t mode;
	int status = 0;

	elf.bytes = read_file(name, &elf.size, &mode);
	if (!is_elf(&elf))
		status = refuse(&elf, "it is no ELF file");
	else if (get(&elf, 16, 2) != ET_EXEC && get(&elf, 16, 2) != ET_DYN)
		status = refuse(&elf, "it is not linked, others refer to its symbols");
	else if (!read_headers(&elf))
		status = refuse(&elf, "its headers name what is not in it");
	else if (elf.n) {
		write_elf(&elf, choose(&elf, only_debug));
		replace_file(to, elf.out, elf.end, mode);
	} else {
		replace_file(to, elf.bytes, elf.size, mode);
	}
	free(elf.sections);
	free(elf.out);
	if (elf.bytes)
		munmap(elf.bytes, elf.size);
	return status;
}

/* Which of the usual options this is: 'a' all, 'd' only what debuggers read, 'o' and the next is where to; else 0. */
static char kind_of(const char *option)
{
	static const struct {
		const char *name;
		char kind;
	} all[] = {
		{ "-s", 'a' }, { "--strip-all", 'a' },	 { "--strip-unneeded", 'a' }, { "-g", 'd' }, { "-S", 'd' },
		{ "-d", 'd' }, { "--strip-debug", 'd' }, { "-o", 'o' },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!strcmp(all[i].name, option))
			return all[i].kind;
	return 0;
}

int strip(int argc, char **argv)
{
	const char *to = NULL;
	int only_debug = 0, status = 0, n = 0;

	for (int i = 1; i < argc; i++) {
		char kind = kind_of(argv[i]);

		if (*argv[i] != '-') {
			argv[n++] = argv[i];
		} else if (!kind || (kind == 'o' && ++i >= argc)) {
			fprintf(stderr, "error: strip takes [-s|-g] [-o FILE] FILE..., not '%s'\n", argv[kind == 'o' ? i - 1 : i]);
			return 1;
		} else if (kind == 'o') {
			to = argv[i];
		} else {
			only_debug = kind == 'd';
		}
	}
	if (!n || (to && n > 1)) {
		fprintf(stderr, "error: strip takes %s\n", n ? "one FILE with -o" : "[-s|-g] [-o FILE] FILE...");
		return 1;
	}
	for (int i = 0; i < n; i++)
		status |= strip_file(argv[i], to ? to : argv[i], only_debug);
	return status;
}

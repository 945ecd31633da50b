/* SPDX-License-Identifier: MIT
 *
 * build/elf: small files made here, of both architectures, are changed and looked at again; what code refers to is calculated as the
 * processor would.  And files that are not what they say: every one that differs in a byte from a good one is an error or comes out
 * whole.
 */
#include "config.h"
#include "build/elf_patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- making one --- */

enum {
	CODE = 0x400,	 /* offset of the code, which is mapped with all before it */
	TEXT = 0x800,	 /* of strings that are built in */
	DATA = 0x1000,	 /* of what is written to */
	AWAY = 0x200000, /* address of that, which is far from the code */
	SIZE = 0x1400
};

struct sample {
	uint8_t p[SIZE];
	size_t phdrs, dynamic; /* how many so far */
	size_t strings;	       /* how long the table is */
};

enum { STRINGS = 0x300, INTERP = 0x2c0, DYNAMIC = DATA, RELA = 0x380, SECTIONS = 0x1200 };

static void header(struct sample *s, uint32_t type, uint32_t flags, uint64_t offset, uint64_t address, uint64_t size, uint64_t align)
{
	uint8_t *h = s->p + sizeof(Elf64_Ehdr) + s->phdrs++ * sizeof(Elf64_Phdr);

	SET_FIELD(h, Elf64_Phdr, p_type, type);
	SET_FIELD(h, Elf64_Phdr, p_flags, flags);
	SET_FIELD(h, Elf64_Phdr, p_offset, offset);
	SET_FIELD(h, Elf64_Phdr, p_vaddr, address);
	SET_FIELD(h, Elf64_Phdr, p_filesz, size);
	SET_FIELD(h, Elf64_Phdr, p_memsz, size + (type == PT_LOAD && flags & PF_W ? 0x5000 : 0));
	SET_FIELD(h, Elf64_Phdr, p_align, align);
	SET_FIELD(s->p, Elf64_Ehdr, e_phnum, s->phdrs);
}

static void entry(struct sample *s, int64_t tag, uint64_t value)
{
	uint8_t *d = s->p + DYNAMIC + s->dynamic++ * sizeof(Elf64_Dyn);

	SET_FIELD(d, Elf64_Dyn, d_tag, (uint64_t)tag);
	SET_FIELD(d, Elf64_Dyn, d_un.d_val, value);
}

static uint64_t string(struct sample *s, const char *text)
{
	uint64_t at = s->strings;

	memcpy(s->p + STRINGS + at, text, strlen(text) + 1);
	s->strings += strlen(text) + 1;
	return at;
}

static void section(struct sample *s, uint32_t type, uint64_t address, uint64_t offset, uint64_t size)
{
	size_t n = FIELD(s->p, Elf64_Ehdr, e_shnum);
	uint8_t *h = s->p + SECTIONS + n * sizeof(Elf64_Shdr);

	SET_FIELD(h, Elf64_Shdr, sh_type, type);
	SET_FIELD(h, Elf64_Shdr, sh_flags, SHF_ALLOC);
	SET_FIELD(h, Elf64_Shdr, sh_addr, address);
	SET_FIELD(h, Elf64_Shdr, sh_offset, offset);
	SET_FIELD(h, Elf64_Shdr, sh_size, size);
	SET_FIELD(s->p, Elf64_Ehdr, e_shnum, n + 1);
}

/* A program with a loader, one library, and room for so many more entries. */
static void make(struct sample *s, unsigned machine, size_t spare)
{
	memset(s, 0, sizeof *s);
	memcpy(s->p, ELFMAG, SELFMAG);
	s->p[EI_CLASS] = ELFCLASS64;
	s->p[EI_DATA] = ELFDATA2LSB;
	SET_FIELD(s->p, Elf64_Ehdr, e_type, ET_DYN);
	SET_FIELD(s->p, Elf64_Ehdr, e_machine, machine);
	SET_FIELD(s->p, Elf64_Ehdr, e_phoff, sizeof(Elf64_Ehdr));
	SET_FIELD(s->p, Elf64_Ehdr, e_phentsize, sizeof(Elf64_Phdr));
	SET_FIELD(s->p, Elf64_Ehdr, e_shentsize, sizeof(Elf64_Shdr));
	SET_FIELD(s->p, Elf64_Ehdr, e_shoff, SECTIONS);
	strcpy((char *)s->p + INTERP, "/lib/ld.so");
	s->strings = 1;
	entry(s, DT_NEEDED, string(s, "libx.so.1"));
	entry(s, DT_RPATH, string(s, "/usr/lib/private"));
	entry(s, DT_FLAGS_1, DF_1_NOW);
	entry(s, DT_STRTAB, STRINGS);
	entry(s, DT_STRSZ, s->strings);
	entry(s, DT_RELA, RELA);
	entry(s, DT_RELASZ, 2 * sizeof(Elf64_Rela));
	header(s, PT_INTERP, PF_R, INTERP, INTERP, 11, 1);
	header(s, PT_LOAD, PF_R | PF_X, 0, 0, DATA, 0x1000);
	header(s, PT_LOAD, PF_R | PF_W, DATA, AWAY + DATA, 0x200, 0x1000);
	header(s, PT_DYNAMIC, PF_R | PF_W, DYNAMIC, AWAY + DYNAMIC, (s->dynamic + 1 + spare) * sizeof(Elf64_Dyn), 8);
	header(s, PT_NOTE, PF_R, 0x280, 0x280, 0x20, 4);
	header(s, PT_NOTE, PF_R, 0x2a0, 0x2a0, 0x20, 8);
	header(s, PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 16);
	section(s, SHT_NULL, 0, 0, 0);
	section(s, SHT_PROGBITS, INTERP, INTERP, 11);
	section(s, SHT_STRTAB, STRINGS, STRINGS, s->strings);
	section(s, SHT_DYNAMIC, AWAY + DYNAMIC, DYNAMIC, (s->dynamic + 1 + spare) * sizeof(Elf64_Dyn));
}

/* What becomes of a file: its bytes in *out, opened as f. Returns what elf_patch does, or elf_open when it is no file to change. */
static int change(const uint8_t *p, size_t n, const struct elf_change *c, struct buf *out, struct elf *f)
{
	struct err e = ERR_INIT;
	struct buf tail = BUF_INIT;
	int rc;

	buf_add(out, p, n);
	rc = elf_open(f, (uint8_t *)out->p, out->len, &e);
	if (rc == 1)
		rc = elf_patch(f, c, &tail, &e);
	if (!rc) {
		buf_add(out, tail.p, tail.len);
		rc = elf_open(f, (uint8_t *)out->p, out->len, &e) < 0 ? -100 : 0;
	}
	assert_int_equal(rc != 0, e.code != 0);
	buf_release(&tail);
	err_release(&e);
	return rc;
}

static const char *text_at(const struct elf *f, uint64_t address)
{
	size_t at = elf_offset(f, address, 1);

	assert_true(at != SIZE_MAX && memchr(f->p + at, 0, f->n - at));
	return (const char *)f->p + at;
}

/* --- loaders and folders --- */

static void check_moved(unsigned machine, size_t spare)
{
	struct elf_change c = { "/nix/store/loader/ld.so", "/nix/store/a/lib:/nix/store/b/lib", NULL, 0 };
	struct sample s;
	struct buf out = BUF_INIT;
	struct elf f;
	uint64_t v, last = 0;

	make(&s, machine, spare);
	assert_int_equal(change(s.p, SIZE, &c, &out, &f), 0);
	assert_int_equal(f.nphdrs, s.phdrs);
	assert_string_equal(elf_interp(&f), c.interp);
	assert_string_equal(elf_dynamic_string(&f, DT_RUNPATH, 0), c.runpath);
	assert_string_equal(elf_dynamic_string(&f, DT_NEEDED, 0), "libx.so.1");
	assert_false(elf_dynamic(&f, DT_RPATH, 0, &v));
	assert_true(elf_dynamic(&f, DT_FLAGS_1, 0, &v));
	assert_int_equal(v, DF_1_NOW | DF_1_NODEFLIB);
	for (size_t i = 0; i < f.nphdrs; i++) {
		const uint8_t *h = elf_phdr(&f, i);
		uint64_t page = machine == EM_AARCH64 ? 0x10000 : 0x1000;

		assert_false(FIELD(h, Elf64_Phdr, p_type) == PT_NOTE && FIELD(h, Elf64_Phdr, p_align) == 8);
		if (FIELD(h, Elf64_Phdr, p_type) != PT_LOAD)
			continue;
		last = FIELD(h, Elf64_Phdr, p_vaddr);
		if (FIELD(h, Elf64_Phdr, p_offset) < SIZE)
			continue;
		assert_int_equal(last % page, FIELD(h, Elf64_Phdr, p_offset) % page);
		assert_true(last / page > (AWAY + DATA + 0x5200 - 1) / page);
		assert_int_equal(FIELD(h, Elf64_Phdr, p_flags), spare ? PF_R : PF_R | PF_W);
	}
	assert_true(last > AWAY + DATA);
	/* Sections know where these are. */
	assert_string_equal((char *)f.p + FIELD(elf_section(&f, 1), Elf64_Shdr, sh_offset), c.interp);
	assert_int_equal(FIELD(elf_section(&f, 2), Elf64_Shdr, sh_offset), f.strings);
	assert_int_equal(FIELD(elf_section(&f, 2), Elf64_Shdr, sh_size), f.nstrings);
	assert_int_equal(FIELD(elf_section(&f, 3), Elf64_Shdr, sh_offset), f.dynamic);
	buf_release(&out);
}

static void test_moved(void **state)
{
	(void)state;
	check_moved(EM_X86_64, 4);
	check_moved(EM_AARCH64, 4);
}

/* The new entries do not fit where the old ones are: RUNPATH takes the place of RPATH, so another one is needed. */
static void test_moved_dynamic(void **state)
{
	struct elf_change c = { NULL, "/x", NULL, 0 };
	struct sample s;
	struct buf out = BUF_INIT;
	struct elf f;

	(void)state;
	make(&s, EM_X86_64, 0);
	SET_FIELD(s.p + DYNAMIC + sizeof(Elf64_Dyn), Elf64_Dyn, d_tag, DT_DEBUG);
	assert_int_equal(change(s.p, SIZE, &c, &out, &f), 0);
	assert_string_equal(elf_dynamic_string(&f, DT_RUNPATH, 0), "/x");
	assert_int_equal(f.dynamic, SIZE);
	assert_int_equal(FIELD(elf_section(&f, 3), Elf64_Shdr, sh_offset), f.dynamic);
	assert_int_equal(FIELD(elf_section(&f, 3), Elf64_Shdr, sh_addr), FIELD(elf_phdr(&f, f.dynamic_ph), Elf64_Phdr, p_vaddr));
	buf_release(&out);
}

static void test_nothing(void **state)
{
	struct elf_change c = { NULL, NULL, NULL, 0 };
	struct sample s;
	struct buf out = BUF_INIT;
	struct elf f;

	(void)state;
	make(&s, EM_X86_64, 4);
	assert_int_equal(change(s.p, SIZE, &c, &out, &f), 0);
	assert_int_equal(out.len, SIZE);
	assert_memory_equal(out.p, s.p, SIZE);
	buf_release(&out);
}

static void test_no_folders(void **state)
{
	struct elf_change c = { NULL, "", NULL, 0 };
	struct sample s;
	struct buf out = BUF_INIT;
	struct elf f;

	(void)state;
	make(&s, EM_X86_64, 4);
	assert_int_equal(change(s.p, SIZE, &c, &out, &f), 0);
	assert_null(elf_dynamic_string(&f, DT_RUNPATH, 0));
	assert_null(elf_dynamic_string(&f, DT_RPATH, 0));
	assert_string_equal(elf_interp(&f), "/lib/ld.so");
	buf_release(&out);
}

/* --- strings --- */

static void lea(struct sample *s, size_t at, uint64_t to)
{
	s->p[at] = 0x48;
	s->p[at + 1] = 0x8d;
	s->p[at + 2] = 0x3d;
	elf_put(s->p + at + 3, 4, to - (at + 7));
}

static uint64_t lea_target(const struct elf *f, size_t at)
{
	return at + 7 + (uint64_t)(int64_t)(int32_t)elf_get(f->p + at + 3, 4);
}

static void relative(struct sample *s, size_t i, unsigned type, uint64_t to)
{
	uint8_t *r = s->p + RELA + i * sizeof(Elf64_Rela);

	SET_FIELD(r, Elf64_Rela, r_info, type);
	SET_FIELD(r, Elf64_Rela, r_addend, to);
}

static uint64_t relative_target(const struct elf *f, size_t i)
{
	return FIELD(f->p + RELA + i * sizeof(Elf64_Rela), Elf64_Rela, r_addend);
}

static void test_strings_x86_64(void **state)
{
	static const struct elf_string v[] = { { "/lib/", "/nix/store/a/longer/lib/", 1 }, { "/bin/sh", "/x", 0 } };
	struct elf_change c = { NULL, NULL, v, 2 };
	struct sample s;
	struct buf out = BUF_INIT;
	struct elf f;

	(void)state;
	make(&s, EM_X86_64, 4);
	memcpy(s.p + TEXT, "\0/usr/lib/\0/bin/sh\0", 19);
	lea(&s, CODE, TEXT + 5);	  /* "/lib/", the end of another */
	lea(&s, CODE + 0x20, TEXT + 1);	  /* "/usr/lib/" */
	lea(&s, CODE + 0x40, TEXT + 16);  /* "sh" */
	lea(&s, CODE + 0x60, TEXT + 11);  /* "/bin/sh" */
	memcpy(s.p + CODE + 7, "\x48\xc7\x45\x88\6\0\0\0", 8); /* its size, to a variable */
	memcpy(s.p + CODE + 0x1b, "\xb9\6\0\0\0", 5);	       /* as much, beside another */
	memcpy(s.p + CODE + 0x67, "\xb9\6\0\0\0", 5);
	relative(&s, 0, R_X86_64_RELATIVE, TEXT + 11);
	relative(&s, 1, R_X86_64_GLOB_DAT, TEXT + 11);
	assert_int_equal(change(s.p, SIZE, &c, &out, &f), 0);
	assert_string_equal(text_at(&f, lea_target(&f, CODE)), v[0].to);
	assert_string_equal(text_at(&f, lea_target(&f, CODE + 0x20)), "/usr/lib/");
	assert_string_equal(text_at(&f, lea_target(&f, CODE + 0x40)), "sh");
	assert_string_equal(text_at(&f, lea_target(&f, CODE + 0x60)), "/x");
	assert_string_equal(text_at(&f, relative_target(&f, 0)), "/x");
	assert_int_equal(relative_target(&f, 1), TEXT + 11);
	assert_int_equal(elf_get(f.p + CODE + 11, 4), strlen(v[0].to) + 1);
	assert_int_equal(elf_get(f.p + CODE + 0x1c, 4), 6);
	assert_int_equal(elf_get(f.p + CODE + 0x68, 4), 6);
	assert_memory_equal(f.p + TEXT, s.p + TEXT, 19);
	buf_release(&out);
}

/* A program with a fixed place, and words without relocations. */
static void test_strings_fixed(void **state)
{
	static const struct elf_string v[] = { { "/bin/sh", "/x", 0 } };
	struct elf_change c = { NULL, NULL, v, 1 };
	struct sample s;
	struct buf out = BUF_INIT;
	struct elf f;

	(void)state;
	make(&s, EM_X86_64, 4);
	SET_FIELD(s.p, Elf64_Ehdr, e_type, ET_EXEC);
	memcpy(s.p + TEXT, "\0/bin/sh\0", 9);
	s.p[CODE] = 0xbf;
	elf_put(s.p + CODE + 1, 4, TEXT + 1);
	elf_put(s.p + DATA + 0x180, 8, TEXT + 1);
	elf_put(s.p + DATA + 0x18c, 8, TEXT + 1);
	assert_int_equal(change(s.p, SIZE, &c, &out, &f), 0);
	assert_string_equal(text_at(&f, elf_get(f.p + CODE + 1, 4)), "/x");
	assert_string_equal(text_at(&f, elf_get(f.p + DATA + 0x180, 8)), "/x");
	assert_int_equal(elf_get(f.p + DATA + 0x18c, 8), TEXT + 1);
	buf_release(&out);
}

/* What the register holds after the instruction at an address, followed through branches for a few steps. */
static uint64_t run_aarch64(const struct elf *f, uint64_t at, uint64_t regs[32], uint64_t until)
{
	for (int steps = 0; at != until; steps++) {
		assert_true(steps < 20);
		uint32_t w = (uint32_t)elf_get(f->p + elf_offset(f, at, 4), 4);
		int64_t imm = (int64_t)((w >> 5 & 0x7ffff) << 2 | (w >> 29 & 3));

		imm -= imm & 1 << 20 ? 1 << 21 : 0;
		if ((w & 0x9f000000) == 0x90000000)
			regs[w & 31] = (at & ~(uint64_t)0xfff) + (uint64_t)(imm * 4096);
		else if ((w & 0x9f000000) == 0x10000000)
			regs[w & 31] = at + (uint64_t)imm;
		else if ((w & 0xffc00000) == 0x91000000)
			regs[w & 31] = regs[w >> 5 & 31] + (w >> 10 & 0xfff);
		else if ((w & 0x7fe00000) == 0x52800000)
			regs[w & 31] = w >> 5 & 0xffff;
		if ((w & 0xfc000000) == 0x14000000)
			at += (uint64_t)(((int64_t)(w & 0x3ffffff) ^ 0x2000000) - 0x2000000) * 4;
		else
			at += 4;
	}
	return at;
}

static void put_words(struct sample *s, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		elf_put(s->p + CODE + i * 4, 4, v[i]);
}

static void test_strings_aarch64(void **state)
{
	/* TEXT lies in the page of CODE. adrp x1; add x2, x1, #"/bin/sh"; add x3, x1, #"/usr/lib/"; mov x4, #8; add x1, x1, #"/bin/sh" */
	static const uint32_t code[] = { 0x90000001, 0x91202c22, 0x91200423, 0xd2800104, 0x91202c21 };
	static const struct elf_string v[] = { { "/bin/sh", "/nix/store/a/bin/sh", 1 } };
	struct elf_change c = { NULL, NULL, v, 1 };
	struct sample s;
	struct buf out = BUF_INIT;
	struct elf f;
	uint64_t regs[32] = { 0 };

	(void)state;
	make(&s, EM_AARCH64, 4);
	memcpy(s.p + TEXT, "\0/usr/lib/\0/bin/sh\0", 19);
	put_words(&s, code, 5);
	relative(&s, 0, R_AARCH64_RELATIVE, TEXT + 11);
	assert_int_equal(change(s.p, SIZE, &c, &out, &f), 0);
	run_aarch64(&f, CODE, regs, CODE + 5 * 4);
	assert_string_equal(text_at(&f, regs[2]), v[0].to);
	assert_string_equal(text_at(&f, regs[3]), "/usr/lib/");
	assert_string_equal(text_at(&f, regs[1]), v[0].to);
	assert_int_equal(regs[4], strlen(v[0].to) + 1);
	assert_string_equal(text_at(&f, relative_target(&f, 0)), v[0].to);
	buf_release(&out);
}

/* Near enough for adr: the segment follows at once where nothing is far away. */
static void test_strings_near(void **state)
{
	/* adrp x1; add x1, x1, #TEXT + 1; adr x5, TEXT + 1 */
	static const uint32_t code[] = { 0x90000001, 0x91200421, 0x30001fc5 };
	static const struct elf_string v[] = { { "/bin/sh", "/x", 0 } };
	struct elf_change c = { NULL, NULL, v, 1 };
	struct sample s;
	struct buf out = BUF_INIT;
	struct elf f;
	uint64_t regs[32] = { 0 };

	(void)state;
	make(&s, EM_AARCH64, 4);
	memcpy(s.p + TEXT, "\0/bin/sh\0", 9);
	SET_FIELD(s.p + sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr), Elf64_Phdr, p_vaddr, 0x10000 + DATA);
	SET_FIELD(s.p + sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr), Elf64_Phdr, p_vaddr, 0x10000 + DATA);
	put_words(&s, code, 3);
	assert_int_equal(change(s.p, SIZE, &c, &out, &f), 0);
	run_aarch64(&f, CODE, regs, CODE + 12);
	assert_string_equal(text_at(&f, regs[1]), "/x");
	assert_string_equal(text_at(&f, regs[5]), "/x");
	assert_int_equal(elf_get(f.p + CODE + 4, 4) & 0x9f000000, 0x10000000);
	buf_release(&out);
}

static void expect(const struct sample *s, const struct elf_change *c, const char *message)
{
	struct err e = ERR_INIT;
	struct buf tail = BUF_INIT;
	struct sample copy = *s;
	struct elf f;
	int rc = elf_open(&f, copy.p, SIZE, &e);

	rc = rc == 1 ? elf_patch(&f, c, &tail, &e) : rc;
	assert_int_equal(rc, ERR_INVALID);
	assert_string_equal(e.msg, message);
	buf_release(&tail);
	err_release(&e);
}

static void test_unreferenced(void **state)
{
	static const struct elf_string none = { "/bin/sh", "/x", 0 }, sized = { "/bin/sh", "/x", 1 };
	struct elf_change c = { NULL, NULL, &none, 1 };
	struct sample s;

	(void)state;
	make(&s, EM_X86_64, 4);
	memcpy(s.p + TEXT, "\0/bin/sh\0", 9);
	expect(&s, &c, "nothing in it refers to the string '/bin/sh'");
	lea(&s, CODE, TEXT + 6);
	expect(&s, &c, "nothing in it refers to the string '/bin/sh'");
	lea(&s, CODE, TEXT + 1);
	c.strings = &sized;
	expect(&s, &c, "nothing in it has the size of the string '/bin/sh'");
}

/* --- what is not as it should be --- */

static void test_damaged(void **state)
{
	struct elf_change c = { NULL, "/x", NULL, 0 };
	struct sample s, good;

	(void)state;
	make(&good, EM_X86_64, 0);
	s = good;
	SET_FIELD(s.p, Elf64_Ehdr, e_phoff, SIZE - 10);
	expect(&s, &c, "damaged ELF file: its program headers do not lie in it");
	s = good;
	SET_FIELD(s.p, Elf64_Ehdr, e_shoff, UINT64_MAX);
	expect(&s, &c, "damaged ELF file: its section headers do not lie in it");
	s = good;
	SET_FIELD(s.p + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), Elf64_Phdr, p_memsz, UINT64_MAX);
	expect(&s, &c, "damaged ELF file: its segments overlap");
	s = good;
	SET_FIELD(s.p + DYNAMIC + 3 * sizeof(Elf64_Dyn), Elf64_Dyn, d_un.d_val, 0x123456);
	expect(&s, &c, "damaged ELF file: its table of strings does not lie in it");
	s = good;
	SET_FIELD(s.p + DYNAMIC, Elf64_Dyn, d_un.d_val, 0x123456);
	expect(&s, &c, "damaged ELF file: a name does not lie in its table of strings");
	s = good;
	SET_FIELD(s.p + DYNAMIC + 7 * sizeof(Elf64_Dyn), Elf64_Dyn, d_tag, DT_DEBUG);
	expect(&s, &c, "damaged ELF file: its dynamic section does not end");
	s = good;
	s.p[INTERP + 10] = 'x';
	expect(&s, &c, "damaged ELF file: the name of its loader does not end");
	s = good;
	for (size_t i = 4; i < 6; i++)
		SET_FIELD(s.p + sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr), Elf64_Phdr, p_type, PT_GNU_RELRO);
	expect(&s, &c, "none of its program headers can be done without: there is no room for another segment");
}

static void test_foreign(void **state)
{
	struct sample s;
	struct elf f;

	(void)state;
	make(&s, EM_X86_64, 4);
	assert_int_equal(elf_open(&f, s.p, 20, NULL), 0);
	SET_FIELD(s.p, Elf64_Ehdr, e_type, ET_REL);
	assert_int_equal(elf_open(&f, s.p, SIZE, NULL), 0);
	make(&s, EM_RISCV, 4);
	assert_int_equal(elf_open(&f, s.p, SIZE, NULL), 0);
	make(&s, EM_X86_64, 4);
	SET_FIELD(s.p + sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr), Elf64_Phdr, p_type, PT_NULL);
	assert_int_equal(elf_open(&f, s.p, SIZE, NULL), 0);
}

static void test_each_byte(void **state)
{
	static const struct elf_string v[] = { { "/bin/sh", "/x", 0 } };
	struct elf_change c = { "/l", "/x", v, 1 };
	struct sample s;

	(void)state;
	for (int k = 0; k < 2; k++) {
		make(&s, k ? EM_AARCH64 : EM_X86_64, 1);
		memcpy(s.p + TEXT, "\0/bin/sh\0", 9);
		relative(&s, 0, k ? R_AARCH64_RELATIVE : R_X86_64_RELATIVE, TEXT + 1);
		for (size_t i = 0; i < SIZE; i++)
			for (int bit = 1; bit < 256; bit = bit * 4 + 3) {
				struct buf out = BUF_INIT;
				struct elf f;

				s.p[i] ^= (uint8_t)bit;
				assert_int_not_equal(change(s.p, SIZE, &c, &out, &f), -100);
				s.p[i] ^= (uint8_t)bit;
				buf_release(&out);
			}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_moved_dynamic),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_no_folders),
		cmocka_unit_test(test_strings_x86_64),
		cmocka_unit_test(test_strings_fixed),
		cmocka_unit_test(test_strings_aarch64),
		cmocka_unit_test(test_strings_near),
		cmocka_unit_test(test_unreferenced),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_each_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a program or library: it is given another loader, other folders and other strings, or refused; what comes out is read
 * again, and has what it was given.  The first byte says with what.
 */
#include "config.h"
#include "build/elf_patch.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct elf *f, const struct elf_change *c, int had_loader)
{
	const char *path = elf_dynamic_string(f, DT_RUNPATH, 0);

	if (c->interp && had_loader && strcmp(elf_interp(f), c->interp))
		abort();
	if (c->runpath && *c->runpath && (!path || strcmp(path, c->runpath)))
		abort();
}

static void change(const uint8_t *data, size_t size, const struct elf_change *c)
{
	struct buf file = BUF_INIT, tail = BUF_INIT;
	struct elf f;

	buf_add(&file, data, size);
	if (elf_open(&f, (uint8_t *)file.p, file.len, NULL) == 1) {
		int had_loader = elf_interp(&f) != NULL;

		if (!elf_patch(&f, c, &tail, NULL)) {
			buf_add(&file, tail.p, tail.len);
			if (elf_open(&f, (uint8_t *)file.p, file.len, NULL) != 1)
				abort();
			check(&f, c, had_loader);
		}
	}
	buf_release(&tail);
	buf_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct elf_string v[] = { { "/lib/", "/nix/store/a/longer/lib/", 1 }, { "/bin/sh", "/x", 0 } };
	struct elf_change c = { NULL, NULL, v, 0 };

	if (!size)
		return 0;
	if (*data & 1)
		c.interp = "/nix/store/loader/ld.so";
	if (*data & 6)
		c.runpath = *data & 2 ? "/nix/store/a/lib:/nix/store/b/lib" : "";
	c.nstrings = *data >> 3 & 1;
	c.strings += *data >> 4 & 1;
	change(data + 1, size - 1, &c);
	return 0;
}

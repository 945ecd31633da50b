/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the reader of units: the input is one, of a source of 64 KiB.  What is a program is walked to its end.
 * Without the checksum that stands in front of it outside, a unit may say anything.
 */
#include "config.h"
#include "tests/unit/unit_walk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[1 << 16];
	static const struct source *src;
	struct arena mem = ARENA_INIT;
	struct scope_env env = walk_env(&mem);
	struct walk w = { .text = BUF_INIT };
	uint32_t nslots;

	if (!src)
		src = source_add("fuzz", NULL, "/base", text, sizeof text);
	const struct node *n = unit_read(data, size, src, &env, &mem, walk_stack_end(), &nslots);
	if (n)
		walk_node(&w, n);
	buf_release(&w.text);
	arena_release(&mem);
	return 0;
}

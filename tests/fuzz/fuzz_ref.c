/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a flake reference.  What is accepted and can be written must be accepted again.
 */
#include "config.h"
#include "fetch/input.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct arena mem = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct input in, again;

	memcpy(text, data, size);
	if (input_parse((struct slice){ text, size }, &mem, &in, &e)) {
		if (!e.code || !*e.msg)
			abort();
	} else if (!input_print(&in, &mem, &b, &e)) {
		struct err second = ERR_INIT;
		if (input_parse((struct slice){ buf_str(&b), b.len }, &mem, &again, &second))
			abort();
	}
	err_release(&e);
	buf_release(&b);
	arena_release(&mem);
	free(text);
	return 0;
}

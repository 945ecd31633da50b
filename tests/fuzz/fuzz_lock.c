/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a lock file.  What is accepted is written, read again and written the same.
 */
#include "config.h"
#include "flake/lockfile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(void *arg, const struct input_path *p, const struct lock_edge *edge)
{
	struct buf *b = arg;

	input_path_add(b, p);
	if (edge->node && input_is_locked(&edge->node->locked) && input_is_relative(&edge->node->locked))
		buf_addc(b, '.');
}

static void write_again(const struct lockfile *l)
{
	struct buf once = BUF_INIT, twice = BUF_INIT, other = BUF_INIT;
	struct arena mem = ARENA_INIT;
	struct lockfile again, empty;
	struct input_path bad;
	struct err e = ERR_INIT;

	lockfile_init(&empty, &mem);
	if (!lockfile_add(l, &once, &e)) {
		if (lockfile_parse(&again, &mem, (struct slice){ buf_str(&once), once.len }, "again", &e) || lockfile_add(&again, &twice, &e) ||
		    once.len != twice.len || memcmp(once.p, twice.p, once.len))
			abort();
		if (!lockfile_check(&again, &bad, &e)) {
			lockfile_each(&again, look, &other);
			lockfile_diff(&empty, &again, &other);
		}
	}
	err_release(&e);
	buf_release(&once);
	buf_release(&twice);
	buf_release(&other);
	arena_release(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);
	struct arena mem = ARENA_INIT;
	struct err e = ERR_INIT;
	struct lockfile l;

	memcpy(text, data, size);
	if (!lockfile_parse(&l, &mem, (struct slice){ text, size }, "flake.lock", &e))
		write_again(&l);
	else if (!e.code || !*e.msg)
		abort();
	err_release(&e);
	arena_release(&mem);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: MIT
 *
 * Any bytes as the index of a git work tree, and again with the sum at their end put right, or nothing would get behind it.  The
 * names of what is understood come in order, each once, and each is found.
 */
#include "config.h"
#include "fetch/git_index.h"
#include "format/hash.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const char *p, size_t n)
{
	struct git_index x;

	if (!git_index_parse((struct slice){ p, n }, &x))
		for (size_t i = 0; i < x.n; i++)
			if (!x.names[i].n || !git_index_has(&x, x.names[i]) || (i && slice_cmp(x.names[i - 1], x.names[i]) >= 0))
				abort();
	git_index_release(&x);
}

static void parse_with_sum(const uint8_t *data, size_t size, enum hash_algo algo, size_t len)
{
	char *copy = malloc(size);
	struct hash h;

	if (!copy)
		abort();
	hash_bytes(algo, data, size - len, &h);
	memcpy(copy, data, size - len);
	memcpy(copy + size - len, h.b, len);
	parse(copy, size);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse((const char *)data, size);
	if (size > 20)
		parse_with_sum(data, size, HASH_SHA1, 20);
	if (size > HASH_SHA256_LEN)
		parse_with_sum(data, size, HASH_SHA256, HASH_SHA256_LEN);
	return 0;
}

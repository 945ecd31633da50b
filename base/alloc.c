/* SPDX-License-Identifier: MIT
 *
 * The only file but the collector's (mem.c) that calls malloc.
 */
#include "config.h"
#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void out_of_memory(void)
{
	fputs("error: out of memory\n", stderr);
	_exit(1);
}

static void *checked(void *p)
{
	if (!p)
		out_of_memory();
	return p;
}

void *try_malloc(size_t n)
{
	return malloc(n ? n : 1);
}

void *xmalloc(size_t n)
{
	return checked(try_malloc(n));
}

void *xcalloc(size_t n, size_t size)
{
	return checked(n && size ? calloc(n, size) : calloc(1, 1));
}

void *xrealloc_array(void *p, size_t n, size_t size)
{
	return checked(n && size ? reallocarray(p, n, size) : reallocarray(p, 1, 1));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return checked(strndup(s, n));
}

void free_secret(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

size_t array_room(size_t cap, size_t want)
{
	if (cap > SIZE_MAX / 2)
		out_of_memory();
	cap = cap ? 2 * cap : 16;
	return cap < want ? want : cap;
}

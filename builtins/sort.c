/* SPDX-License-Identifier: MIT
 *
 * builtins.sort: a stable merge sort, bottom up.
 *
 * A merge never reads outside its two runs whatever the comparator answers, so one that
 * contradicts itself gives some permutation and not a crash.  Two runs that are in order already
 * are not merged, so sorted input costs one comparison an element.
 *
 * When the comparator is builtins.lessThan itself no call is made, and lists of small integers
 * are sorted by radix, byte by byte of the bytes that differ.
 */
#include "config.h"
#include "builtins/arith.h"
#include "builtins/registry.h"
#include "eval/builtin.h"
#include "eval/compare.h"
#include "base/mem.h"

#include <string.h>

enum { RADIX_MIN = 64 };

struct order {
	W f;
	int natural; /* f is lessThan */
};

static int less(const struct order *o, W a, W b)
{
	if (o->natural)
		return value_less(a, b);
	return want_bool(call2(o->f, a, b), "the result of the function given to 'sort'");
}

/* Merges from[lo, mid) and from[mid, hi) into to[lo, hi).  Of equals the left one goes first. */
static void merge(const struct order *o, const W *from, W *to, size_t lo, size_t mid, size_t hi)
{
	size_t i = lo, j = mid, k = lo;

	if (mid >= hi || !less(o, from[mid], from[mid - 1])) {
		memcpy(to + lo, from + lo, (hi - lo) * sizeof *to);
		return;
	}
	while (i < mid && j < hi)
		to[k++] = less(o, from[j], from[i]) ? from[j++] : from[i++];
	memcpy(to + k, from + i, (mid - i) * sizeof *to);
	k += mid - i;
	memcpy(to + k, from + j, (hi - j) * sizeof *to);
}

static size_t at_most(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Sorts v with the scratch array t, both of n words; returns the one that holds the result. */
static W *merge_sort(const struct order *o, W *v, W *t, size_t n)
{
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t lo = 0; lo < n; lo += 2 * width)
			merge(o, v, t, lo, at_most(lo + width, n), at_most(lo + 2 * width, n));
		W *x = v;
		v = t;
		t = x;
	}
	return v;
}

static int all_small_ints(const W *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (W_TAG(v[i]) != TAG_INT)
			return 0;
	return 1;
}

/* Words of small integers compare as signed numbers, so flipping the top bit makes them unsigned keys. */
static W *radix_sort(W *v, W *t, size_t n)
{
	W differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= v[i] ^ v[0];
	for (unsigned shift = 0; shift < 64; shift += 8) {
		size_t start[257] = { 0 };
		W flip = shift == 56 ? 0x80 : 0;
		if (!(differ >> shift & 255))
			continue;
		for (size_t i = 0; i < n; i++)
			start[((v[i] >> shift & 255) ^ flip) + 1]++;
		for (unsigned k = 0; k < 256; k++)
			start[k + 1] += start[k];
		for (size_t i = 0; i < n; i++)
			t[start[(v[i] >> shift & 255) ^ flip]++] = v[i];
		W *x = v;
		v = t;
		t = x;
	}
	return v;
}

BUILTIN(bi_sort, "sort", "comparator !list",
	"The elements of *list* in order. `comparator a b` says whether *a* must come before *b*; elements for which it says "
	"so neither way keep their order. All elements are evaluated first. With `lessThan` itself as the "
	"comparator no function is called, which is much faster.",
	"sort lessThan [ 483 249 526 147 42 77 ]", "[ 42 77 147 249 483 526 ]")
{
	W w = arg_list(args, 1);

	if (!list_len(w))
		return w;
	struct order o = { arg_function(args, 0), 0 };
	o.natural = arith_is_less_than(o.f);
	uint32_t n = list_len(w);
	struct list *out = list_new(n);
	W *t = mem_new(mem_size(n, sizeof *t, 0)), *sorted;
	for (uint32_t i = 0; i < n; i++)
		out->e[i] = list_force(w, i);
	if (o.natural && n >= RADIX_MIN && all_small_ints(out->e, n))
		sorted = radix_sort(out->e, t, n);
	else
		sorted = merge_sort(&o, out->e, t, n);
	if (sorted != out->e)
		memcpy(out->e, sorted, n * sizeof *sorted);
	return w_list(out);
}

const struct builtin *const builtins_sort[] = { &def_bi_sort, NULL };

/* SPDX-License-Identifier: MIT
 *
 * builtins.sort: PeekSort (Munro and Wild, "Nearly-Optimal Mergesorts", 2018), a stable merge sort that uses the runs it
 * finds, so that input in order, or in the opposite order, costs one comparison an element.
 *
 * It is the algorithm that Nix has since 2.30, and compares the same elements in the same order.  This shows
 * where a comparator contradicts itself, as `a: b: a <= b` does for equals: then too the result is Nix's.  No run is left
 * by a merge whatever the comparator answers, so the result is always a permutation.
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

enum { RADIX_MIN = 64, INSERTION_MAX = 16 };

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

static void insertion_sort(const struct order *o, W *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		W w = v[i];
		size_t k = i;
		for (; k && less(o, w, v[k - 1]); k--)
			v[k] = v[k - 1];
		v[k] = w;
	}
}

/* Merges v[lo, mid) and v[mid, hi), with space in t.  Of equals the left one goes first. */
static void merge(const struct order *o, W *v, W *t, size_t lo, size_t mid, size_t hi)
{
	size_t i = 0, n = mid - lo, j = mid, k = lo;

	memcpy(t, v + lo, n * sizeof *t);
	while (i < n && j < hi)
		v[k++] = less(o, v[j], t[i]) ? v[j++] : t[i++];
	memcpy(v + k, t + i, (n - i) * sizeof *t);
}

/* How far the run that starts at lo goes, hi at most.  In it each element is less than the one before it (down), or none is. */
static size_t run_end(const struct order *o, const W *v, size_t lo, size_t hi, int down)
{
	while (lo + 1 < hi && less(o, v[lo + 1], v[lo]) == down)
		lo++;
	return lo + 1;
}

/* Where the run that ends at hi starts, lo at least. */
static size_t run_start(const struct order *o, const W *v, size_t lo, size_t hi, int down)
{
	while (hi - 1 > lo && less(o, v[hi - 1], v[hi - 2]) == down)
		hi--;
	return hi - 1;
}

static void reverse(W *v, size_t lo, size_t hi)
{
	while (lo + 1 < hi) {
		W w = v[lo];
		v[lo++] = v[--hi];
		v[hi] = w;
	}
}

/* Sorts v[lo, hi), of which v[lo, left) and v[right, hi) are in order.  Each second level at least halves the range, so this
 * goes twice as deep as the length has bits. */
static void peek_sort(const struct order *o, W *v, W *t, size_t lo, size_t hi, size_t left, size_t right)
{
	size_t mid = lo + (hi - lo) / 2;

	if (left == hi || right == lo)
		return;
	if (hi - lo <= INSERTION_MAX) {
		insertion_sort(o, v + lo, hi - lo);
		return;
	}
	if (mid <= left) {
		peek_sort(o, v, t, left, hi, left + 1, right);
		merge(o, v, t, lo, left, hi);
		return;
	}
	if (mid >= right) {
		peek_sort(o, v, t, lo, right, left, right - 1);
		merge(o, v, t, lo, right, hi);
		return;
	}
	/* The run across the middle. */
	int down = less(o, v[mid], v[mid - 1]);
	size_t i = run_start(o, v, left, mid, down), j = run_end(o, v, mid - 1, right, down);
	if (down)
		reverse(v, i, j);
	if (i == lo && j == hi)
		return;
	size_t cut = mid - i < j - mid ? i : j;
	peek_sort(o, v, t, lo, cut, left, cut == i ? i - 1 : i);
	peek_sort(o, v, t, cut, hi, cut == i ? j : j + 1, right);
	merge(o, v, t, lo, cut, hi);
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
	W *t = mem_new(mem_size(n, sizeof *t, 0)), *sorted = out->e;
	for (uint32_t i = 0; i < n; i++)
		out->e[i] = list_force(w, i);
	if (o.natural && n >= RADIX_MIN && all_small_ints(out->e, n))
		sorted = radix_sort(out->e, t, n);
	else
		peek_sort(&o, out->e, t, 0, n, 0, n);
	if (sorted != out->e)
		memcpy(out->e, sorted, n * sizeof *sorted);
	return w_list(out);
}

const struct builtin *const builtins_sort[] = { &def_bi_sort, NULL };

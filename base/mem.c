/* SPDX-License-Identifier: MIT
 *
 * The collector's settings, each with its reason:
 *   - interior pointers off: on, every 16-byte object takes a 32-byte cell.  Tagged words need
 *     displacements 1..7 registered instead.
 *   - no_dls: data segments of shared libraries hold no pointer of ours; scanning them only costs.
 *   - the heap starts at 20 MiB: small evaluations never collect, and from there on a collection costs less than
 *     touching as much fresh memory (0.6 ns a byte) as it finds again.  With 256 MiB a package took as much CPU
 *     and a third more memory; a fold that builds strings twice the CPU and six times the memory.
 *   - it grows by what is half of what lives, not a third: evaluations keep most of what they make, so that collecting
 *     often finds little. All packages of a collection took 8 % less CPU and no more memory, long lists 13 to 30 % less.
 *   - huge pages behind its first half MiB: touching them costs a tenth (0.16 against 1.3 µs for 4 KiB), 6 to 20 % of
 *     the CPU of a package or a fold; what fits into the first piece touches only the pages it needs.
 *
 * Configured with --disable-gc, blocks come from malloc and are never freed, so that the
 * sanitizers see every object boundary.
 */
#include "config.h"
#include "base/mem.h"
#include "base/alloc.h"

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if GX_GC
#define GC_THREADS
#include <gc.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>
#endif

size_t mem_size(size_t n, size_t size, size_t extra)
{
	size_t r;

	if (__builtin_mul_overflow(n, size, &r) || __builtin_add_overflow(r, extra, &r))
		out_of_memory();
	return r;
}

void *mem_grown(const void *old, size_t n, size_t cap, size_t size)
{
	void *v = mem_new(mem_size(cap, size, 0));

	if (n)
		memcpy(v, old, n * size);
	return v;
}

#if GX_GC

#define INITIAL_HEAP (((size_t)20 << 20) + SMALL_PAGES)
#define HBLKSIZE ((size_t)4096) /* what the collector hands out in */
#define FREE_SPACE_DIVISOR 2 /* the collector's own is 3 */
#define SMALL_PAGES ((size_t)MEM_MAP_UNIT / 4)

/* Not below: a collection every N blocks, to find pointers the collector cannot see. */
static long stress_every;
static _Thread_local long stress_count;

static inline void mem_stress(void)
{
	if (__builtin_expect(stress_every != 0, 0) && ++stress_count >= stress_every) {
		stress_count = 0;
		GC_gcollect();
	}
}

static void *oom_hook(size_t size)
{
	(void)size;
	out_of_memory();
}

/* The collector's own end: without memory for its tables it has said so, with no message left for us. */
static void on_abort(const char *msg)
{
	if (msg && !strstr(msg, "emory"))
		abort();
	out_of_memory();
}

static void quiet(char *msg, GC_word arg)
{
	(void)msg;
	(void)arg;
}

/* Has [from, to) made of huge pages as far as it is aligned.  Advice: no matter if the kernel has none. */
static void advise_huge(char *from, char *to)
{
	const uintptr_t huge = MEM_MAP_UNIT;
	uintptr_t first = ((uintptr_t)from + huge - 1) & ~(huge - 1), end = (uintptr_t)to & ~(huge - 1);

	if (first < end)
		madvise((void *)first, end - first, MADV_HUGEPAGE);
}

/* Gives the page that was touched at p, and what is around it, back: a huge page has to be the first to be touched there.
 * (Linux before 6.14 does not forget the small ones then.  MADV_COLLAPSE would make one at once, and now and
 * then took 100 ms.) */
static void untouch(char *p)
{
	madvise((void *)((uintptr_t)p & ~((uintptr_t)MEM_MAP_UNIT - 1)), MEM_MAP_UNIT, MADV_DONTNEED);
}

/* Adds a section of `size` bytes to the heap, of huge pages but for its first `small` bytes.  No free block elsewhere
 * has room for `probe` bytes: the collector does not say where the section lies, but takes them from its beginning.
 * It touches their first and last page. */
static void expand_heap(size_t size, size_t small, size_t probe)
{
	if (!GC_expand_hp(size))
		return;
	char *p = GC_MALLOC_ATOMIC(probe);
	if (p)
		advise_huge(p + small, p + size);
	if (p && !small && !((uintptr_t)p & (MEM_MAP_UNIT - 1))) {
		untouch(p);
		untouch(p + probe - 1);
	}
	GC_FREE(p);
}

/* The first section, with a boundary of huge pages SMALL_PAGES behind its beginning: the kernel maps downwards, so
 * what does not fit is filled for a moment. */
static void first_heap(void)
{
	char *p = mmap(NULL, INITIAL_HEAP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t fill = ((uintptr_t)p + SMALL_PAGES) & (MEM_MAP_UNIT - 1);

	if (p != MAP_FAILED) {
		munmap(p, INITIAL_HEAP - fill);
		expand_heap(INITIAL_HEAP, SMALL_PAGES, SMALL_PAGES - HBLKSIZE);
		munmap(p + INITIAL_HEAP - fill, fill);
	}
}

/* A collection has just ended. */
static _Thread_local int collected;

static void on_event(GC_EventType e)
{
	if (e == GC_EVENT_END)
		collected = 1;
}

/* A heap that a collection leaves nearly full would grow by a third at the next need, in small pages.  So it grows
 * here, by as much.  What counts as free are whole blocks: where much was allocated since the collection before, there
 * is room in others, and the heap is only scattered. */
static void after_collection(void)
{
	static _Thread_local size_t before;
	size_t heap = GC_get_heap_size(), more = (heap / 3 & ~((size_t)MEM_MAP_UNIT - 1)) + MEM_MAP_UNIT;
	int is_full = !before || GC_get_total_bytes() - before < heap / 2;

	collected = 0;
	if (is_full && GC_get_free_bytes() < heap / 4)
		expand_heap(more, 0, more - HBLKSIZE);
	before = GC_get_total_bytes();
}

static inline void mem_poll(void)
{
	if (__builtin_expect(collected, 0))
		after_collection();
	mem_stress();
}

/* What a collection frees will be wanted again, and pages taken out of a huge one break it up: 1,037 calls for a
 * benchmark of strings, 4 % of its CPU and 8 MiB.  The collector asks the environment only. */
static void init_without_unmapping(void)
{
	static const char name[] = "GC_UNMAP_THRESHOLD";
	int ours = !getenv(name) && !setenv(name, "0", 0);

	GC_INIT();
	if (ours)
		unsetenv(name);
}

/* Likewise for malloc, where it is glibc's: what one file's text, tokens and tree leave is there for the next.  One arena
 * for all threads, behind the program: others would lie between the collector's sections, and each word that points there
 * costs it a look for a header that is not found (3 % of a package set's instructions). */
static void keep_malloc_memory(void)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 4 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

/* What made the heap has left addresses in it on the stack.  Frames to come lie there with gaps they do not write, and
 * the collector takes what it finds in the gaps for alive: a list of 200,000 texts was kept to the end, now and then or
 * always, as the linker had bound the symbols. */
static __attribute__((noinline)) void clear_dead_stack(void)
{
	char dead[32 << 10];

	memset(dead, 0, sizeof dead);
	__asm__ volatile("" : : "r"(dead) : "memory");
}

void mem_init(void)
{
	static int done;

	if (done)
		return;
	done = 1;
	keep_malloc_memory();
	GC_set_all_interior_pointers(0);
	GC_set_no_dls(1);
	GC_set_free_space_divisor(FREE_SPACE_DIVISOR);
	GC_set_warn_proc(quiet);
	GC_set_oom_fn(oom_hook);
	GC_set_abort_func(on_abort);
	init_without_unmapping();
	for (size_t i = 1; i < 8; i++)
		GC_register_displacement(i);
	GC_allow_register_threads();

	const char *s = getenv("GX_GC_STRESS");
	if (s)
		stress_every = strtol(s, NULL, 10);
	if (!getenv("GC_INITIAL_HEAP_SIZE"))
		first_heap();
	GC_set_on_collection_event(on_event);
	clear_dead_stack();
}

void *mem_new(size_t size)
{
	mem_poll();
	return GC_MALLOC(size ? size : 1);
}

void *mem_bytes(size_t size)
{
	mem_poll();
	void *p = GC_MALLOC_ATOMIC(size ? size : 1);
	if (size > 2 * MEM_MAP_UNIT)
		advise_huge(p, (char *)p + size); /* it may be new */
	return p;
}

void *mem_root(size_t size)
{
	return GC_MALLOC_UNCOLLECTABLE(size);
}

void mem_add_root(void *p, size_t size)
{
	GC_add_roots(p, (char *)p + size);
}

void *mem_many(size_t size, int scanned)
{
	mem_poll();
	void *list = NULL;
	GC_generic_malloc_many(size, scanned ? GC_I_NORMAL : GC_I_PTRFREE, &list);
	if (!list)
		out_of_memory();
	return list;
}

void mem_free(void *p)
{
	GC_FREE(p);
}

void mem_on_collect(void (*fn)(void))
{
	GC_set_start_callback(fn);
}

void mem_stats(struct mem_stats *out)
{
	out->allocated = GC_get_total_bytes();
	out->heap = GC_get_heap_size();
	out->collections = GC_get_gc_no();
}

#else

static _Thread_local uint64_t allocated;

/* What made the heap has left addresses in it on the stack.  Frames to come lie there with gaps they do not write, and
 * the collector takes what it finds in the gaps for alive: a list of 200,000 texts was kept to the end, now and then or
 * always, as the linker had bound the symbols. */
static __attribute__((noinline)) void clear_dead_stack(void)
{
	char dead[32 << 10];

	memset(dead, 0, sizeof dead);
	__asm__ volatile("" : : "r"(dead) : "memory");
}

void mem_init(void)
{
}

void *mem_new(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		out_of_memory();
	allocated += size;
	return p;
}

void *mem_bytes(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	allocated += size;
	return p;
}

void *mem_root(size_t size)
{
	return mem_new(size);
}

void mem_add_root(void *p, size_t size)
{
	(void)p;
	(void)size;
}

void mem_free(void *p)
{
	free(p);
}

void mem_on_collect(void (*fn)(void))
{
	(void)fn;
}

void *mem_many(size_t size, int scanned)
{
	(void)scanned;
	return mem_new(size);
}

void mem_stats(struct mem_stats *out)
{
	*out = (struct mem_stats){ .allocated = allocated, .heap = allocated };
}

#endif

/* Where the next block goes if the kernel has nothing there: as far from the collected heap, which does not need to look at
 * words that point here, as a terabyte behind the program is. */
static void *elsewhere(size_t size)
{
	static size_t used;
	size_t at = __atomic_fetch_add(&used, size, __ATOMIC_RELAXED);

	return (void *)(((uintptr_t)&used + ((uintptr_t)1 << 40) + at) & ~((uintptr_t)MEM_MAP_UNIT - 1));
}

void *mem_map(size_t size)
{
	const size_t huge = MEM_MAP_UNIT;
	size_t all = mem_size(1, size, huge);
	char *p = mmap(elsewhere(all), all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		out_of_memory();
	size_t before = -(uintptr_t)p & (huge - 1);
	if (before)
		munmap(p, before);
	if (huge - before)
		munmap(p + before + size, huge - before);
	madvise(p + before, size, MADV_HUGEPAGE);
	return p + before;
}

void mem_unmap(void *p, size_t size)
{
	munmap(p, size);
}

struct job {
	void (*fn)(void *);
	void *arg;
};

static void *job_main(void *p)
{
	struct job *j = p;

	j->fn(j->arg);
	return NULL;
}

void mem_run_on_stack(size_t size, void (*fn)(void *), void *arg, char **stack_low)
{
	struct job j = { fn, arg };
	pthread_attr_t attr;
	pthread_t t;
	void *low = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (low == MAP_FAILED) {
		fprintf(stderr, "error: cannot map a stack of %zu bytes: %s\n", size, strerror(errno));
		exit(1);
	}
	*stack_low = low;
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, low, size);
	int rc = pthread_create(&t, &attr, job_main, &j);
	if (rc) {
		fprintf(stderr, "error: cannot start the evaluating thread: %s\n", strerror(rc));
		exit(1);
	}
	pthread_join(t, NULL);
	pthread_attr_destroy(&attr);
	munmap(low, size);
}

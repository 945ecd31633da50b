/* SPDX-License-Identifier: MIT
 *
 * Times and memory come from the kernel and the collector, so they include starting up and the
 * collector's own threads.
 */
#include "config.h"
#include "cli/stats.h"
#include "base/mem.h"
#include "eval/stats.h"
#include "lang/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void print_counters(const struct counters *c)
{
	const struct {
		const char *name;
		uint64_t n;
	} v[] = {
		{ "thunks", c->thunks }, { "thunksForced", c->forced }, { "functionCalls", c->calls },
		{ "builtinCalls", c->builtin_calls }, { "frames", c->frames }, { "lookups", c->lookups },
		{ "sets", c->sets }, { "setElements", c->set_elements }, { "updates", c->merges },
		{ "updatesFlattened", c->flattened }, { "lists", c->lists }, { "listElements", c->list_elements },
		{ "listConcats", c->list_concats }, { "strings", c->strings },
		{ "textsParsed", c->parsed }, { "programsKept", c->kept },
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		fprintf(stderr, "%s\"%s\":%" PRIu64, i ? "," : "", v[i].name, v[i].n);
	fputs("}\n", stderr);
}

void stats_print(void)
{
	struct mem_stats m;
	struct counters c;
	struct rusage u;

	mem_stats(&m);
	eval_counters(&c);
	getrusage(RUSAGE_SELF, &u);
	fprintf(stderr,
		"{\"cpuTime\":%.6f,\"userTime\":%.6f,\"systemTime\":%.6f,\"maxResidentBytes\":%ld,"
		"\"gc\":{\"allocatedBytes\":%" PRIu64 ",\"heapBytes\":%" PRIu64 ",\"collections\":%" PRIu64 "},"
		"\"symbols\":%u,",
		seconds(u.ru_utime) + seconds(u.ru_stime), seconds(u.ru_utime), seconds(u.ru_stime),
		u.ru_maxrss * 1024L, m.allocated, m.heap, m.collections, (unsigned)sym_count());
	print_counters(&c);
}

/* SPDX-License-Identifier: MIT
 *
 * Times and memory come from the kernel and the collector, so they include starting up and the
 * collector's own threads.
 */
#include "config.h"
#include "cli/stats.h"
#include "base/mem.h"
#include "lang/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void stats_print(void)
{
	struct mem_stats m;
	struct rusage u;

	mem_stats(&m);
	getrusage(RUSAGE_SELF, &u);
	fprintf(stderr,
		"{\"cpuTime\":%.6f,\"userTime\":%.6f,\"systemTime\":%.6f,\"maxResidentBytes\":%ld,"
		"\"gc\":{\"allocatedBytes\":%" PRIu64 ",\"heapBytes\":%" PRIu64 ",\"collections\":%" PRIu64 "},"
		"\"symbols\":%u}\n",
		seconds(u.ru_utime) + seconds(u.ru_stime), seconds(u.ru_utime), seconds(u.ru_stime),
		u.ru_maxrss * 1024L, m.allocated, m.heap, m.collections, (unsigned)sym_count());
}

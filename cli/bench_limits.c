/* SPDX-License-Identifier: MIT
 *
 * A container's quota of processors would throttle in the middle of a run; a mask does not, so that is what is used.  Where no
 * control group can be made nothing takes its place: an address space limit is none of memory for a program whose runtime reserves
 * more than it uses.
 */
#include "config.h"
#include "cli/bench_limits.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"

enum { GROUP_BOTH, GROUP_MEMORY = 0, GROUP_PROCESSES = 1 };

/* --- processors --- */

/* The last ones: what the machine does by itself tends to the first. */
static void set_cpus(struct bench_limits *l)
{
	cpu_set_t have, want;
	unsigned left = l->cpus;

	CPU_ZERO(&want);
	if (sched_getaffinity(0, sizeof have, &have) < 0) {
		buf_adds(&l->said_cpus, strerror(errno));
		return;
	}
	if (!left || left > (unsigned)CPU_COUNT(&have))
		left = (unsigned)CPU_COUNT(&have);
	for (int i = CPU_SETSIZE - 1; i >= 0 && left; i--)
		if (CPU_ISSET(i, &have)) {
			CPU_SET(i, &want);
			left--;
		}
	if (sched_setaffinity(0, sizeof want, &want) < 0) {
		buf_adds(&l->said_cpus, strerror(errno));
		return;
	}
	l->has_cpus = 1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &want))
			buf_addf(&l->said_cpus, "%s%d", l->said_cpus.len ? "," : "", i);
	if (l->cpus > (unsigned)CPU_COUNT(&want))
		buf_adds(&l->said_cpus, ", which are all");
}

/* --- control groups --- */

static int write_text(const char *folder, const char *file, const char *text)
{
	struct buf path = BUF_INIT;

	buf_addf(&path, "%s/%s", folder, file);
	int fd = open(path.p, O_WRONLY | O_CLOEXEC), rc = -1;

	buf_release(&path);
	if (fd >= 0) {
		rc = fd_write_all(fd, text, strlen(text));
		int error = errno;

		close(fd);
		errno = error;
	}
	return rc;
}

static int write_number(const char *folder, const char *file, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	return write_text(folder, file, text);
}

/* Is the controller among those of a line "ID:CONTROLLER[,CONTROLLER]:PATH"?  NULL asks for the line of version 2, which names
 * none. */
static int line_is_of(struct slice names, const char *controller)
{
	while (controller && names.n) {
		const char *comma = memchr(names.p, ',', names.n);
		size_t n = comma ? (size_t)(comma - names.p) : names.n;

		if (slice_eq((struct slice){ names.p, n }, slice_of(controller)))
			return 1;
		names.p += n + (comma != NULL);
		names.n -= n + (comma != NULL);
	}
	return !controller && !names.n;
}

/* Appends the group of this process: of a controller of version 1, or with NULL of version 2.  0 when it is in one. */
static int own_group(const char *controller, struct buf *out)
{
	struct buf text = BUF_INIT;
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC), found = -1;

	if (fd >= 0) {
		fd_read_all(fd, &text);
		close(fd);
	}
	for (const char *line = buf_str(&text), *end; found && (end = strchr(line, '\n')); line = end + 1) {
		const char *names = memchr(line, ':', (size_t)(end - line));
		const char *path = names ? memchr(names + 1, ':', (size_t)(end - names - 1)) : NULL;

		if (!path || !line_is_of((struct slice){ names + 1, (size_t)(path - names - 1) }, controller))
			continue;
		if (end - path > 2)
			buf_add(out, path + 1, (size_t)(end - path - 1));
		found = 0;
	}
	buf_release(&text);
	return found;
}

/* Makes a group below that one. */
static char *make_group(struct buf *parent)
{
	buf_addf(parent, "/gx-bench-%ld", (long)getpid());
	if (mkdir(parent->p, 0755) < 0)
		return NULL;
	return buf_detach(parent, NULL);
}

static void hold_memory(struct bench_limits *l, const char *folder, const char *file, const char *version)
{
	l->has_memory = !write_number(folder, file, l->memory);
	if (l->has_memory)
		buf_addf(&l->said_memory, "a control group of version %s", version);
	else
		buf_adds(&l->said_memory, strerror(errno));
}

static void hold_processes(struct bench_limits *l, const char *folder, const char *version)
{
	l->has_processes = !write_number(folder, "pids.max", l->processes);
	if (l->has_processes)
		buf_addf(&l->said_processes, "a control group of version %s", version);
	else
		buf_adds(&l->said_processes, strerror(errno));
}

static void set_version_2(struct bench_limits *l)
{
	struct buf parent = BUF_INIT;

	buf_adds(&parent, ROOT);
	own_group(NULL, &parent);
	/* Only a group without processes, or the first, can hand them down; it may do so already. */
	write_text(parent.p, "cgroup.subtree_control", "+memory +pids");
	l->groups[GROUP_BOTH] = make_group(&parent);
	if (!l->groups[GROUP_BOTH]) {
		const char *why = strerror(errno);

		buf_adds(&l->said_memory, l->memory ? why : "");
		buf_adds(&l->said_processes, l->processes ? why : "");
	} else {
		if (l->memory)
			hold_memory(l, l->groups[GROUP_BOTH], "memory.max", "2");
		if (l->memory && l->has_memory)
			write_text(l->groups[GROUP_BOTH], "memory.swap.max", "0");
		if (l->processes)
			hold_processes(l, l->groups[GROUP_BOTH], "2");
	}
	buf_release(&parent);
}

static char *group_version_1(const char *controller, struct buf *why)
{
	struct buf parent = BUF_INIT;
	char *made = NULL;

	buf_addf(&parent, ROOT "/%s", controller);
	if (own_group(controller, &parent))
		buf_addf(why, "no control group '%s'", controller);
	else if (!(made = make_group(&parent)))
		buf_adds(why, strerror(errno));
	buf_release(&parent);
	return made;
}

static void set_version_1(struct bench_limits *l)
{
	if (l->memory && (l->groups[GROUP_MEMORY] = group_version_1("memory", &l->said_memory)))
		hold_memory(l, l->groups[GROUP_MEMORY], "memory.limit_in_bytes", "1");
	if (l->processes && (l->groups[GROUP_PROCESSES] = group_version_1("pids", &l->said_processes)))
		hold_processes(l, l->groups[GROUP_PROCESSES], "1");
}

void bench_limits_set(struct bench_limits *l)
{
	set_cpus(l);
	if (!l->memory && !l->processes)
		return;
	if (access(ROOT "/cgroup.controllers", F_OK) == 0)
		set_version_2(l);
	else
		set_version_1(l);
}

int bench_limits_join(const struct bench_limits *l)
{
	int rc = 0;

	for (size_t i = 0; i < 2; i++)
		if (l->groups[i] && write_text(l->groups[i], "cgroup.procs", "0"))
			rc = -1;
	return rc;
}

void bench_limits_release(struct bench_limits *l)
{
	for (size_t i = 0; i < 2; i++) {
		if (l->groups[i])
			rmdir(l->groups[i]);
		free(l->groups[i]);
	}
	buf_release(&l->said_cpus);
	buf_release(&l->said_memory);
	buf_release(&l->said_processes);
}

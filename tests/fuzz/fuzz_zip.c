/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a module zip: the directory, the rules, and the contents of every member.  A member never has more bytes than it
 * declares, and exactly as many when it is accepted.
 */
#include "config.h"
#include "golang/gomodule.h"
#include "golang/zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count(void *user, const void *p, size_t n, struct err *e)
{
	(void)p;
	(void)e;
	*(uint64_t *)user += n;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct module_version m = { { "a.b/m", 5 }, { "v1.0.0", 6 } };
	int fd = memfd_create("zip", MFD_CLOEXEC);
	struct err e = ERR_INIT;
	struct zip z;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (zip_open(&z, fd, &e)) {
		if (!e.msg)
			abort();
	} else {
		go_module_check_zip(&z, &m, NULL);
		for (size_t i = 0; i < z.n; i++) {
			uint64_t got = 0;
			int rc = zip_read(&z, &z.entries[i], count, &got, NULL);

			if (got > z.entries[i].size || (!rc && got != z.entries[i].size))
				abort();
		}
		zip_close(&z);
	}
	err_release(&e);
	close(fd);
	return 0;
}

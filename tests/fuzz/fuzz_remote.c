/* SPDX-License-Identifier: MIT
 *
 * Any bytes as what a daemon sends to a client: the first chooses the version of the protocol, the second what the client asks for,
 * the rest follows the greeting.  Each question ends with an answer or one error.
 */
#include "config.h"
#include "base/alloc.h"
#include "remote/remote.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int input(const uint8_t *data, size_t size)
{
	int fd = memfd_create("daemon", MFD_CLOEXEC), minor = PROTOCOL_OLDEST + data[0] % (PROTOCOL_NEWEST - PROTOCOL_OLDEST + 1);
	struct wire w;

	wire_init(&w, -1, fd, "itself");
	wire_put_number(&w, WORKER_MAGIC_2);
	wire_put_number(&w, PROTOCOL_VERSION(minor));
	if (minor >= 38)
		wire_put_number(&w, 0);
	if (minor >= 33)
		wire_put_string(&w, "0");
	if (minor >= 35)
		wire_put_number(&w, 1);
	wire_put(&w, data + 2, size - 2);
	if (wire_flush(&w, NULL))
		abort();
	wire_release(&w);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int drop(void *user, const struct byte_source *nar, struct err *e)
{
	char bytes[256];
	long n;

	(void)user;
	while ((n = nar->read(nar->user, bytes, sizeof bytes, e)) > 0)
		;
	return (int)n;
}

static int drop_info(void *user, struct path_info *i, struct err *e)
{
	(void)user;
	(void)e;
	path_info_release(i);
	return 0;
}

static int drop_output(void *user, struct slice name, const struct store_path *path, struct err *e)
{
	(void)user;
	(void)name;
	(void)path;
	(void)e;
	return 0;
}

static int build(struct remote *r, const struct store_path *p, struct err *e)
{
	const struct wanted v[] = { { *p, 1, NULL }, { *p, 0, NULL } };
	struct remote_outcome out[2] = { { .text = NULL } };
	int rc = remote_build(r, v, 2, 0, out, e);

	free(out[0].text);
	free(out[1].text);
	return rc;
}

static int missing(struct remote *r, const struct store_path *p, struct err *e)
{
	const struct wanted v = { *p, 1, NULL };
	struct remote_plan plan;
	int rc = remote_missing(r, &v, 1, &plan, e);

	remote_plan_release(&plan);
	return rc;
}

static int ask(struct remote *r, unsigned what, struct err *e)
{
	struct path_set one = PATH_SET_INIT, out = PATH_SET_INIT;
	struct store_path p, found;
	struct path_info info;
	uint64_t freed;
	int rc = store_path_parse_base(SLICE("00000000000000000000000000000000-x.drv"), &p, e), bad;

	path_set_push(&one, &p);
	switch (what % 12) {
	case 0: rc = remote_valid(r, &one, 1, &out, e); break;
	case 1: rc = remote_info(r, &p, &info, e); break;
	case 2: rc = remote_infos(r, &one, drop_info, NULL, e); break;
	case 3: rc = remote_paths(r, REMOTE_ALL, NULL, &out, e); break;
	case 4: rc = remote_outputs(r, &p, drop_output, NULL, e); break;
	case 5: rc = remote_find_digest(r, store_path_hash(&p), &found, e); break;
	case 6: rc = remote_archive(r, &p, drop, NULL, e); break;
	case 7: rc = build(r, &p, e); break;
	case 8: rc = missing(r, &p, e); break;
	case 9: rc = remote_gc(r, 1, &one, 0, NULL, NULL, &freed, e); break;
	case 10: rc = remote_verify(r, 1, 0, &bad, e); break;
	case 11: rc = remote_temp_root(r, &p, e); break;
	}
	if (what % 12 == 1 && rc == 1)
		path_info_release(&info);
	path_set_release(&one);
	path_set_release(&out);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct remote *r = NULL;
	struct err e = ERR_INIT;
	int fd, nowhere;

	if (size < 2)
		return 0;
	fd = input(data, size);
	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (remote_open_fds(&r, fd, nowhere, "daemon", store_dir_default, NULL, &e)) {
		if (!e.msg)
			abort();
	} else {
		for (unsigned i = 0; i < 3; i++) {
			if (ask(r, data[1] + i, &e) < 0 && !e.msg)
				abort();
			err_release(&e);
		}
	}
	err_release(&e);
	remote_free(r);
	close(fd);
	close(nowhere);
	return 0;
}

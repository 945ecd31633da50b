/* SPDX-License-Identifier: MIT
 *
 * Any bytes as what a client sends to a daemon: the first chooses the version of the protocol, the rest follows the greeting.  The
 * client is not trusted, and nothing is built, only planned.  Whatever it sends ends in one error or in the client's having had
 * enough; the store is whole afterwards.
 */
#include "config.h"
#include "base/fdio.h"
#include "cache/cache_settings.h"
#include "remote/daemon.h"
#include "remote/protocol.h"
#include "store/object.h"
#include "store/tree.h"
#include "store/verify.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char root[32];
static struct store *store;
static struct place place;

static void remove_store(void)
{
	store_free(store);
	place_release(&place);
	tree_remove(AT_FDCWD, root, NULL, NULL, NULL);
}

/* One store for all inputs, with a text in it. */
static void open_store(void)
{
	const struct place_request r = { root, NULL };

	snprintf(root, sizeof root, "/tmp/gx-fuzz-XXXXXX");
	if (!mkdtemp(root) || place_choose(&place, &r, NULL) || store_open(&store, &place, STORE_NOSYNC, NULL) ||
	    store_add_text(store, SLICE("text"), SLICE("some text"), NULL, NULL, NULL))
		abort();
	atexit(remove_store);
	cache_settings.substitute = 0;
}

static void plan(void *user, const struct store *s, const struct store_path *drv)
{
	(void)user;
	(void)s;
	(void)drv;
}

static int input(const uint8_t *data, size_t size)
{
	int fd = memfd_create("client", MFD_CLOEXEC),
	    minor = size ? PROTOCOL_OLDEST + data[0] % (PROTOCOL_NEWEST - PROTOCOL_OLDEST + 1) : 30;
	struct wire w;

	wire_init(&w, -1, fd, "itself");
	wire_put_number(&w, WORKER_MAGIC_1);
	wire_put_number(&w, PROTOCOL_VERSION(minor));
	if (minor >= 38)
		wire_put_number(&w, 0);
	wire_put_number(&w, 0);
	wire_put_number(&w, 0);
	if (size)
		wire_put(&w, data + 1, size - 1);
	if (wire_flush(&w, NULL))
		abort();
	wire_release(&w);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int nowhere = -1;
	struct build_settings set;
	const struct daemon_options o = { .version = "0", .build = &set };
	const struct verify_options all = { .check_contents = 1 };
	struct err e = ERR_INIT;
	size_t bad = 0;
	int fd = input(data, size), rc;

	if (!store)
		open_store();
	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	build_settings_init(&set);
	set.plan = plan;
	rc = daemon_serve(store, fd, nowhere, &o, &e);
	if (rc && !e.msg)
		abort();
	err_release(&e);
	close(fd);
	if (store_verify(store, &all, &bad, &e) || bad)
		abort();
	return 0;
}

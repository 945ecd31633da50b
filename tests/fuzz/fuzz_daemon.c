/* SPDX-License-Identifier: MIT
 *
 * Any bytes as what a client sends to a daemon: the first chooses the version of the protocol, the rest follows the greeting.  From
 * 240 on it is that of 'nix-store --serve', whose client may write.  That of a daemon is not trusted, and nothing is built, only
 * planned.  Whatever it sends ends in one error or in the client's having had
 * enough; the store is whole afterwards.
 */
#include "config.h"
#include "base/fdio.h"
#include "cache/cache_settings.h"
#include "remote/daemon.h"
#include "remote/protocol.h"
#include "remote/serve.h"
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

static int serves(const uint8_t *data, size_t size)
{
	return size && data[0] >= 240;
}

static int input(const uint8_t *data, size_t size)
{
	int fd = memfd_create("client", MFD_CLOEXEC), serve = serves(data, size),
	    minor = size ? PROTOCOL_OLDEST + data[0] % (PROTOCOL_NEWEST - PROTOCOL_OLDEST + 1) : 30;
	struct wire w;

	wire_init(&w, -1, fd, "itself");
	wire_put_number(&w, serve ? SERVE_MAGIC_1 : WORKER_MAGIC_1);
	wire_put_number(&w, serve ? SERVE_VERSION(SERVE_OLDEST + (data[0] & 1)) : PROTOCOL_VERSION(minor));
	if (!serve && minor >= 38)
		wire_put_number(&w, 0);
	for (int i = 0; !serve && i < 2; i++)
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
	const struct daemon_options o = { .version = "0", .build = &set, .trusted = serves(data, size) };
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
	rc = o.trusted ? serve_run(store, fd, nowhere, 1, &o, &e) : daemon_serve(store, fd, nowhere, &o, &e);
	if (rc && !e.msg)
		abort();
	err_release(&e);
	close(fd);
	if (store_verify(store, &all, &bad, &e) || bad)
		abort();
	return 0;
}

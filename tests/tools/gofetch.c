/* SPDX-License-Identifier: MIT
 *
 * gofetch MODULE VERSION FOLDER [H1]: gets a module through GOPROXY as a build would, unpacks it into the folder, which must not exist,
 * and prints the sums of its zip, of the tree it became, and of its go.mod, a line each.  For tests/integration.
 */
#include "config.h"
#include "golang/gomodule.h"
#include "golang/goproxy.h"
#include "golang/h1.h"
#include "format/goh1.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_fd(void *user, const void *p, size_t n, struct err *e)
{
	return write(*(int *)user, p, n) == (ssize_t)n ? 0 : err_errno(e, "cannot write");
}

static int restart_fd(void *user, struct err *e)
{
	int fd = *(int *)user;

	return ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ? err_errno(e, "cannot start anew") : 0;
}

static int to_buf(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(user, p, n);
	return 0;
}

static int restart_buf(void *user, struct err *e)
{
	(void)e;
	buf_trim(user, 0);
	return 0;
}

static void print(const struct hash *h1)
{
	char text[GO_H1_LEN + 1];

	go_h1_print(h1, text);
	puts(text);
}

static int fetch(const struct module_version *m, const char *folder, const struct hash *want, struct err *e)
{
	struct transfer_settings s;
	struct go_settings go;
	struct transfer_engine *g = NULL;
	struct buf mod = BUF_INIT;
	struct hash zip, tree, gomod;
	int fd = memfd_create("zip", MFD_CLOEXEC), dirfd = -1, rc = transfer_settings_load(&s, e);
	struct transfer_request q = { .write = write_fd, .restart = restart_fd, .user = &fd };
	struct transfer_request r = { .write = to_buf, .restart = restart_buf, .user = &mod };

	rc = rc ? rc : go_settings_load(&go, e);
	if (!rc && !(g = transfer_engine_new(&s, e)))
		rc = ERR_NETWORK;
	rc = rc ? rc : go_proxy_get(g, &go, go_proxy_list(&go, m, SLICE("")), m, "zip", &q, NULL, e);
	rc = rc ? rc : go_proxy_get(g, &go, go_proxy_list(&go, m, SLICE("")), m, "mod", &r, NULL, e);
	if (!rc && (mkdir(folder, 0755) < 0 || (dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0))
		rc = err_errno(e, "cannot make '%s'", folder);
	rc = rc ? rc : go_module_unpack(fd, m, want, dirfd, &zip, e);
	rc = rc ? rc : go_module_tree_h1(AT_FDCWD, folder, m, &tree, e);
	if (!rc) {
		h1_of_gomod((struct slice){ buf_str(&mod), mod.len }, &gomod);
		print(&zip);
		print(&tree);
		print(&gomod);
	}
	transfer_engine_free(g);
	buf_release(&mod);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct hash want;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: gofetch MODULE VERSION FOLDER [H1]\n");
		return 2;
	}
	struct module_version m = { slice_of(argv[1]), slice_of(argv[2]) };
	int rc = argc == 5 ? go_h1_parse(slice_of(argv[4]), &want, &e) : 0;

	rc = rc ? rc : fetch(&m, argv[3], argc == 5 ? &want : NULL, &e);
	if (rc)
		fprintf(stderr, "error: %s\n", e.msg);
	err_release(&e);
	return rc ? 1 : 0;
}

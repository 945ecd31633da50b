/* SPDX-License-Identifier: MIT
 *
 * Addresses come from flakes and registries: what git would take for an option or a command is refused before it is asked.
 */
#include "config.h"
#include "cli/clone.h"
#include "base/dir.h"
#include "fetch/git.h"
#include "fetch/program.h"
#include "store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add_branch(struct words *argv, const char *ref)
{
	if (!ref)
		return;
	words_add(argv, "--branch");
	words_add(argv, strncmp(ref, "refs/heads/", 11) ? ref : ref + 11);
}

int clone_git(const char *url, const char *ref, const char *dest, struct err *e)
{
	struct words argv = { NULL, 0, 0 };
	int rc = git_check_url(url, e);

	if (rc)
		return rc;
	words_add(&argv, "git");
	words_add(&argv, "clone");
	words_add(&argv, "--quiet");
	add_branch(&argv, ref);
	words_add(&argv, "--");
	words_add(&argv, url);
	words_add(&argv, dest);
	rc = program_run(&argv, NULL, NULL, NULL, e);
	words_release(&argv);
	return rc;
}

/* A copy out of a store is read-only. */
static int make_writable(const char *path, struct err *e)
{
	struct stat st;
	struct dir d;
	int rc;

	if (lstat(path, &st) || S_ISLNK(st.st_mode))
		return 0;
	if (chmod(path, (st.st_mode & 0777) | S_IWUSR))
		return err_errno(e, "cannot make '%s' writable", path);
	if (!S_ISDIR(st.st_mode))
		return 0;
	for (rc = dir_open(&d, AT_FDCWD, path, e); !rc && (rc = dir_next(&d, e)) > 0;) {
		struct buf below = BUF_INIT;
		buf_addf(&below, "%s/%s", path, d.name);
		rc = make_writable(buf_str(&below), e);
		buf_release(&below);
	}
	dir_close(&d);
	return rc;
}

int clone_tree(const char *from, const char *dest, struct err *e)
{
	struct object_facts facts = { 0 };
	int rc = object_copy(AT_FDCWD, from, NULL, NULL, AT_FDCWD, dest, &facts, e);

	object_facts_release(&facts);
	return rc ? rc : make_writable(dest, e);
}

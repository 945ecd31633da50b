/* SPDX-License-Identifier: MIT
 *
 * The links are made under a private name and renamed, so that nobody sees half of them; the name holds which file the shell was.
 */
#include "config.h"
#include "cli/tools.h"
#include "base/fdio.h"
#include "build/build.h"
#include "fetch/program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void link_to(const char *shell, const char *dir, const char *name, size_t n)
{
	char path[PATH_MAX];

	if (!n || memchr(name, '/', n) || name[0] == '.')
		return;
	if ((size_t)snprintf(path, sizeof path, "%s/%.*s", dir, (int)n, name) < sizeof path && symlink(shell, path))
		return; /* there already: sh */
}

/* What the shell says it has, a name a line; nothing for one that does not know the question. */
static void ask(const char *shell, struct buf *names)
{
	struct words argv = { NULL, 0, 0 }, env = { NULL, 0, 0 };
	struct err e = ERR_INIT;
	int status;

	words_add(&argv, shell);
	words_add(&argv, "--list");
	if (program_run(&argv, &env, names, &status, &e) || status)
		buf_trim(names, 0);
	err_release(&e);
	words_release(&argv);
	words_release(&env);
}

static void make(const char *dir, const char *shell)
{
	struct buf names = BUF_INIT;
	char fresh[PATH_MAX];

	snprintf(fresh, sizeof fresh, "%s.%ld", dir, (long)getpid());
	make_folders(fresh, 0755);
	link_to(shell, fresh, "sh", 2);
	ask(shell, &names);
	for (const char *p = buf_str(&names); *p; p += strcspn(p, "\n"), p += *p == '\n')
		link_to(shell, fresh, p, strcspn(p, "\n"));
	buf_release(&names);
	/* Another process may have been first; its links are the same. */
	if (rename(fresh, dir))
		return;
}

void tools_folder(struct buf *out, const char *shell)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char dir[PATH_MAX] = "";
	struct stat st;

	if (!shell)
		shell = build_shell();
	if (stat(shell, &st) == 0 && cache && *cache == '/')
		snprintf(dir, sizeof dir, "%s/gx/tools-%llx-%llx", cache, (unsigned long long)st.st_ino,
			 (unsigned long long)st.st_mtime);
	else if (stat(shell, &st) == 0 && home && *home == '/')
		snprintf(dir, sizeof dir, "%s/.cache/gx/tools-%llx-%llx", home, (unsigned long long)st.st_ino,
			 (unsigned long long)st.st_mtime);
	if (*dir && access(dir, X_OK))
		make(dir, shell);
	if (*dir && !access(dir, X_OK))
		buf_adds(out, dir);
	else
		buf_add(out, shell, strrchr(shell, '/') && strrchr(shell, '/') > shell ? (size_t)(strrchr(shell, '/') - shell) : 1);
}

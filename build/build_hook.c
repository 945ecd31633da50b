/* SPDX-License-Identifier: MIT
 *
 * The program that post-build-hook names: called after each build with what it made, to copy it elsewhere as a rule.
 *
 * It runs outside of the sandbox as whoever builds, so it is a setting that only the machine and the command line have.  Others
 * wait for it, as in Nix: what a later build needs may be expected where it puts things.
 */
#include "config.h"
#include "build/build_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct build_after build_after;

/* What it prints goes where notes go. */
static _Noreturn void become(const char *program, const char *drv, const char *outputs)
{
	char *const argv[] = { (char *)program, NULL };
	int null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (!setenv("DRV_PATH", drv, 1) && !setenv("OUT_PATHS", outputs, 1))
		execv(program, argv);
	_exit(127);
}

static int wait_for(pid_t pid, const char *program, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, "waiting for '%s'", program);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, ERR_BUILD, "post-build-hook '%s' cannot be run", program);
	if (WIFEXITED(status))
		return err_set(e, ERR_BUILD, "post-build-hook '%s' failed with exit code %d", program, WEXITSTATUS(status));
	return err_set(e, ERR_BUILD, "post-build-hook '%s' failed due to signal %d (%s)", program, WTERMSIG(status),
		       strsignal(WTERMSIG(status)));
}

int build_hook_run(struct job *j, struct err *e)
{
	struct buf drv = BUF_INIT, outputs = BUF_INIT;
	const char *program = build_after.hook;
	pid_t pid;
	int rc;

	if (!program || !*program)
		return 0;
	build_add_drv(j->b, &drv, j->node);
	for (size_t i = 0; i < j->node->drv.noutputs; i++) {
		buf_adds(&outputs, i ? " " : "");
		store_add_path(j->b->s, &outputs, &j->node->paths[i]);
	}
	/* It looks at what is valid, and may outlive a power cut. */
	rc = store_sync_all(e);
	pid = rc ? -1 : fork();
	if (!pid)
		become(program, buf_str(&drv), buf_str(&outputs));
	if (!rc)
		rc = pid < 0 ? err_errno(e, "starting '%s'", program) : wait_for(pid, program, e);
	buf_release(&drv);
	buf_release(&outputs);
	return rc;
}

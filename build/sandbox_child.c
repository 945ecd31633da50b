/* SPDX-License-Identifier: MIT
 *
 * The builder's own process, from its first instruction to the builder's.
 *
 * The order matters: die with the parent; give up every descriptor; wait until we are somebody in our user namespace;
 * network, names, mounts, while we have the rights for them; then limits, the user, and every right gone
 * (also from the bounding set); last the filters, which would forbid some of the former.
 *
 * Nothing of the machine that is not named in the spec survives: descriptors, signal dispositions, environment,
 * umask, scheduling of address space (fixed, for reproducibility, as Nix does).
 */
#include "config.h"
#include "build/sandbox_int.h"
#include "build/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <grp.h>

/* The part of <linux/landlock.h> that Debian 12's headers lack. */
struct landlock_scope {
	uint64_t handled_access_fs, handled_access_net, scoped;
};
enum {
	NR_LANDLOCK_CREATE = 444,
	NR_LANDLOCK_RESTRICT = 446,
	LANDLOCK_ABI_SCOPES = 6,
	LANDLOCK_ABSTRACT_UNIX = 1,
	LANDLOCK_SIGNALS = 2
};

static int status_fd = -1;

static _Noreturn void send_failure(int code, const char *text)
{
	char out[1024];
	int n = snprintf(out, sizeof out, "%c%s", '0' - code, text);

	if (n >= (int)sizeof out)
		n = (int)sizeof out - 1;
	if (write(status_fd, out, (size_t)n) < 0)
		_exit(126);
	_exit(125);
}

_Noreturn void child_fail(const char *fmt, ...)
{
	struct err e = ERR_INIT;
	char text[512];
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	errno = saved;
	err_errno(&e, "setting up a builder: %s", text);
	/* What an administrator switched off looks like this from inside a namespace. */
	if (saved == EPERM || saved == EACCES)
		e.code = ERR_DENIED;
	send_failure(e.code, e.msg);
}

_Noreturn void child_fail_err(const struct err *e)
{
	send_failure(e->code, e->msg);
}

enum filter_flags child_filter(const struct sandbox_spec *spec)
{
	return spec->function && !spec->execs ? FILTER_NO_EXEC : 0;
}

void child_descriptors(const struct sandbox_spec *spec, int status, int sync)
{
	enum { HIGH = 16 };
	int null, input = spec->input ? fcntl(spec->input, F_DUPFD_CLOEXEC, HIGH) : 0;

	status_fd = fcntl(status, F_DUPFD_CLOEXEC, HIGH);
	sync = sync < 0 ? -1 : fcntl(sync, F_DUPFD_CLOEXEC, HIGH);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (status_fd < 0 || null < 0 || input < 0)
		child_fail("descriptors");
	if (dup2(spec->output, 1) < 0 || dup2(1, 2) < 0)
		child_fail("descriptors");
	if ((input || null != 0) && dup2(input ? input : null, 0) < 0)
		child_fail("descriptors");
	fcntl(0, F_SETFD, 0);
	if (dup3(status_fd, CHILD_STATUS, O_CLOEXEC) < 0)
		child_fail("descriptors");
	status_fd = CHILD_STATUS;
	if (sync >= 0 && dup3(sync, CHILD_SYNC, O_CLOEXEC) < 0)
		child_fail("descriptors");
	if (close_range(sync >= 0 ? CHILD_SYNC + 1 : CHILD_SYNC, ~0u, 0))
		child_fail("closing descriptors");
}

static void reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void raise_loopback(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &r))
		child_fail("the loopback interface");
	close(fd);
}

static void set_names(void)
{
	static const char host[] = "localhost", domain[] = "(none)"; /* as Nix; the latter is the kernel's default */

	if (sethostname(host, sizeof host - 1) || setdomainname(domain, sizeof domain - 1))
		child_fail("the host name");
}

static void set_limits(const struct sandbox_spec *spec)
{
	struct rlimit core = { 0, RLIM_INFINITY }, procs = { spec->max_procs, spec->max_procs }, old;

	setrlimit(RLIMIT_CORE, &core);
	if (!getrlimit(RLIMIT_NPROC, &old) && old.rlim_max < procs.rlim_max)
		procs.rlim_cur = procs.rlim_max = old.rlim_max;
	if (spec->max_procs && setrlimit(RLIMIT_NPROC, &procs))
		child_fail("the limit on processes");
}

static void drop_rights(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) && errno != EPERM)
			child_fail("giving up rights");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &h, none))
		child_fail("giving up rights");
}

static void become(uid_t uid, gid_t gid, int userns)
{
	if (!userns && setgroups(0, NULL))
		child_fail("giving up groups");
	if (setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		child_fail("becoming user %lu", (unsigned long)uid);
	drop_rights();
	/* A change of user takes it away. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		child_fail("dying with the parent");
}

/* Keeps builders that share the machine's network from meeting over abstract sockets.  Returns the filter to add where the kernel
 * has no such scope (before 6.12). */
static enum filter_flags network_barrier(void)
{
	struct landlock_scope scope = { .scoped = LANDLOCK_ABSTRACT_UNIX | LANDLOCK_SIGNALS };
	long fd;

	if (syscall(NR_LANDLOCK_CREATE, NULL, 0, 1) < LANDLOCK_ABI_SCOPES)
		return FILTER_NO_UNIX;
	fd = syscall(NR_LANDLOCK_CREATE, &scope, sizeof scope, 0);
	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(NR_LANDLOCK_RESTRICT, fd, 0))
		child_fail("the barrier between networked builders");
	close((int)fd);
	return 0;
}

static void set_personality(int linux32)
{
	unsigned long now = (unsigned long)personality(0xffffffff);

	personality((linux32 ? PER_LINUX32 : now) | ADDR_NO_RANDOMIZE);
}

static _Noreturn void run(const struct sandbox_spec *spec, enum filter_flags filter)
{
	struct err e = ERR_INIT;

	set_personality(spec->linux32);
	if (seccomp_load_filter(filter | child_filter(spec), &e))
		child_fail_err(&e);
	if (spec->function) {
		close(CHILD_STATUS);
		_exit(spec->function(spec->arg));
	}
	execve(spec->program, spec->argv, spec->envp);
	err_errno(&e, "executing '%s'", spec->program);
	e.code = ERR_BUILD; /* the derivation's mistake, whatever the system calls it */
	child_fail_err(&e);
}

/* Standard input was opened in the machine's file system, where it has no name any more.  A root without devices keeps it. */
static void reopen_stdin(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && dup2(fd, 0) < 0)
		child_fail("descriptors");
	if (fd >= 0)
		close(fd);
}

_Noreturn void child_namespaced(const struct sandbox_spec *spec, int status, int sync)
{
	enum filter_flags filter = 0;
	char word;

	status_fd = status;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	reset_signals();
	child_descriptors(spec, status, sync);
	/* Our parent died before we asked to die with it: nobody is left to give the word. */
	if (read(CHILD_SYNC, &word, 1) != 1)
		_exit(1);
	close(CHILD_SYNC);
	setsid();
	if (!spec->network)
		raise_loopback();
	set_names();
	umask(022);
	child_mounts(spec, word == 'u');
	if (!spec->input)
		reopen_stdin();
	if (chdir(spec->cwd))
		child_fail("entering %s", spec->cwd);
	set_limits(spec);
	if (word == 'u')
		become(spec->uid, spec->gid, 1);
	else
		become(spec->outer_uid, spec->outer_gid, 0);
	if (spec->network)
		filter = network_barrier();
	run(spec, filter);
}

_Noreturn void child_bare(const struct sandbox_spec *spec, int status)
{
	status_fd = status;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	reset_signals();
	child_descriptors(spec, status, -1);
	setsid();
	if (chdir(spec->cwd))
		child_fail("entering %s", spec->cwd);
	umask(022);
	/* Other processes of the user count too where there is no namespace: only core files are limited. */
	set_limits(&(struct sandbox_spec){ .max_procs = 0 });
	run(spec, 0);
}

/* SPDX-License-Identifier: MIT
 *
 * What a builder may not ask of the kernel.
 *
 * The filter allows everything but:
 *  - making files setuid or setgid, by any call that takes a mode: a store object must never be able to raise
 *    anybody's rights, not even for the moment before it is made canonical (Nix's advisories of 1.11.10 and #10501);
 *  - extended attributes and access lists: a NAR cannot hold them, so builders shall not see them;
 *  - io_uring, which does the above without going through a filter; keyrings, which are shared by all
 *    processes of a user; openat2, whose mode lies behind a pointer, where a filter cannot look;
 *  - vsock, which leads to the hypervisor whatever the network namespace is;
 *  - x32, whose call numbers are a second way to everything.
 * Refusals are errors a program can handle (EPERM, ENOTSUP, ENOSYS), never a signal.
 *
 * With FILTER_NO_UNIX also: unix sockets.  A builder of a fixed output shares the machine's network, and
 * with it the names of abstract sockets, over which it could pass a writable descriptor of its output to a helper
 * outside (CVE-2024-27297, CVE-2025-46416).  Pairs that are connected for good stay possible.
 *
 * libseccomp translates call names for the 32-bit calls of the same machine.  Calls newer than Debian 12's
 * libseccomp have the same number on every architecture; a second, hand-written filter has these.
 */
#include "config.h"
#include "build/seccomp.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NR_FCHMODAT2 = 452,
	NR_SETXATTRAT = 463, /* and getxattrat, listxattrat, removexattrat */
	NR_REMOVEXATTRAT = 466,
	NR_FILE_SETATTR = 469,
	X32_BIT = 0x40000000,
	SOCKET_TYPE_MASK = 0xf
};

/* Calls refused outright. */
static const struct refusal {
	int call, error;
} refused[] = {
	{ SCMP_SYS(setxattr), ENOTSUP },
	{ SCMP_SYS(lsetxattr), ENOTSUP },
	{ SCMP_SYS(fsetxattr), ENOTSUP },
	{ SCMP_SYS(getxattr), ENOTSUP },
	{ SCMP_SYS(lgetxattr), ENOTSUP },
	{ SCMP_SYS(fgetxattr), ENOTSUP },
	{ SCMP_SYS(listxattr), ENOTSUP },
	{ SCMP_SYS(llistxattr), ENOTSUP },
	{ SCMP_SYS(flistxattr), ENOTSUP },
	{ SCMP_SYS(removexattr), ENOTSUP },
	{ SCMP_SYS(lremovexattr), ENOTSUP },
	{ SCMP_SYS(fremovexattr), ENOTSUP },
	{ SCMP_SYS(io_uring_setup), ENOSYS },
	{ SCMP_SYS(io_uring_enter), ENOSYS },
	{ SCMP_SYS(io_uring_register), ENOSYS },
	{ SCMP_SYS(openat2), ENOSYS },
	{ SCMP_SYS(add_key), ENOSYS },
	{ SCMP_SYS(request_key), ENOSYS },
	{ SCMP_SYS(keyctl), ENOSYS },
	{ SCMP_SYS(userfaultfd), ENOSYS },
	{ SCMP_SYS(bpf), EPERM },
	{ SCMP_SYS(perf_event_open), EPERM },
};

static int refuse(scmp_filter_ctx c, int error, int call, const struct scmp_arg_cmp *args, unsigned n)
{
	int rc = seccomp_rule_add_array(c, SCMP_ACT_ERRNO((unsigned)error), call, n, args);

	/* A call that this machine never had needs no rule. */
	return rc == -EDOM || rc == -EFAULT ? 0 : rc;
}

/* Refuses `call` when argument `mode` has a setuid or setgid bit and, if `flag` is not 0, argument `flags` has it. */
static int refuse_mode(scmp_filter_ctx c, int call, unsigned mode, unsigned flags, scmp_datum_t flag)
{
	static const scmp_datum_t bits[] = { S_ISUID, S_ISGID };
	int rc = 0;

	for (size_t i = 0; i < 2 && !rc; i++) {
		struct scmp_arg_cmp args[2] = {
			SCMP_CMP(mode, SCMP_CMP_MASKED_EQ, bits[i], bits[i]),
			SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, flag, flag),
		};

		rc = refuse(c, EPERM, call, args, flag ? 2 : 1);
	}
	return rc;
}

static int refuse_modes(scmp_filter_ctx c)
{
	const scmp_datum_t tmpfile = O_TMPFILE & ~O_DIRECTORY;
	int rc = refuse_mode(c, SCMP_SYS(chmod), 1, 0, 0);

	rc = rc ? rc : refuse_mode(c, SCMP_SYS(fchmod), 1, 0, 0);
	rc = rc ? rc : refuse_mode(c, SCMP_SYS(fchmodat), 2, 0, 0);
	rc = rc ? rc : refuse_mode(c, SCMP_SYS(creat), 1, 0, 0);
	rc = rc ? rc : refuse_mode(c, SCMP_SYS(mknod), 1, 0, 0);
	rc = rc ? rc : refuse_mode(c, SCMP_SYS(mknodat), 2, 0, 0);
	rc = rc ? rc : refuse_mode(c, SCMP_SYS(mkdir), 1, 0, 0);
	rc = rc ? rc : refuse_mode(c, SCMP_SYS(mkdirat), 2, 0, 0);
	rc = rc ? rc : refuse_mode(c, SCMP_SYS(open), 2, 1, O_CREAT);
	rc = rc ? rc : refuse_mode(c, SCMP_SYS(open), 2, 1, tmpfile);
	rc = rc ? rc : refuse_mode(c, SCMP_SYS(openat), 3, 2, O_CREAT);
	return rc ? rc : refuse_mode(c, SCMP_SYS(openat), 3, 2, tmpfile);
}

static int refuse_unix(scmp_filter_ctx c)
{
	struct scmp_arg_cmp domain = SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0);
	int rc = refuse(c, EAFNOSUPPORT, SCMP_SYS(socket), &domain, 1);

	/* A datagram socket of a pair can still send to any address (SOCK_RAW means the same here). */
	for (scmp_datum_t type = SOCK_DGRAM; type <= SOCK_RAW && !rc; type++) {
		struct scmp_arg_cmp args[2] = {
			SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0),
			SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE_MASK, type),
		};

		rc = refuse(c, EAFNOSUPPORT, SCMP_SYS(socketpair), args, 2);
	}
	/* i386 has one call for all of them, arguments in memory; its libraries know the separate ones as well. */
	return rc ? rc : refuse(c, ENOSYS, SCMP_SYS(socketcall), NULL, 0);
}

static int add_rules(scmp_filter_ctx c, enum filter_flags flags)
{
	struct scmp_arg_cmp vsock = SCMP_A0(SCMP_CMP_EQ, AF_VSOCK, 0);
	struct scmp_arg_cmp sti = SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCSTI);
	int rc = 0;

	for (size_t i = 0; i < sizeof refused / sizeof *refused && !rc; i++)
		rc = refuse(c, refused[i].error, refused[i].call, NULL, 0);
	rc = rc ? rc : refuse_modes(c);
	rc = rc ? rc : refuse(c, EAFNOSUPPORT, SCMP_SYS(socket), &vsock, 1);
	rc = rc ? rc : refuse(c, EPERM, SCMP_SYS(ioctl), &sti, 1);
	if (flags & FILTER_NO_UNIX)
		rc = rc ? rc : refuse_unix(c);
	if (flags & FILTER_NO_EXEC) {
		rc = rc ? rc : refuse(c, EPERM, SCMP_SYS(execve), NULL, 0);
		rc = rc ? rc : refuse(c, EPERM, SCMP_SYS(execveat), NULL, 0);
	}
	return rc;
}

/* The 32-bit calls of this machine obey the same rules; a missing architecture is refused as a whole. */
static int add_arches(scmp_filter_ctx c)
{
	int rc = 0;

	if (seccomp_arch_native() == SCMP_ARCH_X86_64)
		rc = seccomp_arch_add(c, SCMP_ARCH_X86);
	else if (seccomp_arch_native() == SCMP_ARCH_AARCH64)
		rc = seccomp_arch_add(c, SCMP_ARCH_ARM);
	return rc == -EEXIST ? 0 : rc;
}

/* Newer calls, by number. */
static int load_new_calls(void)
{
	enum { NR = offsetof(struct seccomp_data, nr), MODE = offsetof(struct seccomp_data, args[2]) };
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~(unsigned)X32_BIT),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, NR_FCHMODAT2, 0, 5), /* almost all: allow */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_FCHMODAT2, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_FILE_SETATTR, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, NR_SETXATTRAT, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NR_REMOVEXATTRAT, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTSUP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, MODE + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, S_ISUID | S_ISGID, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof code / sizeof *code, code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

/* Making the rules a program takes longer than loading it; it is the same for all builders. */
enum { PROGRAMS = 4 };
static struct sock_fprog programs[PROGRAMS];

static int read_program(int fd, struct sock_fprog *out)
{
	off_t size = lseek(fd, 0, SEEK_END);
	size_t n = size > 0 ? (size_t)size : 0;
	struct sock_filter *code = n ? xmalloc(n) : NULL;

	if (!code || pread(fd, code, n, 0) != (ssize_t)n) {
		free(code);
		return -EIO;
	}
	*out = (struct sock_fprog){ (unsigned short)(n / sizeof *code), code };
	return 0;
}

static int make_program(enum filter_flags flags, struct sock_fprog *out)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
	int fd = memfd_create("filter", MFD_CLOEXEC), rc = c && fd >= 0 ? 0 : -ENOMEM;

	rc = rc ? rc : add_arches(c);
	rc = rc ? rc : seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	rc = rc ? rc : add_rules(c, flags);
	rc = rc ? rc : seccomp_export_bpf(c, fd);
	rc = rc ? rc : read_program(fd, out);
	if (c)
		seccomp_release(c);
	if (fd >= 0)
		close(fd);
	return rc;
}

int seccomp_prepare(enum filter_flags flags, struct err *e)
{
	int rc = programs[flags].len ? 0 : make_program(flags, &programs[flags]);

	if (!rc)
		return 0;
	errno = -rc;
	return err_errno(e, "making the system call filter");
}

int seccomp_load_filter(enum filter_flags flags, struct err *e)
{
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_errno(e, "giving up new privileges");
	rc = load_new_calls();
	if (rc) {
		errno = -rc;
		return err_errno(e, "loading a system call filter");
	}
	rc = seccomp_prepare(flags, e);
	if (!rc && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &programs[flags]))
		rc = err_errno(e, "loading the system call filter");
	return rc;
}

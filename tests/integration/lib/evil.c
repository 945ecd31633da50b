/* SPDX-License-Identifier: MIT
 *
 * A builder that tries what builders must not be able to do.  `evil WHAT` in a sandbox; prints what it could do and makes
 * $out, so that the test sees both what was refused and what came of the rest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *out;

static void done(const char *text)
{
	FILE *f;

	umask(022);
	f = fopen(out, "w");
	if (!f)
		exit(1);
	fputs(text, f);
	fclose(f);
}

static void look(const char *how, const char *path)
{
	struct stat st;

	if (!lstat(path, &st) && !S_ISDIR(st.st_mode) && st.st_mode & 06000)
		printf("EVIL %s made %o\n", how, (unsigned)st.st_mode);
	if (!lstat(path, &st) && S_ISDIR(st.st_mode) && st.st_mode & 04000)
		printf("EVIL %s made %o\n", how, (unsigned)st.st_mode);
}

/* The 32-bit way: int 0x80. */
static void chmod32(const char *path, unsigned mode)
{
#ifdef __x86_64__
	/* The path must lie below 4 GB. */
	static char low[64] __attribute__((aligned(16)));
	long rc;

	if ((unsigned long)low >> 32)
		return;
	strcpy(low, path);
	__asm__ volatile("int $0x80" : "=a"(rc) : "a"(15L), "b"((long)low), "c"((long)mode) : "memory", "r8", "r9", "r10", "r11");
	(void)rc;
#else
	(void)path;
	(void)mode;
#endif
}

static void setuid_files(void)
{
	struct {
		unsigned long long flags, mode, resolve;
	} how = { O_CREAT | O_WRONLY, 04755, 0 };
	static const char *const names[] = { "a", "b", "c", "d" };
	int fd;

	for (size_t i = 0; i < 4; i++)
		close(open(names[i], O_CREAT | O_WRONLY, 0755));
	chmod("a", 04755), look("chmod", "a");
	chmod("a", 02755), look("chmod g+s", "a");
	fd = open("b", O_RDONLY);
	fchmod(fd, 06755), look("fchmod", "b");
	fchmodat(AT_FDCWD, "c", 04755, 0), look("fchmodat", "c");
	syscall(452, AT_FDCWD, "d", 04755, 0), look("fchmodat2", "d");
	syscall(452, AT_FDCWD, "d", 02755, AT_SYMLINK_NOFOLLOW), look("fchmodat2", "d");
	open("e", O_CREAT | O_WRONLY, 04755), look("open", "e");
	openat(AT_FDCWD, "f", O_CREAT | O_WRONLY, 02755), look("openat", "f");
	creat("g", 06755), look("creat", "g");
#ifdef SYS_creat
	syscall(SYS_creat, "g2", 04755), look("creat call", "g2");
#endif
	mknod("h", S_IFREG | 04755, 0), look("mknod", "h");
	mknodat(AT_FDCWD, "i", S_IFREG | 04755, 0), look("mknodat", "i");
	syscall(SYS_openat2, AT_FDCWD, "j", &how, sizeof how), look("openat2", "j");
	fd = open(".", O_TMPFILE | O_WRONLY, 04755);
	if (fd >= 0) {
		char self[64];

		snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
		linkat(AT_FDCWD, self, AT_FDCWD, "k", AT_SYMLINK_FOLLOW);
		look("O_TMPFILE", "k");
	}
	mkdir("l", 06755), look("mkdir", "l");
	close(open("m", O_CREAT | O_WRONLY, 0755));
	chmod32("m", 04755), look("32-bit chmod", "m");
	if (syscall(425, 1, NULL) < 0 ? errno != ENOSYS : 1)
		printf("EVIL io_uring answers %d\n", errno);
	if (!setxattr("a", "user.x", "1", 1, 0))
		printf("EVIL setxattr\n");
	if (syscall(463, AT_FDCWD, "a", 0, "user.x", NULL, 0) >= 0)
		printf("EVIL setxattrat\n");
	done("setuid\n");
}

/* Leaves a process behind that holds the output open and changes it later. */
static void hold(void)
{
	int fd = open(out, O_CREAT | O_RDWR, 0644);

	if (write(fd, "good\n", 5) != 5)
		exit(1);
	if (fork() == 0) {
		setsid();
		if (fork() == 0) {
			signal(SIGHUP, SIG_IGN);
			for (;;) {
				usleep(20000);
				lseek(fd, 0, SEEK_SET);
				if (write(fd, "EVIL\n", 5) != 5)
					exit(1);
			}
		}
		_exit(0);
	}
	usleep(1000);
	lseek(fd, 0, SEEK_SET);
	if (write(fd, "good\n", 5) != 5)
		exit(1);
}

static int address(struct sockaddr_un *a)
{
	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path + 1, "gx-test-meeting");
	return (int)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen("gx-test-meeting"));
}

/* One builder waits at an abstract socket, another comes. */
static void meet(int server)
{
	struct sockaddr_un a;
	socklen_t n = (socklen_t)address(&a);
	int s = socket(AF_UNIX, SOCK_STREAM, 0), ok = 0;
	int pair[2];

	if (server && s >= 0 && !bind(s, (void *)&a, n) && !listen(s, 1)) {
		fcntl(s, F_SETFL, O_NONBLOCK);
		for (int i = 0; i < 150 && !ok; i++, usleep(10000))
			ok = accept(s, NULL, NULL) >= 0;
	}
	for (int i = 0; !server && i < 100 && !ok; i++, usleep(10000)) {
		ok = s >= 0 && !connect(s, (void *)&a, n);
		/* A datagram pair can be sent from to anywhere. */
		if (!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)) {
			ok |= sendto(pair[0], "x", 1, 0, (void *)&a, n) > 0;
			close(pair[0]), close(pair[1]);
		}
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		ok = 2;
	puts(ok == 2 ? "no pairs" : ok ? "EVIL met" : "alone");
	done("net\n");
}

static void bomb(void)
{
	int n = 0;

	for (; n < 100000; n++) {
		pid_t p = fork();

		if (p < 0)
			break;
		if (!p) {
			pause();
			_exit(0);
		}
	}
	printf("%s %d processes\n", n < 20000 ? "bounded at" : "EVIL", n);
	fflush(stdout);
	done("bomb\n");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	out = getenv("out");
	umask(0);
	if (!strcmp(what, "setuid"))
		setuid_files();
	else if (!strcmp(what, "hold"))
		hold();
	else if (!strcmp(what, "server") || !strcmp(what, "client"))
		meet(*what == 's');
	else if (!strcmp(what, "bomb"))
		bomb();
	else
		return 2;
	return 0;
}

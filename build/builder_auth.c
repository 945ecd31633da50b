/* SPDX-License-Identifier: MIT
 *
 * All builders write to one socket.  Each question brings the socket that its answer goes to, so that no builder reads another's:
 *
 *     question   step (a byte), address, NUL, refusal        one packet, with a descriptor
 *     answer     names of programs that failed, NUL, headers, then the end
 */
#include "config.h"
#include "build/builder_auth.h"
#include "base/alloc.h"
#include "base/fdio.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUESTION_MAX = 32768 };

static struct {
	int ask, answer; /* ends of the one socket */
	struct go_auth *auth;
} here;

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* --- the answering side --- */

/* A question and where its answer goes; 0 when there will be none any more. */
static size_t receive(char *question, int *reply)
{
	struct iovec data = { question, QUESTION_MAX };
	union control control;
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t n;

	do
		n = recvmsg(here.answer, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	*reply = -1;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(reply, CMSG_DATA(c), sizeof *reply);
	return n > 0 ? (size_t)n : 0;
}

static void send_all(int fd, const struct buf *b)
{
	for (size_t done = 0; done < b->len;) {
		ssize_t n = send(fd, b->p + done, b->len - done, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return;
		done += n > 0 ? (size_t)n : 0;
	}
}

static void answer(const char *question, size_t n, int reply)
{
	struct buf failed = BUF_INIT, headers = BUF_INIT;
	const char *url = question + 1, *end = memchr(question, 0, n);

	if (!end || end <= url)
		return;
	struct slice refusal = { end + 1, (size_t)(question + n - end - 1) };

	go_auth_ask(here.auth, (enum go_auth_step)(*question - 'a'), (struct slice){ url, (size_t)(end - url) }, refusal, &headers,
		    &failed);
	buf_addc(&failed, 0);
	send_all(reply, &failed);
	send_all(reply, &headers);
	if (headers.p)
		explicit_bzero(headers.p, headers.cap);
	buf_release(&headers);
	buf_release(&failed);
}

static void *answer_all(void *unused)
{
	static char question[QUESTION_MAX];
	size_t n;
	int reply;

	while ((n = receive(question, &reply)))
		if (reply >= 0) {
			answer(question, n, reply);
			close(reply);
		}
	return unused;
}

int builder_auth_start(const char *list, struct err *e)
{
	sigset_t all, old;
	int ends[2], rc;
	pthread_t thread;

	if (here.auth)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return err_errno(e, "cannot ask what GOAUTH names");
	here.auth = go_auth_new(list);
	here.ask = ends[0];
	here.answer = ends[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&thread, NULL, answer_all, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!rc)
		pthread_detach(thread);
	errno = rc;
	return rc ? err_errno(e, "cannot ask what GOAUTH names") : 0;
}

int builder_auth_input(void)
{
	return here.ask;
}

/* --- the asking side --- */

static int ask(const struct buf *question, int reply)
{
	struct iovec data = { question->p, question->len };
	union control control = { .bytes = "" };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };

	control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof reply), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.align), &reply, sizeof reply);
	return sendmsg(0, &m, MSG_NOSIGNAL) == (ssize_t)question->len ? 0 : -1;
}

void builder_auth_ask(enum go_auth_step step, struct slice url, struct slice refusal, struct buf *headers, struct buf *failed)
{
	struct buf question = BUF_INIT, all = BUF_INIT;
	int reply[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, reply))
		return;
	buf_addc(&question, (char)('a' + step));
	buf_add(&question, url.p, url.n);
	buf_addc(&question, 0);
	buf_add(&question, refusal.p, refusal.n);
	int rc = ask(&question, reply[1]);

	close(reply[1]);
	if (!rc && fd_read_all(reply[0], &all))
		buf_trim(&all, 0);
	close(reply[0]);
	const char *end = all.len ? memchr(all.p, 0, all.len) : NULL;

	if (end) {
		buf_adds(failed, all.p);
		buf_add(headers, end + 1, (size_t)(all.p + all.len - end - 1));
	}
	if (all.p)
		explicit_bzero(all.p, all.cap);
	buf_release(&all);
	buf_release(&question);
}

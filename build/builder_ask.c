/* SPDX-License-Identifier: MIT
 *
 * All builders write to one socket.  Each question is one packet that brings the socket its answer goes to, so that no builder
 * reads another's; the end of the answer is the end of that socket.
 */
#include "config.h"
#include "build/builder_ask.h"
#include "base/thread.h"
#include "build/builder_auth.h"
#include "build/builder_repository.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUESTION_MAX = 32768 };

static struct {
	int ask, answer; /* ends of the one socket */
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

void builder_reply(int fd, const void *p, size_t n)
{
	for (const char *bytes = p; n;) {
		ssize_t k = send(fd, bytes, n, MSG_NOSIGNAL);

		if (k < 0 && errno != EINTR)
			return;
		bytes += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
	}
}

static void *answer_all(void *unused)
{
	static char question[QUESTION_MAX];
	size_t n;
	int reply;

	while ((n = receive(question, &reply)))
		if (reply >= 0) {
			struct slice q = { question, n };

			if (*question == BUILDER_REPOSITORY)
				builder_repository_answer(q, reply);
			else
				builder_auth_answer(q, reply);
			close(reply);
		}
	return unused;
}

int builder_ask_start(struct err *e)
{
	int ends[2], rc;
	pthread_t thread;

	if (here.ask)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return err_errno(e, "cannot answer builders");
	here.ask = ends[0];
	here.answer = ends[1];
	rc = thread_start(&thread, answer_all, NULL);
	if (!rc)
		pthread_detach(thread);
	errno = rc;
	return rc ? err_errno(e, "cannot answer builders") : 0;
}

int builder_ask_input(void)
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

int builder_ask(const struct buf *question)
{
	int reply[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, reply))
		return -1;
	rc = ask(question, reply[1]);
	close(reply[1]);
	if (!rc)
		return reply[0];
	close(reply[0]);
	return -1;
}

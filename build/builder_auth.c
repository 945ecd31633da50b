/* SPDX-License-Identifier: MIT
 *
 *     question   step (a byte), address, NUL, refusal
 *     answer     names of programs that failed, NUL, headers
 */
#include "config.h"
#include "build/builder_auth.h"
#include "base/fdio.h"
#include "build/builder_ask.h"

#include <string.h>
#include <unistd.h>

static struct go_auth *auth;

int builder_auth_start(const char *list, struct err *e)
{
	if (!auth)
		auth = go_auth_new(list);
	return builder_ask_start(e);
}

void builder_auth_answer(struct slice question, int reply)
{
	struct buf failed = BUF_INIT, headers = BUF_INIT;
	const char *url = question.p + 1, *end = memchr(question.p, 0, question.n);

	if (!auth || !end || end <= url)
		return;
	struct slice refusal = { end + 1, (size_t)(question.p + question.n - end - 1) };

	go_auth_ask(auth, (enum go_auth_step)(*question.p - BUILDER_AUTH), (struct slice){ url, (size_t)(end - url) }, refusal,
		    &headers, &failed);
	buf_addc(&failed, 0);
	builder_reply(reply, failed.p, failed.len);
	builder_reply(reply, headers.p, headers.len);
	buf_wipe(&headers);
	buf_release(&failed);
}

void builder_auth_ask(enum go_auth_step step, struct slice url, struct slice refusal, struct buf *headers, struct buf *failed)
{
	struct buf question = BUF_INIT, all = BUF_INIT;

	buf_addc(&question, (char)(BUILDER_AUTH + step));
	buf_add(&question, url.p, url.n);
	buf_addc(&question, 0);
	buf_add(&question, refusal.p, refusal.n);
	int fd = builder_ask(&question);

	if (fd >= 0 && fd_read_all(fd, &all))
		buf_trim(&all, 0);
	if (fd >= 0)
		close(fd);
	const char *end = all.len ? memchr(all.p, 0, all.len) : NULL;

	if (end) {
		buf_adds(failed, all.p);
		buf_add(headers, end + 1, (size_t)(all.p + all.len - end - 1));
	}
	buf_wipe(&all);
	buf_release(&question);
}

/* SPDX-License-Identifier: MIT
 *
 * Exec over WebSocket, v5.channel.k8s.io (which can say that input is at its end) or v4: the first byte of a message is the
 * channel. The last message, on channel 3, is a Status that says how the program ended.
 *
 * What comes is read until there is none before anything is waited for: TLS has bytes of its own that poll does not see.
 */
#include "config.h"
#include "kube/exec.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "format/basen.h"
#include "kube/frames.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { CHANNEL_IN, CHANNEL_OUT, CHANNEL_ERR, CHANNEL_END, CHANNEL_SIZE, CHANNEL_CLOSE = 255 };
enum { MAX_HEAD = 65536, MAX_WAITING = 1 << 18, MAX_STATUS = 1 << 20, PIECE = 16384, PING_S = 20, SILENT_S = 70, HEAD_S = 30 };

struct session {
	struct kube *k;
	struct http_raw *raw;
	const struct exec_request *q;
	struct buf in, out; /* of the connection */
	struct buf end;	    /* what channel 3 said */
	int channel;	    /* of the message that comes; -1: at its beginning */
	int in_is_over, closed, can_close;
	time_t heard, pinged;
	struct err *e;
};

void kube_quote(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c ? c : '/'))
			buf_addc(b, c);
		else
			buf_addf(b, "%%%02X", (unsigned char)c);
	}
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void random_bytes(uint8_t *p, size_t n)
{
	if (getrandom(p, n, 0) != (ssize_t)n)
		abort(); /* of 256 bytes and less it gives all */
}

/* --- what is asked --- */

static void add_target(struct buf *b, const struct exec_request *q)
{
	buf_adds(b, "/api/v1/namespaces/");
	kube_quote(b, slice_of(q->namespace));
	buf_adds(b, "/pods/");
	kube_quote(b, slice_of(q->pod));
	buf_adds(b, "/exec?container=");
	kube_quote(b, slice_of(q->container));
	buf_addf(b, "&stdout=true&stderr=%s&stdin=%s&tty=%s", q->tty ? "false" : "true", q->in >= 0 ? "true" : "false",
		 q->tty ? "true" : "false");
	for (const char *const *v = q->argv; *v; v++) {
		buf_adds(b, "&command=");
		kube_quote(b, slice_of(*v));
	}
}

static void add_request(struct buf *b, const struct session *s, const struct words *headers, char key[25])
{
	const char *server = kube_server(s->k);
	const char *host = strstr(server, "://") + 3, *path = strchr(host, '/');
	uint8_t bytes[16];

	random_bytes(bytes, sizeof bytes);
	base64_encode(bytes, sizeof bytes, key);
	key[24] = 0;
	buf_addf(b, "GET %s", path ? path : "");
	add_target(b, s->q);
	buf_addf(b, " HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: gx/%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
		 (int)strcspn(host, "/"), host, PACKAGE_VERSION);
	buf_addf(b, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", key);
	buf_adds(b, "Sec-WebSocket-Protocol: v5.channel.k8s.io, v4.channel.k8s.io\r\n");
	for (size_t i = 0; i < headers->n; i++)
		buf_addf(b, "%s\r\n", headers->v[i]);
	buf_adds(b, "\r\n");
}

/* --- the connection --- */

/* Reads what is there.  1: something came. */
static int take_in(struct session *s)
{
	int64_t n;
	int any = 0;

	do {
		buf_reserve(&s->in, PIECE);
		n = http_raw_read(s->raw, s->in.p + s->in.len, PIECE, s->e);
		if (n < 0)
			return (int)n;
		buf_extend(&s->in, (size_t)n);
		any |= n > 0;
	} while (n > 0 && s->in.len < MAX_WAITING);
	if (any)
		s->heard = now();
	return any;
}

static int put_out(struct session *s)
{
	size_t at = 0;
	int64_t n = 1;

	while (at < s->out.len && (n = http_raw_write(s->raw, s->out.p + at, s->out.len - at, s->e)) > 0)
		at += (size_t)n;
	if (at) {
		memmove(s->out.p, s->out.p + at, s->out.len - at);
		buf_trim(&s->out, s->out.len - at);
	}
	return n < 0 ? (int)n : 0;
}

/* Waits for the connection alone. */
static int wait_raw(struct session *s, int seconds)
{
	struct pollfd p = { http_raw_fd(s->raw), (short)(POLLIN | (s->out.len ? POLLOUT : 0)), 0 };

	return poll(&p, 1, seconds * 1000) == 0 ? err_set(s->e, ERR_NETWORK, "'%s' does not answer", kube_server(s->k)) : 0;
}

/* --- the answer to the request --- */

/* A header of an answer's head; empty when it has none. */
static struct slice header(struct slice head, const char *name)
{
	size_t n = strlen(name);

	while (head.n) {
		struct slice line = slice_cut(&head, '\n');

		if (line.n > n && line.p[n] == ':' && !strncasecmp(line.p, name, n))
			return slice_trim((struct slice){ line.p + n + 1, line.n - n - 1 });
	}
	return SLICE("");
}

static int refused(struct session *s, long status, struct slice head)
{
	struct http_answer a = { .status = status };
	struct slice length = header(head, "Content-Length");
	size_t want = 0, from = (size_t)(head.p - s->in.p) + head.n + 4;
	int rc;

	for (size_t i = 0; i < length.n && i < 6; i++)
		want = want * 10 + (size_t)(length.p[i] - '0') % 10;
	want = want > MAX_HEAD ? MAX_HEAD : want;
	/* What it says is worth having, and not worth an error. */
	while (s->in.len - from < want && !wait_raw(s, 2) && take_in(s) >= 0)
		;
	err_release(s->e);
	buf_add(&a.body, s->in.p + from, s->in.len - from);
	if (status == 401)
		kube_forget(s->k);
	rc = kube_refused(&a, s->e, "run a program in the pod '%s'", s->q->pod);
	http_answer_release(&a);
	return rc;
}

static int is_upgraded(struct session *s, struct slice head, const char *key)
{
	struct slice protocol = header(head, "Sec-WebSocket-Protocol");
	char accept[29];

	frame_accept(key, accept);
	s->can_close = slice_eq(protocol, SLICE("v5.channel.k8s.io"));
	return slice_eq(header(head, "Sec-WebSocket-Accept"), slice_of(accept)) &&
	       (s->can_close || slice_eq(protocol, SLICE("v4.channel.k8s.io")));
}

static int read_head(struct session *s, const char *key)
{
	time_t until = now() + HEAD_S;
	const char *end;
	long status = 0;
	int rc;

	for (;;) {
		rc = put_out(s);
		rc = rc ? rc : take_in(s);
		end = s->in.len ? memmem(s->in.p, s->in.len, "\r\n\r\n", 4) : NULL;
		if (end)
			break;
		if (rc < 0)
			return rc;
		if (s->in.len > MAX_HEAD || now() > until)
			return err_set(s->e, ERR_NETWORK, "the answer of '%s' has no end", kube_server(s->k));
		if ((rc = wait_raw(s, HEAD_S)))
			return rc;
	}
	struct slice head = { s->in.p, (size_t)(end - s->in.p) };

	if (sscanf(s->in.p, "HTTP/1.%*1[01] %3ld", &status) != 1)
		return err_set(s->e, ERR_NETWORK, "what '%s' says is no HTTP", kube_server(s->k));
	if (status != 101)
		return refused(s, status, head);
	if (!is_upgraded(s, head, key))
		return err_set(s->e, ERR_NETWORK, "'%s' does not speak WebSocket as Kubernetes does", kube_server(s->k));
	memmove(s->in.p, end + 4, s->in.len - head.n - 4);
	buf_trim(&s->in, s->in.len - head.n - 4);
	return 0;
}

/* --- messages --- */

static void say(struct session *s, enum frame_kind kind, struct slice payload)
{
	uint8_t mask[4];

	random_bytes(mask, sizeof mask);
	frame_add(&s->out, kind, payload, mask);
}

static void say_size(struct session *s)
{
	unsigned columns = 0, rows = 0;
	struct buf b = BUF_INIT;

	s->q->size(&columns, &rows);
	buf_addc(&b, CHANNEL_SIZE);
	buf_addf(&b, "{\"Width\":%u,\"Height\":%u}", columns, rows);
	if (columns && rows)
		say(s, FRAME_BINARY, (struct slice){ b.p, b.len });
	buf_release(&b);
}

static int write_out(struct session *s, int fd, struct slice p)
{
	if (!fd_write_all(fd, p.p, p.n))
		return 0;
	/* Whoever reads what is written has gone: so has the reason to go on. */
	return errno == EPIPE ? ERR_INTERRUPT : err_errno(s->e, "cannot write what the program says");
}

static int on_data(struct session *s, struct frame *f)
{
	if (f->kind != FRAME_MORE) {
		if (!f->payload.n)
			return 0;
		s->channel = (unsigned char)*f->payload.p;
		f->payload.p++, f->payload.n--;
	}
	if (s->channel == CHANNEL_OUT || s->channel == CHANNEL_ERR)
		return write_out(s, s->channel == CHANNEL_ERR && !s->q->tty ? s->q->err : s->q->out, f->payload);
	if (s->channel == CHANNEL_END && s->end.len + f->payload.n <= MAX_STATUS)
		buf_add(&s->end, f->payload.p, f->payload.n);
	return 0;
}

static int on_frame(struct session *s, struct frame *f)
{
	switch (f->kind) {
	case FRAME_PING: say(s, FRAME_PONG, f->payload); return 0;
	case FRAME_PONG: return 0;
	case FRAME_CLOSE:
		if (!s->closed)
			say(s, FRAME_CLOSE, f->payload);
		s->closed = 1;
		return 0;
	default: return on_data(s, f);
	}
}

static int take_frames(struct session *s)
{
	struct slice in = { buf_str(&s->in), s->in.len };
	struct frame f;
	int rc = 0;

	while (!s->closed && (rc = frame_take(&in, &f, s->e)) > 0)
		if ((rc = on_frame(s, &f)))
			break;
	if (in.n != s->in.len && s->in.len) {
		memmove(s->in.p, in.p, in.n);
		buf_trim(&s->in, in.n);
	}
	return rc < 0 ? rc : 0;
}

static int read_input(struct session *s)
{
	char piece[PIECE + 1];
	ssize_t n = fd_read(s->q->in, piece + 1, PIECE);

	if (n < 0 && errno == EAGAIN)
		return 0;
	piece[0] = CHANNEL_IN;
	if (n > 0) {
		say(s, FRAME_BINARY, (struct slice){ piece, (size_t)n + 1 });
		return 0;
	}
	s->in_is_over = 1;
	if (s->can_close)
		say(s, FRAME_BINARY, (struct slice){ "\377\0", 2 });
	return 0;
}

static int wait_all(struct session *s)
{
	struct pollfd p[3] = { { http_raw_fd(s->raw), (short)(POLLIN | (s->out.len ? POLLOUT : 0)), 0 },
			       { s->in_is_over || s->out.len > MAX_WAITING ? -1 : s->q->in, POLLIN, 0 },
			       { s->q->resized, POLLIN, 0 } };
	char wake[64];

	if (poll(p, 3, PING_S * 1000) < 0 && errno != EINTR)
		return err_errno(s->e, "cannot wait");
	if (p[2].revents && read(s->q->resized, wake, sizeof wake) > 0)
		say_size(s);
	if (now() - s->heard > SILENT_S)
		return err_set(s->e, ERR_NETWORK, "nothing was heard of '%s' for %d seconds", kube_server(s->k), SILENT_S);
	if (now() - s->heard >= PING_S && now() - s->pinged >= PING_S) {
		s->pinged = now();
		say(s, FRAME_PING, SLICE(""));
	}
	return p[1].revents ? read_input(s) : 0;
}

/* Until the server closes, or the connection breaks off after the program's end was told. */
static int converse(struct session *s)
{
	int rc = take_frames(s);

	if (s->q->tty)
		say_size(s);
	while (!rc && !s->closed) {
		rc = put_out(s);
		rc = rc ? rc : wait_all(s);
		int got = rc ? rc : take_in(s);

		rc = got < 0 ? got : 0;
		if (got >= 0 || s->in.len)
			rc = take_frames(s) < 0 ? ERR_NETWORK : rc;
	}
	put_out(s);
	return s->end.len && rc == ERR_NETWORK ? 0 : rc;
}

/* --- its end --- */

static int ended(struct session *s, int *status)
{
	struct arena a = ARENA_INIT;
	struct jnode *top = NULL;
	struct slice message, code;
	int rc = 0;

	if (!s->end.len || json_tree_parse(&a, (struct slice){ s->end.p, s->end.len }, &top, NULL)) {
		arena_release(&a);
		return err_set(s->e, ERR_NETWORK, "the connection to '%s' broke off before the program's end", kube_server(s->k));
	}
	message = tree_text(top, "message");
	code = tree_text(tree_element(tree_at(top, "details.causes"), "reason", SLICE("ExitCode")), "message");
	*status = 0;
	for (size_t i = 0; i < code.n && i < 3; i++)
		*status = *status * 10 + (code.p[i] - '0') % 10;
	if (!slice_eq(tree_text(top, "status"), SLICE("Success")) && !code.n)
		rc = err_set(s->e, ERR_IO, "cannot run the program: %.*s", (int)(message.n > 1000 ? 1000 : message.n), message.p);
	arena_release(&a);
	return rc;
}

int kube_exec(struct kube *k, const struct exec_request *q, int *status, struct err *e)
{
	struct session s = { .k = k, .q = q, .channel = -1, .in_is_over = q->in < 0, .e = e, .heard = now() };
	struct err why = ERR_INIT;
	struct words headers = { 0 };
	char key[25];
	int rc = kube_connect(k, &s.raw, &headers, e);

	if (!rc) {
		s.e = &why;
		add_request(&s.out, &s, &headers, key);
		rc = read_head(&s, key);
		rc = rc ? rc : converse(&s);
		/* What broke the connection after the end was told is nobody's concern. */
		s.e = e;
		if (rc)
			err_set(e, rc, "%s", why.msg ? why.msg : "nobody reads what the program says");
		else
			rc = ended(&s, status);
	}
	for (size_t i = 0; i < headers.n; i++)
		explicit_bzero(headers.v[i], strlen(headers.v[i]));
	words_release(&headers);
	err_release(&why);
	http_raw_close(s.raw);
	buf_release(&s.in);
	buf_wipe(&s.out);
	buf_release(&s.end);
	return rc;
}

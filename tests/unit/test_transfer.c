/* SPDX-License-Identifier: MIT
 *
 * fetch/transfer, fetch/netrc, fetch/goproxy against a server that misbehaves on request: retries, going on where a transfer
 * stopped, redirects and what may follow them, limits, credentials, proxies of Go modules.
 */
#include "config.h"
#include "golang/goproxy.h"
#include "fetch/netrc.h"
#include "fetch/transfer.h"
#include "tests/tools/loopback.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct loopback *server, *other;
static struct transfer_settings settings;
static struct transfer_engine *engine;
static char body[100000];

#define IS(text) (!strcmp(r->path, text))

/* Half of the body, then the connection breaks; with Range and If-Range the rest. */
static void flaky(int fd, const struct loopback_request *r, const char *etag, int honour)
{
	char range[64], if_range[64], head[256];
	size_t from = 0;

	if (honour && loopback_header(r, "Range", range, sizeof range) && loopback_header(r, "If-Range", if_range, sizeof if_range) &&
	    !strcmp(if_range, etag))
		from = strtoul(range + strlen("bytes="), NULL, 10);
	if (from)
		snprintf(head, sizeof head, "HTTP/1.1 206 Partial\r\nContent-Range: bytes %zu-%zu/%zu\r\n", from, sizeof body - 1,
			 sizeof body);
	else
		snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n");
	loopback_say(fd, head);
	snprintf(head, sizeof head, "ETag: %s\r\nContent-Length: %zu\r\n\r\n", etag, sizeof body - from);
	loopback_say(fd, head);
	loopback_send(fd, body + from, r->count == 0 ? sizeof body / 2 : sizeof body - from);
}

static void redirect(int fd, unsigned port, const char *path)
{
	char head[256];

	snprintf(head, sizeof head, "Location: http://127.0.0.1:%u%s\r\n", port, path);
	loopback_answer(fd, "302 Found", head, "ignored", 7);
}

static void show_auth(int fd, const struct loopback_request *r)
{
	char auth[256] = "none";

	loopback_header(r, "Authorization", auth, sizeof auth);
	loopback_answer(fd, "200 OK", "", auth, strlen(auth));
}

static void show(int fd, const struct loopback_request *r, const char *header)
{
	char value[256] = "none";

	loopback_header(r, header, value, sizeof value);
	loopback_answer(fd, "200 OK", "", value, strlen(value));
}

static void plain_answers(int fd, const struct loopback_request *r)
{
	if (IS("/hello"))
		loopback_answer(fd, "200 OK", "ETag: \"v1\"\r\n", "hello", 5);
	else if (IS("/empty"))
		loopback_answer(fd, "200 OK", "", "", 0);
	else if (IS("/big"))
		loopback_answer(fd, "200 OK", "", body, sizeof body);
	else if (IS("/big-unsaid")) {
		loopback_say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		loopback_send(fd, body, sizeof body);
	} else if (IS("/gone"))
		loopback_answer(fd, "410 Gone", "", "", 0);
	else if (IS("/denied"))
		loopback_answer(fd, "403 Forbidden", "", "", 0);
	else if (IS("/bad-request"))
		loopback_answer(fd, "400 Bad Request", "", "", 0);
	else if (IS("/agent"))
		show(fd, r, "User-Agent");
	else if (IS("/encoding"))
		show(fd, r, "Accept-Encoding");
	else if (IS("/auth"))
		show_auth(fd, r);
	else
		loopback_answer(fd, "404 Not Found", "", "no", 2);
}

static void pause_ms(long ms)
{
	const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* A few bytes a second, in what comes before the body or in the body; gives up by itself. */
static void drip(int fd, int in_body)
{
	loopback_say(fd, "HTTP/1.1 200 OK\r\n");
	if (in_body)
		loopback_say(fd, "Content-Length: 1000\r\n\r\n");
	for (int i = 0; i < 50; i++) {
		loopback_say(fd, in_body ? "x" : "X-Drop: y\r\n");
		pause_ms(100);
	}
}

/* In pieces without a size; ends with the client's patience, or after 64 MB. */
static void endless(int fd)
{
	char piece[1024 + 16];

	memset(piece, 'x', sizeof piece);
	memcpy(piece, "400\r\n", 5);
	memcpy(piece + 5 + 1024, "\r\n", 2);
	loopback_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 65536; i++)
		loopback_send(fd, piece, 1031);
}

/* Half of it, and then the connection is not closed but reset. */
static void reset(int fd)
{
	struct linger now = { 1, 0 };

	loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	loopback_send(fd, body, sizeof body / 2);
	pause_ms(50);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void broken_answers(int fd, const struct loopback_request *r)
{
	if (IS("/drip"))
		drip(fd, 1);
	else if (IS("/drip-head"))
		drip(fd, 0);
	else if (IS("/endless"))
		endless(fd);
	else if (IS("/reset"))
		reset(fd);
	else if (IS("/cut"))
		loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
	else if (IS("/cut-chunk"))
		loopback_say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
	else if (IS("/longer"))
		loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef");
	else if (IS("/garbage"))
		loopback_say(fd, "220 mail.example ESMTP\r\n");
	else if (IS("/silent"))
		;
	else
		plain_answers(fd, r);
}

static void answer(void *user, int fd, const struct loopback_request *r)
{
	struct timespec pause = { 2, 500000000 };

	(void)user;
	if (IS("/busy-once") && r->count == 0)
		loopback_answer(fd, "503 Busy", "Retry-After: 0\r\n", "", 0);
	else if (IS("/busy-once"))
		loopback_answer(fd, "200 OK", "", "at last", 7);
	else if (IS("/busy"))
		loopback_answer(fd, "503 Busy", "", "", 0);
	else if (IS("/flaky") || IS("/flaky-no-sink"))
		flaky(fd, r, "\"strong\"", 1);
	else if (IS("/flaky-weak"))
		flaky(fd, r, "W/\"weak\"", 1);
	else if (IS("/flaky-whole") || IS("/flaky-whole-no-restart"))
		flaky(fd, r, "\"strong\"", 0);
	else if (IS("/wrong-part") && r->count) {
		loopback_say(fd, "HTTP/1.1 206 Partial\r\nContent-Range: bytes 7-8/9\r\nContent-Length: 2\r\n\r\nxy");
	} else if (IS("/wrong-part"))
		flaky(fd, r, "\"strong\"", 0);
	else if (IS("/if-new")) {
		char etag[64] = "";

		loopback_header(r, "If-None-Match", etag, sizeof etag);
		if (!strcmp(etag, "\"v1\""))
			loopback_answer(fd, "304 Not Modified", "ETag: \"v1\"\r\n", "", 0);
		else
			loopback_answer(fd, "200 OK", "ETag: \"v1\"\r\n", "new", 3);
	} else if (IS("/to-hello"))
		redirect(fd, loopback_port(server), "/hello");
	else if (IS("/to-other"))
		redirect(fd, loopback_port(other), "/auth");
	else if (IS("/loop"))
		redirect(fd, loopback_port(server), "/loop");
	else if (IS("/to-file"))
		loopback_answer(fd, "302 Found", "Location: file:///etc/passwd\r\n", "", 0);
	else if (IS("/to-ftp"))
		loopback_answer(fd, "302 Found", "Location: ftp://127.0.0.1/x\r\n", "", 0);
	else if (IS("/stall")) {
		loopback_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab");
		nanosleep(&pause, NULL);
	} else
		broken_answers(fd, r);
}

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)(i * 7 + i / 251);
	/* Whatever proxy the machine has, loopback is loopback. */
	setenv("no_proxy", "127.0.0.1", 1);
	server = loopback_start(answer, NULL);
	other = loopback_start(answer, NULL);
	transfer_settings_init(&settings);
	settings.retry_ms = 5;
	settings.stall_s = 1;
	engine = transfer_engine_new(&settings, NULL);
	return engine ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	transfer_engine_free(engine);
	transfer_settings_release(&settings);
	loopback_stop(server);
	loopback_stop(other);
	return 0;
}

/* --- helpers --- */

struct got {
	struct buf b;
	unsigned restarts, reports;
	struct transfer_result r;
	struct err e;
};

static int got_write(void *user, const void *p, size_t n, struct err *e)
{
	struct got *g = user;

	(void)e;
	buf_add(&g->b, p, n);
	return 0;
}

static int got_restart(void *user, struct err *e)
{
	struct got *g = user;

	(void)e;
	g->restarts++;
	buf_trim(&g->b, 0);
	return 0;
}

static void got_progress(void *user, uint64_t now, uint64_t total)
{
	struct got *g = user;

	assert_true(!total || now <= total);
	g->reports++;
}

static struct transfer_request request(struct got *g)
{
	memset(g, 0, sizeof *g);
	return (struct transfer_request){ .write = got_write, .restart = got_restart, .progress = got_progress, .user = g,
					  .algo = HASH_SHA256 };
}

static void got_release(struct got *g)
{
	buf_release(&g->b);
	err_release(&g->e);
	transfer_result_release(&g->r);
}

static const char *url(const char *path)
{
	static char text[4][256];
	static int i;
	char *u = text[i++ % 4];

	snprintf(u, sizeof text[0], "http://127.0.0.1:%u%s", loopback_port(server), path);
	return u;
}

static int get(struct got *g, const char *path)
{
	struct transfer_request q = request(g);

	q.url = url(path);
	return transfer_get(engine, &q, &g->r, &g->e);
}

static void assert_body(const struct got *g, const void *p, size_t n)
{
	struct hash h;

	assert_int_equal(g->b.len, n);
	assert_memory_equal(buf_str(&g->b), p, n);
	hash_bytes(HASH_SHA256, p, n, &h);
	assert_true(hash_eq(&h, &g->r.hash));
	assert_int_equal(g->r.size, n);
}

static void assert_says(const struct got *g, const char *text)
{
	if (!g->e.msg || !strstr(g->e.msg, text))
		fail_msg("'%s' does not say '%s'", g->e.msg ? g->e.msg : "", text);
}

/* --- transfers --- */

static void simple(void **state)
{
	struct got g;

	(void)state;
	assert_int_equal(get(&g, "/hello"), 0);
	assert_body(&g, "hello", 5);
	assert_string_equal(g.r.etag, "\"v1\"");
	assert_true(g.reports > 0);
	got_release(&g);
	assert_int_equal(get(&g, "/empty"), 0);
	assert_body(&g, "", 0);
	got_release(&g);
	assert_int_equal(get(&g, "/big-unsaid"), 0);
	assert_body(&g, body, sizeof body);
	got_release(&g);
	assert_int_equal(get(&g, "/agent"), 0);
	assert_string_equal(g.b.p, "gx/" PACKAGE_VERSION);
	got_release(&g);
	assert_int_equal(get(&g, "/encoding"), 0);
	assert_string_equal(g.b.p, "none");
	got_release(&g);
}

static void many_at_once(void **state)
{
	enum { N = 40 };
	struct got g[N];
	struct transfer_request q[N];
	struct transfer *t[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		q[i] = request(&g[i]);
		q[i].url = strdup(url(i % 2 ? "/big" : "/hello"));
		t[i] = transfer_start(engine, &q[i], NULL);
	}
	transfer_cancel(t[3]);
	for (int i = N; i-- > 0;) {
		if (i != 3) {
			assert_int_equal(transfer_wait(t[i], &g[i].r, NULL), 0);
			assert_int_equal(g[i].r.size, i % 2 ? sizeof body : 5);
		}
		got_release(&g[i]);
		free((char *)(uintptr_t)q[i].url);
	}
}

static void statuses(void **state)
{
	static const struct {
		const char *path;
		int code;
		const char *says;
	} t[] = {
		{ "/none", ERR_NOTFOUND, "/none': the server says 404" },
		{ "/gone", ERR_NOTFOUND, "says 410" },
		{ "/denied", ERR_DENIED, "says 403" },
		{ "/bad-request", ERR_NETWORK, "says 400" },
		{ "/busy", ERR_NETWORK, "says 503 (after 5 attempts)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct got g;

		assert_int_equal(get(&g, t[i].path), t[i].code);
		assert_says(&g, t[i].says);
		assert_int_equal(g.b.len, 0);
		got_release(&g);
	}
}

static void retries(void **state)
{
	struct got g;

	(void)state;
	assert_int_equal(get(&g, "/busy-once"), 0);
	assert_body(&g, "at last", 7);
	got_release(&g);
	/* Goes on where it stopped. */
	assert_int_equal(get(&g, "/flaky"), 0);
	assert_body(&g, body, sizeof body);
	assert_int_equal(g.restarts, 0);
	got_release(&g);
	/* A weak etag does not vouch for the bytes, and a server need not know ranges. */
	assert_int_equal(get(&g, "/flaky-weak"), 0);
	assert_body(&g, body, sizeof body);
	assert_int_equal(g.restarts, 1);
	got_release(&g);
	assert_int_equal(get(&g, "/flaky-whole"), 0);
	assert_body(&g, body, sizeof body);
	assert_int_equal(g.restarts, 1);
	got_release(&g);
	assert_int_equal(get(&g, "/wrong-part"), ERR_NETWORK);
	assert_says(&g, "another part");
	got_release(&g);
}

static void sinks_that_cannot_restart(void **state)
{
	struct got g;
	struct transfer_request q = request(&g);

	(void)state;
	q.restart = NULL;
	q.url = url("/flaky-no-sink");
	assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), 0);
	assert_body(&g, body, sizeof body);
	got_release(&g);
	q = request(&g);
	q.restart = NULL;
	q.url = url("/flaky-whole-no-restart");
	assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), ERR_NETWORK);
	got_release(&g);
}

static void not_modified(void **state)
{
	struct got g;
	struct transfer_request q = request(&g);

	(void)state;
	q.url = url("/if-new");
	q.etag = "\"v1\"";
	assert_int_equal(transfer_get(engine, &q, &g.r, NULL), 0);
	assert_int_equal(g.r.not_modified, 1);
	got_release(&g);
	q = request(&g);
	q.url = url("/if-new");
	q.etag = "\"v0\"";
	assert_int_equal(transfer_get(engine, &q, &g.r, NULL), 0);
	assert_int_equal(g.r.not_modified, 0);
	assert_body(&g, "new", 3);
	got_release(&g);
}

static void limits(void **state)
{
	static const char *const paths[] = { "/big", "/big-unsaid" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct got g;
		struct transfer_request q = request(&g);

		q.url = url(paths[i]);
		q.max_size = sizeof body - 1;
		assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), ERR_LIMIT);
		assert_says(&g, "larger than 99999 bytes");
		assert_true(g.b.len < sizeof body);
		got_release(&g);
		q = request(&g);
		q.url = url(paths[i]);
		q.max_size = sizeof body;
		assert_int_equal(transfer_get(engine, &q, &g.r, NULL), 0);
		got_release(&g);
	}
}

static int refuse(void *user, const void *p, size_t n, struct err *e)
{
	(void)user;
	(void)p;
	(void)n;
	return err_set(e, ERR_IO, "the disk is full");
}

static void failing_sink(void **state)
{
	struct transfer_request q = { .url = url("/hello"), .write = refuse };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(transfer_get(engine, &q, NULL, &e), ERR_IO);
	assert_non_null(strstr(e.msg, "/hello': the disk is full"));
	err_release(&e);
}

static void stalls(void **state)
{
	struct got g;
	struct transfer_request q = request(&g);
	time_t start = time(NULL);

	(void)state;
	q.url = url("/stall");
	q.timeout_s = 2;
	assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), ERR_NETWORK);
	assert_true(time(NULL) - start < 8);
	got_release(&g);
}

/* Fewer attempts: each costs the time it takes to see that nothing comes. */
static void slow_servers(void **state)
{
	static const char *const paths[] = { "/drip", "/drip-head" };
	struct transfer_settings s = settings;

	(void)state;
	s.attempts = 2;
	struct transfer_engine *own = transfer_engine_new(&s, NULL);

	for (int i = 0; i < 2; i++) {
		struct got g;
		struct transfer_request q = request(&g);

		q.url = url(paths[i]);
		assert_int_equal(transfer_get(own, &q, &g.r, &g.e), ERR_NETWORK);
		assert_says(&g, "hardly anything came for 1 seconds (after 2 attempts)");
		got_release(&g);
	}
	transfer_engine_free(own);
}

static void broken_bodies(void **state)
{
	static const char *const paths[] = { "/reset", "/cut", "/cut-chunk", "/garbage", "/silent" };
	struct got g;

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		if (get(&g, paths[i]) != ERR_NETWORK)
			fail_msg("%s is taken for something", paths[i]);
		assert_non_null(g.e.msg);
		got_release(&g);
	}
	/* What is said counts; the rest belongs to nobody. */
	assert_int_equal(get(&g, "/longer"), 0);
	assert_body(&g, "abc", 3);
	got_release(&g);
}

static void never_ending(void **state)
{
	struct got g;
	struct transfer_request q = request(&g);

	(void)state;
	q.url = url("/endless");
	q.max_size = 1 << 20;
	assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), ERR_LIMIT);
	assert_says(&g, "larger than 1048576 bytes");
	assert_true(g.b.len <= 1 << 20);
	got_release(&g);
}

static void nobody_there(void **state)
{
	struct got g;
	struct transfer_request q = request(&g);

	(void)state;
	q.url = "http://127.0.0.1:1/x";
	assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), ERR_NETWORK);
	assert_says(&g, "(after 2 attempts)");
	got_release(&g);
}

static void cancelled(void **state)
{
	struct transfer_settings s = settings;
	struct got g;
	struct transfer_request q = request(&g);
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	s.cancel_fd = p[0];
	struct transfer_engine *own = transfer_engine_new(&s, NULL);

	assert_int_equal(write(p[1], "x", 1), 1);
	q.url = url("/stall");
	assert_int_equal(transfer_get(own, &q, &g.r, &g.e), ERR_INTERRUPT);
	assert_non_null(strstr(g.e.msg, "interrupted"));
	got_release(&g);
	transfer_engine_free(own);
	close(p[0]);
	close(p[1]);
}

/* --- redirects and credentials --- */

static void redirects(void **state)
{
	struct got g;

	(void)state;
	assert_int_equal(get(&g, "/to-hello"), 0);
	assert_body(&g, "hello", 5);
	assert_string_equal(g.r.final_url, url("/hello"));
	got_release(&g);
	assert_int_equal(get(&g, "/loop"), ERR_NETWORK);
	assert_says(&g, "redirect");
	got_release(&g);
	assert_int_equal(get(&g, "/to-file"), ERR_NETWORK);
	assert_int_equal(g.b.len, 0);
	got_release(&g);
	assert_int_equal(get(&g, "/to-ftp"), ERR_NETWORK);
	got_release(&g);
}

/* "other" differs by its port only, which is enough. */
static void credentials(void **state)
{
	char with[256], with_other[256];
	struct got g;
	struct transfer_request q = request(&g);

	(void)state;
	snprintf(with, sizeof with, "http://me:secret@127.0.0.1:%u/auth", loopback_port(server));
	q.url = with;
	assert_int_equal(transfer_get(engine, &q, &g.r, NULL), 0);
	assert_string_equal(g.b.p, "Basic bWU6c2VjcmV0");
	assert_null(strstr(g.r.final_url, "secret"));
	got_release(&g);
	snprintf(with_other, sizeof with_other, "http://me:secret@127.0.0.1:%u/to-other", loopback_port(server));
	q = request(&g);
	q.url = with_other;
	assert_int_equal(transfer_get(engine, &q, &g.r, NULL), 0);
	assert_string_equal(g.b.p, "none");
	got_release(&g);

	q = request(&g);
	q.bearer = "token";
	q.url = url("/auth");
	assert_int_equal(transfer_get(engine, &q, &g.r, NULL), 0);
	assert_string_equal(g.b.p, "Bearer token");
	got_release(&g);
	q = request(&g);
	q.bearer = "token";
	q.url = url("/to-other");
	assert_int_equal(transfer_get(engine, &q, &g.r, NULL), 0);
	assert_string_equal(g.b.p, "none");
	got_release(&g);

	snprintf(with, sizeof with, "http://me:secret@127.0.0.1:%u/none", loopback_port(server));
	q = request(&g);
	q.url = with;
	assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), ERR_NOTFOUND);
	assert_null(strstr(g.e.msg, "secret"));
	got_release(&g);
}

static void netrc_credentials(void **state)
{
	struct got g;

	(void)state;
	buf_adds(&settings.netrc, "machine 127.0.0.1 login joe password \"a b\"\n");
	assert_int_equal(get(&g, "/auth"), 0);
	assert_string_equal(g.b.p, "Basic am9lOmEgYg==");
	got_release(&g);
	assert_int_equal(get(&g, "/to-other"), 0);
	assert_string_equal(g.b.p, "none");
	got_release(&g);
	buf_trim(&settings.netrc, 0);
}

static void shown(void **state)
{
	static const char *const t[][2] = {
		{ "https://joe:secret@a.b/c@d?e", "https://a.b/c@d?e" },
		{ "https://a.b/c@d", "https://a.b/c@d" },
		{ "https://joe@x:y@a.b", "https://a.b" },
		{ "no address", "no address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf b = BUF_INIT;

		transfer_show_url(&b, t[i][0]);
		assert_string_equal(buf_str(&b), t[i][1]);
		buf_release(&b);
	}
}

static void netrc_text(void **state)
{
	static const struct {
		const char *text, *host, *user, *password;
	} t[] = {
		{ "machine a login u password p", "a", "u", "p" },
		{ "machine a\n login u\n\tpassword p\n", "A", "u", "p" },
		{ "machine b login x password y machine a password p login u", "a", "u", "p" },
		{ "machine a login u machine a login v", "a", "u", "" },
		{ "machine b login x\ndefault login d password e", "a", "d", "e" },
		{ "# machine a login no\nmachine a login \"q\\\"x\" account z", "a", "q\"x", "" },
		{ "macdef m\nmachine a login no\n\nmachine a login yes", "a", "yes", "" },
		{ "machine a.b login x", "a", NULL, NULL }, { "", "a", NULL, NULL }, { "machine", "a", NULL, NULL },
		{ "machine a login", "a", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct buf user = BUF_INIT, password = BUF_INIT;
		int found = netrc_find(slice_of(t[i].text), slice_of(t[i].host), &user, &password);

		assert_int_equal(found, t[i].user != NULL);
		assert_string_equal(buf_str(&user), t[i].user ? t[i].user : "");
		assert_string_equal(buf_str(&password), t[i].password ? t[i].password : "");
		buf_release(&user);
		buf_release(&password);
	}
}

/* --- other addresses --- */

static void files(void **state)
{
	char dir[] = "/tmp/gx-transfer.XXXXXX", path[64], u[128];
	struct got g;
	struct transfer_request q = request(&g);

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/a b", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "abc", 3), 3);
	close(fd);
	snprintf(u, sizeof u, "file://%s/a%%20b", dir);
	q.url = u;
	assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), 0);
	assert_body(&g, "abc", 3);
	assert_string_equal(g.r.final_url, u);
	got_release(&g);
	q = request(&g);
	q.url = "file:///nowhere/x";
	assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), ERR_NOTFOUND);
	got_release(&g);
	unlink(path);
	/* A pipe nobody writes to must not hang. */
	mkfifo(path, 0600);
	q = request(&g);
	q.url = u;
	assert_int_equal(transfer_get(engine, &q, &g.r, &g.e), ERR_INVALID);
	assert_says(&g, "no regular file");
	got_release(&g);
	unlink(path);
	rmdir(dir);
}

static void foreign_schemes(void **state)
{
	static const char *const bad[] = { "ftp://a/b", "gopher://a", "a/b", "", "scp://x", "file:/etc/passwd", "httpx://a" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct transfer_request q = { .url = bad[i] };

		assert_int_equal(transfer_get(engine, &q, NULL, NULL), ERR_INVALID);
	}
}

/* --- proxies of Go modules --- */

static int proxy_get(struct got *g, const char *list, const char *no_proxy)
{
	struct go_settings s = { .no_proxy = (char *)(uintptr_t)no_proxy };
	struct module_version m = { SLICE("a.b/Mod"), SLICE("v1.0.0") };
	struct transfer_request q = request(g);
	char text[512], *p = text;

	/* "S" stands for the address of the server. */
	for (; *list; list++)
		p += *list == 'S' ? sprintf(p, "http://127.0.0.1:%u", loopback_port(server)) : sprintf(p, "%c", *list);
	*p = 0;
	return go_proxy_get(engine, &s, slice_of(text), &m, "zip", &q, &g->r, &g->e);
}

static void go_answer(void *user, int fd, const struct loopback_request *r)
{
	(void)user;
	if (IS("/have/a.b/!mod/@v/v1.0.0.zip"))
		loopback_answer(fd, "200 OK", "", "zip", 3);
	else if (!strncmp(r->path, "/broken/", 8))
		loopback_answer(fd, "400 Bad", "", "", 0);
	else
		loopback_answer(fd, "404 None", "", "", 0);
}

static void go_proxies(void **state)
{
	static const struct {
		const char *list, *no_proxy;
		int code;
		const char *says;
	} t[] = {
		{ "S/have", NULL, 0, NULL },
		{ "S/have/", NULL, 0, NULL },
		{ " S/none , S/have ", NULL, 0, NULL },
		{ "S/none|S/have", NULL, 0, NULL },
		{ "S/broken|S/have", NULL, 0, NULL },
		{ "S/broken,S/have", NULL, ERR_NETWORK, "says 400" },
		{ "file:///nowhere,S/have", NULL, 0, NULL },
		{ "S/none,S/none2", NULL, ERR_NOTFOUND, "Go module 'a.b/Mod@v1.0.0': cannot fetch" },
		{ "S/none,off", NULL, ERR_NOTFOUND, "404" },
		{ "off,S/have", NULL, ERR_DENIED, "disabled by GOPROXY=off" },
		{ "direct", NULL, ERR_DENIED, "directly from its repository" },
		{ "S/none,direct", NULL, ERR_NOTFOUND, "404" },
		{ "S/have", "a.b,x.y", ERR_DENIED, "directly from its repository" },
		{ "S/have", "x.y", 0, NULL },
		{ "", NULL, ERR_NOTFOUND, "set GOPROXY" },
		{ ",|,", NULL, ERR_NOTFOUND, "set GOPROXY" },
	};
	struct loopback *saved = server;

	(void)state;
	server = loopback_start(go_answer, NULL);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct got g;
		int rc = proxy_get(&g, t[i].list, t[i].no_proxy);

		if (rc != t[i].code)
			fail_msg("'%s' gives %d: %s", t[i].list, rc, g.e.msg ? g.e.msg : "");
		if (t[i].says)
			assert_says(&g, t[i].says);
		else
			assert_string_equal(g.b.p, "zip");
		got_release(&g);
	}
	loopback_stop(server);
	server = saved;
}

static void go_lists(void **state)
{
	struct module_version tool = { SLICE("golang.org/toolchain"), SLICE("v0.0.1-go1.22.6.linux-amd64") };
	struct module_version m = { SLICE("a.b/c"), SLICE("v1.0.0") };
	struct go_settings s = { 0 };
	struct slice env = SLICE("# text\nGOPROXY=https://one.example\n GOPROXY=https://two.example,direct\r\nGOSUMDB=off\n"), v;

	(void)state;
	assert_true(slice_eq(go_proxy_list(&s, &tool, env), SLICE("https://go.dev/dl/mod")));
	assert_true(slice_eq(go_proxy_list(&s, &m, env), SLICE("https://two.example,direct")));
	assert_int_equal(go_proxy_list(&s, &m, SLICE("")).n, 0);
	s.proxy = (char *)(uintptr_t) "off";
	assert_true(slice_eq(go_proxy_list(&s, &tool, env), SLICE("off")));
	assert_false(go_env_find(SLICE("GOPROXY=\n"), "GOPROXY", &v));
	assert_false(go_env_find(SLICE("XGOPROXY=a\n"), "GOPROXY", &v));
}

static void go_user_settings(void **state)
{
	char dir[] = "/tmp/gx-goenv.XXXXXX", path[64];
	struct go_settings s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/env", dir);
	FILE *f = fopen(path, "w");

	fputs("GOPROXY=https://from.file.example\nGOPRIVATE=*.corp.example\n", f);
	fclose(f);
	setenv("GOENV", path, 1);
	unsetenv("GOPROXY");
	unsetenv("GONOPROXY");
	unsetenv("GOPRIVATE");
	assert_int_equal(go_settings_load(&s, NULL), 0);
	assert_string_equal(s.proxy, "https://from.file.example");
	assert_string_equal(s.no_proxy, "*.corp.example");
	go_settings_release(&s);
	setenv("GOPROXY", "https://from.env.example", 1);
	assert_int_equal(go_settings_load(&s, NULL), 0);
	assert_string_equal(s.proxy, "https://from.env.example");
	go_settings_release(&s);
	setenv("GOPROXY", "", 1);
	setenv("GOENV", "off", 1);
	assert_int_equal(go_settings_load(&s, NULL), 0);
	assert_null(s.proxy);
	go_settings_release(&s);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(simple),	  cmocka_unit_test(many_at_once), cmocka_unit_test(statuses),
		cmocka_unit_test(retries),	  cmocka_unit_test(sinks_that_cannot_restart),
		cmocka_unit_test(not_modified),	  cmocka_unit_test(limits),	  cmocka_unit_test(failing_sink),
		cmocka_unit_test(stalls),
		cmocka_unit_test(slow_servers),
		cmocka_unit_test(broken_bodies),
		cmocka_unit_test(never_ending),	  cmocka_unit_test(nobody_there), cmocka_unit_test(cancelled),
		cmocka_unit_test(redirects),	  cmocka_unit_test(credentials),  cmocka_unit_test(netrc_credentials),
		cmocka_unit_test(shown), cmocka_unit_test(netrc_text),	  cmocka_unit_test(files),	  cmocka_unit_test(foreign_schemes),
		cmocka_unit_test(go_proxies),	  cmocka_unit_test(go_lists),	  cmocka_unit_test(go_user_settings),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

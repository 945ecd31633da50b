/* SPDX-License-Identifier: MIT
 *
 * The daemon protocol, both sides with one another over a socket, each version; and each side with a peer that means it ill.
 */
#include "config.h"
#include "base/fdio.h"
#include "cache/cache_settings.h"
#include "remote/daemon.h"
#include "remote/machines_int.h"
#include "remote/remote.h"
#include "remote/serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/store_fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct store_path path(const char *base)
{
	struct store_path p;

	assert_int_equal(store_path_parse_base(slice_of(base), &p, NULL), 0);
	return p;
}

/* --- a client that means it ill --- */

/* What follows the greeting of version 1.minor. */
static void greeting(struct wire *w, int minor)
{
	*w = (struct wire){ .in = -1, .out = -1 };
	wire_put_number(w, WORKER_MAGIC_1);
	wire_put_number(w, PROTOCOL_VERSION((uint64_t)minor));
	if (minor >= 38)
		wire_put_number(w, 0);
	wire_put_number(w, 0);
	wire_put_number(w, 0);
}

/* Serves what was written, which is released; the error is in *e. */
static int serve(struct fixture *f, struct wire *w, struct err *e)
{
	struct build_settings set;
	const struct daemon_options o = { .version = "0", .build = &set };
	int in = memfd_create("client", 0), out = open("/dev/null", O_WRONLY), rc;

	build_settings_init(&set);
	cache_settings.substitute = 0;
	assert_int_equal(fd_write_all(in, w->later.p, w->later.len), 0);
	wire_release(w);
	lseek(in, 0, SEEK_SET);
	rc = daemon_serve(f->store, in, out, &o, e);
	close(in);
	close(out);
	return rc;
}

static void ends_with(struct fixture *f, struct wire *w, const char *text)
{
	struct err e = ERR_INIT;

	assert_true(serve(f, w, &e) < 0);
	if (!strstr(e.msg, text))
		fail_msg("'%s' does not say '%s'", e.msg, text);
	err_release(&e);
}

static void greetings(void **state)
{
	struct wire w = { .in = -1, .out = -1 };

	ends_with(*state, &w, "closed the connection");
	wire_put_number(&w, 12345);
	ends_with(*state, &w, "does not speak the protocol");
	greeting(&w, 20);
	ends_with(*state, &w, "version 1.20");
	for (int minor = PROTOCOL_OLDEST; minor <= PROTOCOL_NEWEST + 3; minor++) {
		struct err e = ERR_INIT;

		greeting(&w, minor);
		assert_int_equal(serve(*state, &w, &e), 0);
		greeting(&w, minor);
		buf_trim(&w.later, w.later.len - 3);
		ends_with(*state, &w, "closed the connection");
	}
}

static void lengths(void **state)
{
	static const uint64_t sizes[] = { UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63, UINT32_MAX, 5000 };
	struct wire w;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		greeting(&w, 37);
		wire_put_number(&w, OP_IS_VALID_PATH);
		wire_put_number(&w, sizes[i]);
		ends_with(*state, &w, "where at most 4096 make sense");
		greeting(&w, 37);
		wire_put_number(&w, OP_QUERY_VALID_PATHS);
		wire_put_number(&w, sizes[i] == 5000 ? 10000001 : sizes[i]);
		ends_with(*state, &w, "where at most 10000000 makes sense");
	}
	greeting(&w, 37);
	wire_put_number(&w, OP_QUERY_VALID_PATHS);
	wire_put_number(&w, 9000000);
	ends_with(*state, &w, "closed the connection");
	greeting(&w, 37);
	wire_put_number(&w, OP_IS_VALID_PATH);
	wire_put_number(&w, 1);
	wire_put_number(&w, 0x0100000000000041);
	ends_with(*state, &w, "padding is not zero");
	greeting(&w, 37);
	wire_put_number(&w, 99);
	ends_with(*state, &w, "operation 99");
	greeting(&w, 37);
	wire_put_number(&w, OP_IS_VALID_PATH);
	wire_put_string(&w, "/etc/passwd");
	ends_with(*state, &w, "passwd");
}

static void put_nar_head(struct wire *w, const struct store_path *p, uint64_t size)
{
	struct path_info i = { .path = *p, .nar_size = size };

	hash_bytes(HASH_SHA256, "", 0, &i.nar_hash);
	wire_put_number(w, OP_ADD_TO_STORE_NAR);
	wire_put_path(w, store_dir_default, p);
	protocol_put_info(w, store_dir_default, &i);
	wire_put_number(w, 0);
	wire_put_number(w, 1);
}

/* Nothing comes in unsigned, and nothing is taken on trust of a length. */
static void archives(void **state)
{
	static const uint64_t sizes[] = { UINT64_MAX, (uint64_t)1 << 62, 100 };
	const struct store_path p = path("00000000000000000000000000000000-x");
	struct fixture *f = *state;
	struct wire w;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		greeting(&w, 37);
		put_nar_head(&w, &p, sizes[i]);
		wire_put_number(&w, sizes[i]);
		wire_put(&w, "12345678", 8);
		ends_with(f, &w, "lacks a signature");
		cache_settings.require_sigs = 0;
		greeting(&w, 37);
		put_nar_head(&w, &p, sizes[i]);
		wire_put_number(&w, sizes[i]);
		wire_put(&w, "12345678", 8);
		ends_with(f, &w, "");
		cache_settings.require_sigs = 1;
	}
	assert_int_equal(store_is_valid(f->store, &p, NULL), 0);
	/* An error in the middle of frames is the operation's answer, and the next may follow. */
	greeting(&w, 37);
	put_nar_head(&w, &p, 100);
	wire_put_number(&w, 8);
	wire_put(&w, "12345678", 8);
	wire_put_number(&w, 0);
	wire_put_number(&w, OP_QUERY_ALL_VALID_PATHS);
	assert_int_equal(serve(f, &w, NULL), 0);
}

/* --- a daemon that means it ill --- */

static int answer(struct wire *w, struct remote **r, struct err *e)
{
	int in = memfd_create("daemon", 0), out = open("/dev/null", O_WRONLY);

	assert_int_equal(fd_write_all(in, w->later.p, w->later.len), 0);
	wire_release(w);
	lseek(in, 0, SEEK_SET);
	return remote_open_fds(r, in, out, "daemon", store_dir_default, NULL, e);
}

static void welcome(struct wire *w, int minor)
{
	*w = (struct wire){ .in = -1, .out = -1 };
	wire_put_number(w, WORKER_MAGIC_2);
	wire_put_number(w, PROTOCOL_VERSION((uint64_t)minor));
	if (minor >= 38)
		wire_put_number(w, 0);
	if (minor >= 33)
		wire_put_string(w, "2.0");
	if (minor >= 35)
		wire_put_number(w, 2);
	wire_put_number(w, MESSAGE_LAST);
}

static void refused(struct wire *w, const char *text)
{
	struct remote *r = NULL;
	struct err e = ERR_INIT;

	assert_true(answer(w, &r, &e) < 0);
	if (!strstr(e.msg, text))
		fail_msg("'%s' does not say '%s'", e.msg, text);
	err_release(&e);
}

static void welcomes(void **state)
{
	struct wire w = { .in = -1, .out = -1 };
	struct remote *r;

	(void)state;
	refused(&w, "closed the connection");
	wire_put(&w, "Welcome to this machine!\n", 25);
	refused(&w, "it says 'Welcome to this machine!'");
	welcome(&w, 20);
	refused(&w, "version 1.20");
	for (int minor = PROTOCOL_OLDEST; minor <= PROTOCOL_NEWEST + 3; minor++) {
		welcome(&w, minor);
		assert_int_equal(answer(&w, &r, NULL), 0);
		assert_int_equal(remote_minor(r), minor < PROTOCOL_NEWEST ? minor : PROTOCOL_NEWEST);
		assert_int_equal(remote_trust(r), minor >= 35 ? 0 : -1);
		remote_free(r);
	}
}

/* Each is one error, and the connection is not used any more. */
static void answers(void **state)
{
	const struct store_path p = path("00000000000000000000000000000000-x");
	static const struct {
		uint64_t words[4];
		const char *text;
	} bad[] = {
		{ { 77 }, "makes no sense" },
		{ { MESSAGE_NEXT, UINT64_MAX }, "where at most" },
		{ { MESSAGE_START_ACTIVITY, 1, 3, 105 }, "closed the connection" },
		{ { MESSAGE_RESULT, 1, 101, 1000000 }, "where at most 64" },
		{ { MESSAGE_READ, 10 }, "makes no sense" },
		{ { MESSAGE_LAST, 1, 20000 }, "where at most 4096" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct path_info info;
		struct remote *r;
		struct err e = ERR_INIT;
		struct wire w;

		welcome(&w, 37);
		for (int k = 0; k < 4 && (!k || bad[i].words[k]); k++)
			wire_put_number(&w, bad[i].words[k]);
		assert_int_equal(answer(&w, &r, &e), 0);
		assert_true(remote_info(r, &p, &info, &e) < 0);
		if (!strstr(e.msg, bad[i].text))
			fail_msg("'%s' does not say '%s'", e.msg, bad[i].text);
		err_release(&e);
		assert_true(remote_info(r, &p, &info, &e) < 0);
		assert_non_null(strstr(e.msg, "is lost"));
		err_release(&e);
		remote_free(r);
	}
}

/* --- the same by the protocol of --serve --- */

static void serve_greeting(struct wire *w)
{
	*w = (struct wire){ .in = -1, .out = -1 };
	wire_put_number(w, SERVE_MAGIC_1);
	wire_put_number(w, SERVE_VERSION(7));
}

static void serve_ends(struct fixture *f, struct wire *w, int may_write, const char *text)
{
	struct build_settings set;
	const struct daemon_options o = { .version = "0", .build = &set, .trusted = 1 };
	int in = memfd_create("client", 0), out = open("/dev/null", O_WRONLY);
	struct err e = ERR_INIT;

	build_settings_init(&set);
	assert_int_equal(fd_write_all(in, w->later.p, w->later.len), 0);
	wire_release(w);
	lseek(in, 0, SEEK_SET);
	assert_int_equal(serve_run(f->store, in, out, may_write, &o, &e) < 0, *text != 0);
	if (*text && !strstr(e.msg, text))
		fail_msg("'%s' does not say '%s'", e.msg, text);
	err_release(&e);
	close(in);
	close(out);
}

static void put_object(struct wire *w, const struct store_path *p, uint64_t size)
{
	struct path_info i = { .path = *p, .nar_size = size };

	hash_bytes(HASH_SHA256, "", 0, &i.nar_hash);
	wire_put_number(w, SERVE_ADD);
	wire_put_path(w, store_dir_default, p);
	protocol_put_info(w, store_dir_default, &i);
	wire_put(w, "12345678", 8);
}

static void serve_clients(void **state)
{
	const struct store_path p = path("00000000000000000000000000000000-x");
	static const enum serve_command writes[] = { SERVE_IMPORT, SERVE_BUILD_PATHS, SERVE_BUILD, SERVE_ADD };
	struct wire w = { .in = -1, .out = -1 };

	serve_ends(*state, &w, 1, "closed the connection");
	wire_put_number(&w, WORKER_MAGIC_1);
	serve_ends(*state, &w, 1, "no client of");
	wire_put_number(&w, SERVE_MAGIC_1);
	wire_put_number(&w, SERVE_VERSION(4));
	serve_ends(*state, &w, 1, "version 2.4");
	serve_greeting(&w);
	serve_ends(*state, &w, 1, "");
	serve_greeting(&w);
	wire_put_number(&w, 99);
	serve_ends(*state, &w, 1, "command 99");
	serve_greeting(&w);
	wire_put_number(&w, SERVE_PATH_INFOS);
	wire_put_number(&w, UINT64_MAX);
	serve_ends(*state, &w, 1, "where at most");
	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
		serve_greeting(&w);
		wire_put_number(&w, writes[i]);
		serve_ends(*state, &w, 0, "without '--write'");
	}
	serve_greeting(&w);
	put_object(&w, &p, (uint64_t)1 << 62);
	serve_ends(*state, &w, 1, "x");
	serve_greeting(&w);
	put_object(&w, &p, 8);
	serve_ends(*state, &w, 1, "x");
	assert_int_equal(store_is_valid(((struct fixture *)*state)->store, &p, NULL), 0);
}

/* What it answers behind its greeting. */
static struct remote *serve_opened(struct wire *w)
{
	struct remote *r = NULL;
	int in = memfd_create("server", 0), out = open("/dev/null", O_WRONLY);

	assert_int_equal(fd_write_all(in, w->later.p, w->later.len), 0);
	wire_release(w);
	lseek(in, 0, SEEK_SET);
	assert_int_equal(remote_open_serving(&r, in, out, "server", store_dir_default, NULL, NULL), 0);
	return r;
}

static void serve_welcome(struct wire *w)
{
	*w = (struct wire){ .in = -1, .out = -1 };
	wire_put_number(w, SERVE_MAGIC_2);
	wire_put_number(w, SERVE_VERSION(7));
}

static void fails_with(struct remote *r, const char *text)
{
	const struct store_path p = path("00000000000000000000000000000000-x");
	struct path_info info;
	struct err e = ERR_INIT;

	assert_true(remote_info(r, &p, &info, &e) < 0);
	if (!strstr(e.msg, text))
		fail_msg("'%s' does not say '%s'", e.msg, text);
	err_release(&e);
	assert_true(remote_info(r, &p, &info, &e) < 0);
	assert_non_null(strstr(e.msg, "is lost"));
	err_release(&e);
	remote_free(r);
}

static void serve_answers(void **state)
{
	const struct store_path p = path("00000000000000000000000000000000-x"), q = path("00000000000000000000000000000000-y");
	struct wire w;

	(void)state;
	serve_welcome(&w);
	fails_with(serve_opened(&w), "closed the connection");
	serve_welcome(&w);
	wire_put_path(&w, store_dir_default, &q);
	fails_with(serve_opened(&w), "which nobody asked for");
	serve_welcome(&w);
	wire_put_path(&w, store_dir_default, &p);
	wire_put_string(&w, "");
	wire_put_number(&w, UINT64_MAX);
	fails_with(serve_opened(&w), "where at most");
	serve_welcome(&w);
	wire_put_path(&w, store_dir_default, &p);
	for (int i = 0; i < 7; i++) /* deriver references 0 size hash ca sigs, all nothing */
		wire_put_number(&w, 0);
	fails_with(serve_opened(&w), "hash");
}

/* --- both with one another --- */

static pid_t start_daemon(struct fixture *f, int fd, int other)
{
	pid_t pid = fork();

	if (!pid) {
		struct build_settings set;
		const struct daemon_options o = { .trusted = 1, .version = "0", .build = &set };
		struct store *s;

		close(other);
		build_settings_init(&set);
		_exit(store_open(&s, &f->place, STORE_NOSYNC, NULL) || daemon_serve(s, fd, fd, &o, NULL));
	}
	return pid;
}

static int same_bytes(void *user, const struct byte_source *nar, struct err *e)
{
	char bytes[4096];
	long n;

	while ((n = nar->read(nar->user, bytes, sizeof bytes, e)) > 0)
		*(size_t *)user += (size_t)n;
	return (int)n;
}

static void together(void **state)
{
	struct fixture *f = *state;
	struct path_set paths = PATH_SET_INIT, found = PATH_SET_INIT;
	struct path_info ours, theirs;
	struct store_path p, got;
	struct remote *r;
	size_t size = 0, added;
	int fds[2], bad, status;
	pid_t pid;

	CHECK(store_add_text(f->store, SLICE("text"), SLICE("some text"), NULL, &p, &fixture_err));
	path_set_push(&paths, &p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid = start_daemon(f, fds[1], fds[0]);
	close(fds[1]);
	CHECK(remote_open_fds(&r, fds[0], fds[0], "daemon", store_dir_default, NULL, &fixture_err));
	assert_int_equal(remote_trust(r), 1);
	CHECK(remote_valid(r, &paths, 0, &found, &fixture_err));
	assert_int_equal(found.n, 1);
	assert_int_equal(remote_info(r, &p, &theirs, &fixture_err), 1);
	CHECK(db_info(store_db(f->store), &p, &ours, &fixture_err));
	assert_true(hash_eq(&ours.nar_hash, &theirs.nar_hash));
	assert_string_equal(ours.ca, theirs.ca);
	assert_int_equal(remote_find_digest(r, store_path_hash(&p), &got, &fixture_err), 1);
	assert_int_equal(store_path_cmp(&p, &got), 0);
	assert_int_equal(remote_find_digest(r, SLICE("00000000000000000000000000000000"), &got, &fixture_err), 0);
	CHECK(remote_archive(r, &p, same_bytes, &size, &fixture_err));
	assert_int_equal(size, ours.nar_size);
	CHECK(remote_add(r, f->store, &paths, 1, &added, &fixture_err));
	assert_int_equal(added, 0);
	CHECK(remote_add_sigs(r, &p, "k-1:YWJj k-2:ZGVm", &fixture_err));
	CHECK(remote_verify(r, 1, 0, &bad, &fixture_err));
	assert_int_equal(bad, 0);
	path_info_release(&theirs);
	assert_int_equal(remote_info(r, &p, &theirs, &fixture_err), 1);
	assert_string_equal(theirs.sigs, "k-1:YWJj k-2:ZGVm");
	/* What is refused is the answer; the connection goes on. */
	p = path("00000000000000000000000000000000-x");
	assert_true(remote_archive(r, &p, same_bytes, &size, &fixture_err) < 0);
	err_release(&fixture_err);
	path_info_release(&ours);
	assert_int_equal(remote_info(r, &p, &ours, &fixture_err), 0);
	remote_free(r);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	path_info_release(&theirs);
	path_set_release(&paths);
	path_set_release(&found);
}

/* An output that there is not is none that is valid already, and one without a path has none to be told. */
static void no_such_output(void **state)
{
	static const char text[] = "Derive([(\"out\",\"\",\"r:sha256\",\"\")],[],[],\"x\",\"/bin/sh\",[],[(\"out\",\"\")])";
	char names[][12] = { "nosuch", "out,nosuch", "," };
	struct fixture *f = *state;
	struct wanted w = { .outputs = 1 };
	struct remote *r;
	int fds[2], status;
	pid_t pid;

	CHECK(store_add_text(f->store, SLICE("x.drv"), slice_of(text), NULL, &w.path, &fixture_err));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid = start_daemon(f, fds[1], fds[0]);
	close(fds[1]);
	CHECK(remote_open_fds(&r, fds[0], fds[0], "daemon", store_dir_default, NULL, &fixture_err));
	for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
		struct remote_outcome o = { .text = NULL };

		w.names = i < sizeof names / sizeof *names ? names[i] : NULL;
		CHECK(remote_build(r, &w, 1, 0, &o, &fixture_err));
		assert_int_equal(o.status, STATUS_MISC_FAILURE);
		assert_non_null(o.text);
		free(o.text);
	}
	remote_free(r);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What is no folder, and no word for one, is a host. */
static void machine_stores(void **state)
{
	static const struct {
		const char *text;
		enum remote_kind kind;
	} cases[] = {
		{ "localhost", REMOTE_SSH }, { "local-1 - - 2", REMOTE_SSH }, { "automaton", REMOTE_SSH }, { "host", REMOTE_SSH },
		{ "local", REMOTE_FOLDER }, { "local?root=x", REMOTE_FOLDER }, { "auto", REMOTE_FOLDER }, { "./x", REMOTE_FOLDER },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct machines *m;

		CHECK(machines_parse(&m, cases[i].text, &e));
		assert_int_equal(m->n, 1);
		assert_int_equal(m->v[0].address.kind, cases[i].kind);
		machines_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(greetings, fixture_start, fixture_end),
		cmocka_unit_test_setup_teardown(lengths, fixture_start, fixture_end),
		cmocka_unit_test_setup_teardown(archives, fixture_start, fixture_end),
		cmocka_unit_test_setup_teardown(together, fixture_start, fixture_end),
		cmocka_unit_test_setup_teardown(no_such_output, fixture_start, fixture_end),
		cmocka_unit_test(welcomes),
		cmocka_unit_test(answers),
		cmocka_unit_test_setup_teardown(serve_clients, fixture_start, fixture_end),
		cmocka_unit_test(serve_answers),
		cmocka_unit_test(machine_stores),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("unit/test_remote", tests, NULL, NULL);
}

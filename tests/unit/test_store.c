/* SPDX-License-Identifier: MIT
 *
 * store/store, db, object, commit, add, lock: what becomes valid, what is refused, and that nothing is left behind.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "store_fixture.h"
#include "store/claims.h"
#include "store/hash_behind.h"
#include "store/lock.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

/* --- adding --- */

static void text_objects(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "hello", NULL, NULL);
	struct store_path b = add_text(f->store, "b", "to a", &a, NULL);
	struct path_info info;
	struct stat st;

	/* nix-instantiate --eval -E 'builtins.toFile "hello.txt" "hello"' */
	struct store_path known = add_text(f->store, "hello.txt", "hello", NULL, NULL);
	assert_string_equal(known.base, "q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt");
	assert_int_equal(is_valid(f->store, &a), 1);
	CHECK(db_info(store_db(f->store), &b, &info, &fixture_err));
	assert_int_equal(info.refs.n, 1);
	assert_string_equal(info.refs.v[0].base, a.base);
	assert_true(info.ca && !strncmp(info.ca, "text:sha256:", 12));
	path_info_release(&info);
	assert_int_equal(fstatat(store_fd(f->store), b.base, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(st.st_mtime, 1);
	assert_int_equal(verify(f->store), 0);
}

static int not_secret(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	(void)user;
	(void)type;
	(void)e;
	return n < 6 || strcmp(path + n - 6, "secret") != 0;
}

static void trees(void **state)
{
	const struct nar_filter filter = { not_secret, NULL };
	struct source_object o = { .name = SLICE("t"), .method = CA_NAR, .filter = &filter };
	struct fixture *f = *state;
	struct store_path p;
	struct stat st;

	assert_int_equal(mkdirat(f->dir, "t", 02775), 0);
	write_file(f->dir, "t/run", "#!/bin/sh\n", 04711);
	write_file(f->dir, "t/secret", "x", 0600);
	assert_int_equal(symlinkat("/etc/passwd", f->dir, "t/link"), 0);
	CHECK(store_add_tree(f->store, f->dir, "t", &o, &p, &fixture_err));
	int fd = openat(store_fd(f->store), p.base, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(st.st_mtime, 1);
	assert_int_equal(fstatat(fd, "run", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(fstatat(fd, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode) && st.st_mtime == 1);
	assert_int_equal(fstatat(fd, "secret", &st, 0), -1);
	close(fd);
	assert_int_equal(verify(f->store), 0);
}

static void flat_files(void **state)
{
	struct source_object o = { .name = SLICE("f"), .method = CA_FLAT };
	struct fixture *f = *state;
	struct store_path p, q;
	struct hash wrong;
	struct stat st;

	write_file(f->dir, "f", "abc", 0755);
	CHECK(store_add_tree(f->store, f->dir, "f", &o, &p, &fixture_err));
	assert_int_equal(fstatat(store_fd(f->store), p.base, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0444); /* the flat hash says nothing of the executable bit */
	hash_bytes(HASH_SHA256, "abd", 3, &wrong);
	o.expected = &wrong;
	assert_int_equal(store_add_tree(f->store, f->dir, "f", &o, &q, &fixture_err), ERR_HASH);
	o.expected = NULL;
	err_release(&fixture_err);
	assert_int_equal(store_add_tree(f->store, f->dir, ".", &o, &q, &fixture_err), ERR_INVALID);
	assert_int_equal(verify(f->store), 0);
}

/* --- archives --- */

struct bytes {
	const char *p;
	size_t n, step;
};

static long read_bytes(void *user, void *p, size_t n, struct err *e)
{
	struct bytes *b = user;

	(void)e;
	n = n < b->step ? n : b->step;
	n = n < b->n ? n : b->n;
	memcpy(p, b->p, n);
	b->p += n;
	b->n -= n;
	return (long)n;
}

static int append(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(user, p, n);
	return 0;
}

static void restored_archive(void **state)
{
	struct fixture *f = *state;
	struct buf nar = BUF_INIT;
	const struct nar_sink sink = { append, &nar };
	struct path_info info = { 0 };

	assert_int_equal(mkdirat(f->dir, "n", 0755), 0);
	write_file(f->dir, "n/a", "contents", 0644);
	CHECK(nar_write(f->dir, "n", NULL, NULL, &sink, &fixture_err));
	CHECK(store_path_parse_base(SLICE("11111111111111111111111111111111-n"), &info.path, &fixture_err));
	info.nar_size = nar.len;
	hash_bytes(HASH_SHA256, nar.p, nar.len, &info.nar_hash);
	nar.p[200] ^= 1;
	struct bytes b = { nar.p, nar.len, 7 };
	struct byte_source source = { read_bytes, &b };
	assert_int_not_equal(store_add_nar(f->store, &info, &source, &fixture_err), 0);
	err_release(&fixture_err);
	assert_int_equal(is_there(f->store, info.path.base), 0);
	nar.p[200] ^= 1;
	b = (struct bytes){ nar.p, nar.len - 8, 7 };
	assert_int_equal(store_add_nar(f->store, &info, &source, &fixture_err), ERR_INVALID);
	err_release(&fixture_err);
	b = (struct bytes){ nar.p, nar.len, 7 };
	CHECK(store_add_nar(f->store, &info, &source, &fixture_err));
	assert_int_equal(is_valid(f->store, &info.path), 1);
	assert_int_equal(verify(f->store), 0);
	buf_release(&nar);
}

static void word(struct buf *b, const char *s, size_t n)
{
	for (int i = 0; i < 8; i++)
		buf_addc(b, (char)((uint64_t)n >> 8 * i));
	buf_add(b, s, n);
	buf_add(b, "\0\0\0\0\0\0\0", -n & 7);
}

static void words(struct buf *b, const char *list)
{
	for (; *list; list += strlen(list) + 1)
		word(b, list, strlen(list));
}

/* An entry: a link to `to`, or a file when to is NULL, or (to = "/") a directory with a file in it. */
static void entry(struct buf *b, const char *name, size_t n, const char *to)
{
	words(b, "entry\0(\0name\0");
	word(b, name, n);
	words(b, "node\0(\0type\0");
	if (to && !strcmp(to, "/"))
		words(b, "directory\0entry\0(\0name\0x\0node\0(\0type\0regular\0contents\0evil\0)\0)\0");
	else if (to)
		words(b, "symlink\0target\0"), word(b, to, strlen(to));
	else
		words(b, "regular\0contents\0evil\0");
	words(b, ")\0)\0");
}

/* The set of archives that have escaped from unpackers: nothing may appear outside the destination, nor anything in it stay. */
/* An archive that says of itself that it has the address another file has: the path it would get is that file's. */
static int announced_as(struct fixture *f, const char *text, enum ca_method m, struct store_path *out)
{
	struct path_info info = { 0 };
	struct buf nar = BUF_INIT, ca = BUF_INIT;
	const struct nar_sink sink = { append, &nar };
	struct hash h;
	int rc;

	write_file(f->dir, "file", "good", 0644);
	CHECK(nar_write(f->dir, "file", NULL, NULL, &sink, &fixture_err));
	unlinkat(f->dir, "file", 0);
	hash_bytes(HASH_SHA256, text, strlen(text), &h);
	CHECK(store_path_make_fixed(store_dir(f->store), SLICE("n"), m, &h, NULL, 0, 0, &info.path, &fixture_err));
	ca_add(&ca, m, &h);
	info.ca = buf_detach(&ca, NULL);
	info.nar_size = nar.len;
	hash_bytes(HASH_SHA256, nar.p, nar.len, &info.nar_hash);
	struct bytes b = { nar.p, nar.len, 7 };
	struct byte_source source = { read_bytes, &b };
	rc = store_add_nar(f->store, &info, &source, &fixture_err);
	*out = info.path;
	path_info_release(&info);
	buf_release(&nar);
	return rc;
}

static void announced_address_is_checked(void **state)
{
	static const enum ca_method methods[] = { CA_FLAT, CA_TEXT, CA_NAR };
	struct fixture *f = *state;
	struct store_path p;

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(announced_as(f, "another", methods[i], &p), ERR_HASH);
		err_release(&fixture_err);
		assert_int_equal(is_there(f->store, p.base), 0);
	}
	assert_int_equal(announced_as(f, "good", CA_FLAT, &p), 0);
	assert_int_equal(is_valid(f->store, &p), 1);
	assert_int_equal(announced_as(f, "good", CA_TEXT, &p), 0);
	assert_int_equal(is_valid(f->store, &p), 1);
}

static void evil_archives(void **state)
{
	static const struct {
		const char *name[2];
		size_t n[2];
		const char *to[2];
	} evil[] = {
		{ { "..", NULL }, { 2 }, { NULL } },
		{ { ".", NULL }, { 1 }, { NULL } },
		{ { "", NULL }, { 0 }, { NULL } },
		{ { "a/b", NULL }, { 3 }, { NULL } },
		{ { "../victim", NULL }, { 9 }, { NULL } },
		{ { "/tmp/x", NULL }, { 6 }, { NULL } },
		{ { "a\0b", NULL }, { 3 }, { NULL } },
		{ { "b", "a" }, { 1, 1 }, { NULL, NULL } },	 /* not in order */
		{ { "a", "a" }, { 1, 1 }, { NULL, NULL } },	 /* twice */
		{ { "a", "a" }, { 1, 1 }, { "..", "/" } },	 /* a link, then a directory of the same name */
		{ { "a", "a" }, { 1, 1 }, { "..", NULL } },
		{ { "a", "a" }, { 1, 1 }, { "/", "/" } },
	};
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->dir, "dest", 0755), 0);
	int dest = openat(f->dir, "dest", O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < sizeof evil / sizeof *evil; i++) {
		struct object_facts facts = { 0 };
		struct buf b = BUF_INIT;
		words(&b, "nix-archive-1\0(\0type\0directory\0");
		for (int k = 0; k < 2 && evil[i].name[k]; k++)
			entry(&b, evil[i].name[k], evil[i].n[k], evil[i].to[k]);
		words(&b, ")\0");
		struct bytes in = { b.p, b.len, 4096 };
		struct byte_source source = { read_bytes, &in };
		if (object_restore(&source, dest, "out", &facts, &fixture_err) == 0)
			fail_msg("archive %zu was accepted", i);
		err_release(&fixture_err);
		object_facts_release(&facts);
		buf_release(&b);
	}
	struct stat st;
	assert_int_equal(fstatat(dest, "out", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(f->dir, "victim", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstat(dest, &st), 0);
	assert_int_equal(st.st_nlink, 2);
	close(dest);
}

/* Over an existing name nothing is written, link or not. */
static void never_over_something(void **state)
{
	struct object_facts facts = { 0 };
	struct fixture *f = *state;

	write_file(f->dir, "victim", "mine", 0644);
	assert_int_equal(symlinkat("victim", f->dir, "out"), 0);
	assert_int_equal(object_write(SLICE("x"), 0, f->dir, "out", &facts, &fixture_err), ERR_IO);
	err_release(&fixture_err);
	char text[8] = "";
	int fd = openat(f->dir, "victim", O_RDONLY);
	assert_int_equal(read(fd, text, sizeof text), 4);
	close(fd);
}

static void facts_of_an_object(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL), b = add_text(f->store, "b", "y", NULL, NULL);
	struct path_set candidates = PATH_SET_INIT;
	struct object_facts facts = { .candidates = &candidates, .method = CA_FLAT, .algo = HASH_SHA512 };
	struct hash h;

	path_set_add(&candidates, &a);
	path_set_add(&candidates, &b);
	CHECK(object_write(slice_of(b.base), 1, f->dir, "out", &facts, &fixture_err));
	assert_int_equal(facts.refs.n, 1);
	assert_string_equal(facts.refs.v[0].base, b.base);
	assert_true(facts.executable && facts.type == NAR_REGULAR);
	hash_bytes(HASH_SHA512, b.base, b.len, &h);
	assert_true(hash_eq(&h, &facts.hash));
	object_facts_release(&facts);
	path_set_release(&candidates);
}

/* --- the database --- */

static struct new_object staged(struct stage *st, const char *base, const char *text)
{
	struct object_facts facts = { 0 };
	struct new_object o = { .dirfd = stage_fd(st), .name = base };

	CHECK(object_write(slice_of(text), 0, stage_fd(st), base, &facts, &fixture_err));
	CHECK(store_path_parse_base(slice_of(base), &o.info.path, &fixture_err));
	o.info.nar_hash = facts.nar_hash;
	o.info.nar_size = facts.nar_size;
	return o;
}

static void commit_of_several(void **state)
{
	struct fixture *f = *state;
	struct new_object o[2];
	struct stage *st;

	CHECK(stage_open(f->store, &st, &fixture_err));
	o[0] = staged(st, "11111111111111111111111111111111-one", "1");
	o[1] = staged(st, "22222222222222222222222222222222-two", "2");
	path_set_add(&o[0].info.refs, &o[1].info.path); /* the later one first */
	path_set_add(&o[1].info.refs, &o[1].info.path); /* and itself */
	CHECK(store_commit(f->store, o, 2, &fixture_err));
	stage_free(st);
	struct path_set refs = PATH_SET_INIT;
	CHECK(db_referrers(store_db(f->store), &o[1].info.path, &refs, &fixture_err));
	assert_int_equal(refs.n, 2);
	path_set_release(&refs);
	CHECK(store_closure(f->store, &o[0].info.path, 0, &refs, &fixture_err));
	assert_int_equal(refs.n, 2);
	path_set_release(&refs);
	assert_int_equal(db_forget(store_db(f->store), &o[1].info.path, &fixture_err), ERR_INVALID);
	err_release(&fixture_err);
	CHECK(db_forget(store_db(f->store), &o[0].info.path, &fixture_err));
	CHECK(db_forget(store_db(f->store), &o[1].info.path, &fixture_err));
	path_set_release(&o[0].info.refs);
	path_set_release(&o[1].info.refs);
}

static void commit_refused(void **state)
{
	struct fixture *f = *state;
	struct new_object o[2];
	struct store_path nobody;
	struct stage *st;

	CHECK(stage_open(f->store, &st, &fixture_err));
	CHECK(store_path_parse_base(SLICE("33333333333333333333333333333333-nobody"), &nobody, &fixture_err));
	o[0] = staged(st, "11111111111111111111111111111111-one", "1");
	path_set_add(&o[0].info.refs, &nobody);
	assert_int_equal(store_commit(f->store, o, 1, &fixture_err), ERR_INVALID); /* refers to nothing */
	err_release(&fixture_err);
	assert_int_equal(is_there(f->store, o[0].info.path.base), 0);
	path_set_release(&o[0].info.refs);

	o[0] = staged(st, "11111111111111111111111111111111-one", "1");
	o[1] = staged(st, "22222222222222222222222222222222-two", "2");
	path_set_add(&o[0].info.refs, &o[1].info.path);
	path_set_add(&o[1].info.refs, &o[0].info.path);
	assert_int_equal(store_commit(f->store, o, 2, &fixture_err), ERR_INVALID); /* a circle */
	err_release(&fixture_err);
	assert_int_equal(is_there(f->store, o[0].info.path.base), 0);
	assert_int_equal(is_valid(f->store, &o[1].info.path), 0);
	path_set_release(&o[0].info.refs);
	path_set_release(&o[1].info.refs);

	o[0] = staged(st, "11111111111111111111111111111111-one", "1");
	o[0].info.ca = (char *)"text:sha256:0000000000000000000000000000000000000000000000000000";
	assert_int_equal(store_commit(f->store, o, 1, &fixture_err), ERR_INVALID); /* not its address */
	err_release(&fixture_err);
	o[0].info.path.base[33] = 'x';
	stage_free(st);
	assert_int_equal(verify(f->store), 0);
}

/* Whatever lies there without being valid is no obstacle. */
static void replaces_leftovers(void **state)
{
	struct fixture *f = *state;
	struct store_path p;

	assert_int_equal(mkdirat(store_fd(f->store), "q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt", 0700), 0);
	write_file(store_fd(f->store), "q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt/x", "half", 0600);
	p = add_text(f->store, "hello.txt", "hello", NULL, NULL);
	assert_string_equal(p.base, "q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt");
	assert_int_equal(verify(f->store), 0);
}

static int count_output(void *arg, struct slice name, const struct store_path *path, struct err *e)
{
	(void)name;
	(void)path;
	(void)e;
	++*(int *)arg;
	return 0;
}

static void derivations(void **state)
{
	static const char text[] = "Derive([(\"out\",\"/nix/store/fqidlslkvgrc9fp9sj6pv8bca0lfkl4c-n\",\"\",\"\")],[],[],\"s\",\"/b\",[],"
				   "[(\"out\",\"/nix/store/fqidlslkvgrc9fp9sj6pv8bca0lfkl4c-n\")])";
	struct fixture *f = *state;
	struct store_path drv = add_text(f->store, "n.drv", text, NULL, NULL), out;
	struct path_set derivers = PATH_SET_INIT;
	int n = 0;

	CHECK(db_outputs(store_db(f->store), &drv, count_output, &n, &fixture_err));
	assert_int_equal(n, 1);
	CHECK(store_path_parse_base(SLICE("fqidlslkvgrc9fp9sj6pv8bca0lfkl4c-n"), &out, &fixture_err));
	CHECK(db_derivers(store_db(f->store), &out, &derivers, &fixture_err));
	assert_int_equal(derivers.n, 1);
	path_set_release(&derivers);
	assert_int_equal(store_add_text(f->store, SLICE("bad.drv"), SLICE("Derive("), NULL, &drv, &fixture_err), ERR_INVALID);
	assert_int_equal(is_there(f->store, drv.base), 0);
}

/* The same text with the path of another's output. */
static void forged_derivation(void **state)
{
	static const char text[] = "Derive([(\"out\",\"/nix/store/y2pxx8mklsq1zhxqfb3v4yswmm5m6c3q-n\",\"\",\"\")],[],[],"
				   "\"s\",\"/b\",[],[(\"out\",\"/nix/store/y2pxx8mklsq1zhxqfb3v4yswmm5m6c3q-n\")])";
	static const char says[] = "derivation '/nix/store/p4sc18xpgp5nym9iw43sdh5cmkmbsy1k-n.drv' has incorrect output "
				   "'/nix/store/y2pxx8mklsq1zhxqfb3v4yswmm5m6c3q-n', should be '/nix/store/fqidlslkvgrc9fp9sj6pv8bca0lfkl4c-n'";
	struct fixture *f = *state;
	struct store_path p;

	assert_int_equal(store_add_text(f->store, SLICE("n.drv"), slice_of(text), NULL, &p, &fixture_err), ERR_INVALID);
	assert_string_equal(fixture_err.msg, says);
	err_release(&fixture_err);
	assert_int_equal(is_there(f->store, p.base), 0);
}

/* An object under the path of a content address, whose row does not say so. */
static void content_address_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct store_path p = add_text(f->store, "a", "x", NULL, NULL), deriver;
	struct path_info info;
	struct hash h, other;
	char *ca;

	hash_bytes(HASH_SHA256, "x", 1, &h);
	hash_bytes(HASH_SHA256, "y", 1, &other);
	assert_int_equal(store_is_valid_as(f->store, &p, CA_TEXT, &h, &fixture_err), 1);
	assert_int_equal(store_is_valid_as(f->store, &p, CA_TEXT, &other, &fixture_err), ERR_INVALID);
	err_release(&fixture_err);
	CHECK(db_info(store_db(f->store), &p, &info, &fixture_err));
	free(info.ca);
	info.ca = NULL;
	CHECK(db_update(store_db(f->store), &info, &fixture_err));
	assert_int_equal(store_is_text(f->store, &p, SLICE("y"), &fixture_err), ERR_INVALID);
	err_release(&fixture_err);
	assert_int_equal(store_is_text(f->store, &p, SLICE("x"), &fixture_err), 1);
	assert_int_equal(db_origin(store_db(f->store), &p, &ca, &deriver, &fixture_err), 1);
	assert_non_null(ca);
	free(ca);
	path_info_release(&info);
}

static void by_digest(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL), p;

	CHECK(db_find_digest(store_db(f->store), store_path_hash(&a), &p, &fixture_err));
	assert_string_equal(p.base, a.base);
	assert_int_equal(db_find_digest(store_db(f->store), SLICE("00000000000000000000000000000000"), &p, NULL), ERR_NOTFOUND);
	assert_int_equal(db_find_digest(store_db(f->store), SLICE("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"), &p, NULL), ERR_NOTFOUND);
}

static void opened_again(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL), b;
	char *rest, name[300];

	store_free(f->store);
	CHECK(store_open(&f->store, &f->place, STORE_READONLY, &fixture_err));
	assert_int_equal(is_valid(f->store, &a), 1);
	assert_int_equal(store_add_text(f->store, SLICE("b"), SLICE("y"), NULL, &b, &fixture_err), ERR_DENIED);
	err_release(&fixture_err);
	snprintf(name, sizeof name, "/nix/store/%s/x/y", a.base);
	CHECK(store_resolve(f->store, name, &b, &rest, &fixture_err));
	assert_string_equal(rest, "/x/y");
	free(rest);
	assert_int_equal(store_resolve(f->store, name, &b, NULL, &fixture_err), ERR_INVALID);
	err_release(&fixture_err);
}

static void damaged(void **state)
{
	struct fixture *f = *state;

	add_text(f->store, "a", "x", NULL, NULL);
	store_free(f->store);
	f->store = NULL;
	write_file(f->dir, "nix/var/nix/db/schema", "11", 0644);
	assert_int_equal(store_open(&f->store, &f->place, 0, &fixture_err), ERR_INVALID);
	assert_non_null(strstr(fixture_err.msg, "schema 11"));
	err_release(&fixture_err);
	write_file(f->dir, "nix/var/nix/db/schema", "", 0644);
	assert_int_equal(store_open(&f->store, &f->place, 0, &fixture_err), ERR_INVALID);
	err_release(&fixture_err);
	write_file(f->dir, "nix/var/nix/db/schema", "10", 0644);
	write_file(f->dir, "nix/var/nix/db/db.sqlite", "this is not a database at all, is it?", 0644);
	assert_int_equal(store_open(&f->store, &f->place, 0, &fixture_err), ERR_INVALID);
	assert_non_null(strstr(fixture_err.msg, "damaged"));
	err_release(&fixture_err);
}

/* --- verify --- */

/* A transaction taken back inside another is taken back as a whole, and the next one is one again. */
static void taken_back_inside(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL);
	struct db *db = store_db(f->store);

	CHECK(db_begin(db, &fixture_err));
	CHECK(db_forget(db, &a, &fixture_err));
	CHECK(db_begin(db, &fixture_err));
	db_rollback(db);
	assert_int_equal(db_commit(db, &fixture_err), ERR_INVALID);
	err_release(&fixture_err);
	assert_int_equal(is_valid(f->store, &a), 1);
	CHECK(db_begin(db, &fixture_err));
	CHECK(db_forget(db, &a, &fixture_err));
	db_rollback(db);
	assert_int_equal(is_valid(f->store, &a), 1);
}

static void verify_finds(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL), b = add_text(f->store, "b", "y", &a, NULL);
	struct store_path c = add_text(f->store, "c", "z", NULL, NULL);

	assert_int_equal(verify(f->store), 0);
	assert_int_equal(unlinkat(store_fd(f->store), c.base, 0), 0);
	assert_int_equal(verify(f->store), 0); /* gone, and nobody minds */
	assert_int_equal(is_valid(f->store, &c), 0);
	assert_int_equal(unlinkat(store_fd(f->store), a.base, 0), 0);
	assert_int_equal(verify(f->store), 1);
	assert_int_equal(is_valid(f->store, &a), 1);
	assert_int_equal(fchmodat(store_fd(f->store), b.base, 0644, 0), 0);
	assert_int_equal(verify(f->store), 2);
	write_file(store_fd(f->store), b.base, "Y", 0444);
	assert_int_equal(verify(f->store), 2);
}

/* --- locks --- */

static void locks(void **state)
{
	struct fixture *f = *state;
	struct store_path a = add_text(f->store, "a", "x", NULL, NULL);
	struct path_set set = PATH_SET_INIT;
	struct path_locks first, second;
	char name[300];

	path_set_add(&set, &a);
	CHECK(path_locks_take(&first, f->store, &set, LOCK_TRY, &fixture_err));
	assert_int_equal(path_locks_take(&second, f->store, &set, LOCK_TRY, &fixture_err), 1);
	path_locks_release(&first, 1);
	snprintf(name, sizeof name, "%s.lock", a.base);
	assert_int_equal(is_there(f->store, name), 0);
	CHECK(path_locks_take(&second, f->store, &set, LOCK_TRY, &fixture_err));
	path_locks_release(&second, 0);
	assert_int_equal(is_there(f->store, name), 1);
	/* What a power cut left in it does not make it a removed one, which would be waited for without end. */
	int fd = openat(store_fd(f->store), name, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "d", 1), 1);
	close(fd);
	CHECK(path_locks_take(&second, f->store, &set, LOCK_TRY, &fixture_err));
	path_locks_release(&second, 1);
	assert_int_equal(is_there(f->store, name), 0);
	path_set_release(&set);
}

/* A stage of a dead process is swept by the next one. */
static void dead_stages(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct stage *st;
		struct store *s;
		if (store_open(&s, &f->place, STORE_NOSYNC, NULL) || stage_open(s, &st, NULL))
			_exit(1);
		write_file(stage_fd(st), "half", "x", 0600);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	add_text(f->store, "a", "x", NULL, NULL);
	struct stat st;
	assert_int_equal(fstatat(store_fd(f->store), "00000000000000000000000000000000-gx-staging", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(st.st_nlink, 2); /* no directory in it */
}

/* Below and above what gets a thread, and at the borders of its pieces; fed in odd amounts. */
static void hashed_behind(void **state)
{
	static const size_t much = 4 << 20, piece = 256 << 10;
	const size_t sizes[] = { 0, 1, much - 1, much, much + 1, much + piece, much + 5 * piece, much + 9 * piece + 7 };
	char *bytes = xmalloc(2 * much);

	for (size_t i = 0; i < 2 * much; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		struct hash_behind h;
		struct hash want, got;

		hash_behind_init(&h, HASH_SHA256);
		for (size_t at = 0, n; at < sizes[k]; at += n) {
			n = sizes[k] - at < 70001 ? sizes[k] - at : 70001;
			hash_behind_feed(&h, bytes + at, n);
		}
		hash_behind_final(&h, &got);
		hash_bytes(HASH_SHA256, bytes, sizes[k], &want);
		assert_true(hash_eq(&want, &got));
	}
	free(bytes);
	(void)state;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_start, fixture_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_objects), TEST(trees), TEST(flat_files), TEST(restored_archive),
		TEST(announced_address_is_checked), TEST(evil_archives),
		TEST(never_over_something), TEST(facts_of_an_object), TEST(commit_of_several), TEST(commit_refused),
		TEST(replaces_leftovers), TEST(derivations), TEST(forged_derivation), TEST(content_address_is_asked_for),
		TEST(by_digest), TEST(opened_again), TEST(damaged),
		TEST(taken_back_inside), TEST(verify_finds), TEST(locks), TEST(dead_stages),
		TEST(hashed_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

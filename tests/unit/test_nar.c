/* SPDX-License-Identifier: MIT
 *
 * store/nar: archives written from a tree, and hostile ones read.
 *
 * The tree below is the one whose archive `nix-store --dump` (2.8.0) makes with the digest TREE; its hash is also
 * what `nix-hash --type sha256` prints.  The hostile set holds what other implementations have fallen to:
 * names that escape, repeats and symlink-then-directory, lengths near 2^64, padding, depth.
 */
#include "config.h"
#include "base/buf.h"
#include "base/limits.h"
#include "format/nar.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TREE "d41adb97f958c35b41d181f5d401626017221ef8654c810dd51a519fdd6e8a32"

/* --- a tree on disk --- */

static char root[64];

static const char *in_root(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", root, name);
	return path;
}

static void file(const char *name, const char *text, int mode)
{
	FILE *f = fopen(in_root(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(in_root(name), (mode_t)mode), 0);
}

static void dir(const char *name)
{
	assert_int_equal(mkdir(in_root(name), 0777), 0);
}

static int make_tree(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/gx-nar-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	dir("tree");
	dir("tree/dir");
	dir("tree/dir/sub");
	dir("tree/with space");
	dir("tree/void");
	file("tree/a", "hello\n", 0644);
	file("tree/run", "#!/bin/sh\n", 0755);
	file("tree/dir/empty", "", 0600);
	file("tree/dir/sub/eight", "12345678", 0444);
	file("tree/B", "x", 0644);
	file("tree/b", "y", 0655); /* executable for others only: does not count */
	file("tree/with space/\xc3\xbc", "z", 0644);
	assert_int_equal(symlink("a", in_root("tree/link")), 0);
	assert_int_equal(symlink("/nonexistent/target", in_root("tree/dir/dangling")), 0);
	return 0;
}

static int remove_tree(void **state)
{
	char cmd[256];

	(void)state;
	snprintf(cmd, sizeof cmd, "chmod -R u+w %s; rm -rf %s", root, root);
	return system(cmd);
}

static int to_buf(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(user, p, n);
	return 0;
}

static void dump(const char *name, struct buf *b)
{
	struct nar_sink sink = { to_buf, b };
	struct err e = ERR_INIT;

	if (nar_write(AT_FDCWD, in_root(name), NULL, NULL, &sink, &e))
		fail_msg("%s", e.msg);
}

static void hash_is_nix_hash(void **state)
{
	char text[HASH_TEXT_MAX];
	struct err e = ERR_INIT;
	struct hash h;
	uint64_t size;

	(void)state;
	assert_int_equal(nar_hash(HASH_SHA256, AT_FDCWD, in_root("tree"), NULL, NULL, &h, &size, &e), 0);
	hash_print(&h, HASH_BASE16, 0, text);
	assert_string_equal(text, TREE);
	assert_int_equal(size, 2552);

	int fd = open(root, O_RDONLY | O_DIRECTORY);

	assert_int_equal(nar_hash(HASH_MD5, fd, "tree", "/x", NULL, &h, &size, &e), 0);
	hash_print(&h, HASH_NIX32, 0, text);
	assert_string_equal(text, "2wsyvp0v6yv2khd6xbids4nfvk");
	close(fd);
}

static void bytes_are_a_file(void **state)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct nar_sink sink = { to_buf, &b };
	struct hash h, want;
	uint64_t size;

	(void)state;
	dump("tree/run", &a);
	assert_int_equal(nar_write_bytes(SLICE("#!/bin/sh\n"), 1, &sink, NULL), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.p, b.p, a.len);
	hash_bytes(HASH_SHA256, a.p, a.len, &want);
	nar_hash_bytes(HASH_SHA256, SLICE("#!/bin/sh\n"), 1, &h, &size);
	assert_true(hash_eq(&want, &h));
	assert_int_equal(size, a.len);
	buf_release(&a);
	buf_release(&b);
}

static void flat_hashes_only_files(void **state)
{
	struct err e = ERR_INIT;
	struct hash h, want;
	uint64_t size;

	(void)state;
	hash_bytes(HASH_SHA256, "hello\n", 6, &want);
	assert_int_equal(nar_hash_file_flat(HASH_SHA256, AT_FDCWD, in_root("tree/a"), &h, &size, &e), 0);
	assert_true(hash_eq(&want, &h));
	assert_int_equal(nar_hash_file_flat(HASH_SHA256, AT_FDCWD, in_root("tree"), &h, &size, &e), ERR_INVALID);
	err_release(&e);
	assert_int_equal(nar_hash_file_flat(HASH_SHA256, AT_FDCWD, in_root("tree/link"), &h, &size, &e), ERR_INVALID);
	err_release(&e);
	assert_int_equal(nar_hash_file_flat(HASH_SHA256, AT_FDCWD, in_root("none"), &h, &size, &e), ERR_NOTFOUND);
	err_release(&e);
}

/* --- events, written down as text --- */

static int on_directory(void *user, struct slice name, struct err *e)
{
	(void)e;
	buf_addf(user, "%s/(", name.p);
	return 0;
}

static int on_directory_end(void *user, struct err *e)
{
	(void)e;
	buf_adds(user, ")");
	return 0;
}

static int on_regular(void *user, struct slice name, int executable, uint64_t size, struct err *e)
{
	(void)e;
	buf_addf(user, "%s%s%llu[", name.p, executable ? "*" : ":", (unsigned long long)size);
	return 0;
}

static int on_contents(void *user, const void *p, size_t n, struct err *e)
{
	(void)e;
	buf_add(user, p, n);
	return 0;
}

static int on_regular_end(void *user, struct err *e)
{
	(void)e;
	buf_adds(user, "]");
	return 0;
}

static int on_symlink(void *user, struct slice name, struct slice target, struct err *e)
{
	(void)e;
	buf_addf(user, "%s->%s;", name.p, target.p);
	return 0;
}

static const struct nar_events events = { on_directory, on_directory_end, on_regular, on_contents, on_regular_end, on_symlink };

#define TREE_EVENTS                                                                                                  \
	"/(B:1[x]a:6[hello\n]b:1[y]dir/(dangling->/nonexistent/target;empty:0[]sub/(eight:8[12345678]))link->a;"       \
	"run*10[#!/bin/sh\n]void/()with space/(\xc3\xbc:1[z]))"

static void reads_what_it_writes(void **state)
{
	struct buf nar = BUF_INIT;

	(void)state;
	dump("tree", &nar);
	for (size_t piece = 1; piece < 40; piece++) {
		struct buf log = BUF_INIT;
		struct nar_reader *r = nar_reader_new(&events, &log);
		size_t used;

		for (size_t i = 0; i < nar.len; i += used) {
			assert_false(nar_reader_done(r));
			assert_int_equal(nar_reader_feed(r, nar.p + i, piece < nar.len - i ? piece : nar.len - i, &used, NULL), 0);
		}
		assert_true(nar_reader_done(r));
		assert_int_equal(nar_reader_feed(r, "x", 1, &used, NULL), 0);
		assert_int_equal(used, 0);
		assert_string_equal(buf_str(&log), TREE_EVENTS);
		nar_reader_free(r);
		buf_release(&log);
	}
	buf_release(&nar);
}

static void reads_a_descriptor(void **state)
{
	struct buf nar = BUF_INIT, log = BUF_INIT;
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	dump("tree", &nar);
	fd = open(in_root("x.nar"), O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, nar.p, nar.len), nar.len);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(nar_read_fd(fd, &events, &log, &e), 0);
	assert_string_equal(buf_str(&log), TREE_EVENTS);
	assert_int_equal(write(fd, "x", 1), 1);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(nar_read_fd(fd, &events, &log, &e), ERR_INVALID);
	assert_string_equal(e.msg, "bad archive: something follows its end");
	err_release(&e);
	close(fd);
	buf_release(&nar);
	buf_release(&log);
}

static void every_prefix_is_refused(void **state)
{
	static const struct nar_events none;
	struct buf nar = BUF_INIT;

	(void)state;
	dump("tree", &nar);
	assert_int_equal(nar_read_bytes((struct slice){ nar.p, nar.len }, &none, NULL, NULL), 0);
	for (size_t n = 0; n < nar.len; n++) {
		char *cut = malloc(n ? n : 1);

		memcpy(cut, nar.p, n);
		assert_int_equal(nar_read_bytes((struct slice){ cut, n }, &none, NULL, NULL), ERR_INVALID);
		free(cut);
	}
	buf_release(&nar);
}

/* Flipping any one bit gives another archive or none, never a crash. */
static void every_bit_matters(void **state)
{
	struct buf nar = BUF_INIT;

	(void)state;
	dump("tree", &nar);
	for (size_t i = 0; i < nar.len * 8; i++) {
		struct buf log = BUF_INIT;

		nar.p[i / 8] = (char)(nar.p[i / 8] ^ 1 << i % 8);
		if (!nar_read_bytes((struct slice){ nar.p, nar.len }, &events, &log, NULL))
			assert_string_not_equal(buf_str(&log), TREE_EVENTS);
		nar.p[i / 8] = (char)(nar.p[i / 8] ^ 1 << i % 8);
		buf_release(&log);
	}
	buf_release(&nar);
}

/* --- filters --- */

static int no_dirs(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	(void)e;
	assert_int_equal(strlen(path), n);
	buf_addf(user, "%s=%s ", path, nar_type_name(type));
	return type != NAR_DIRECTORY;
}

static int stop_at_a(void *user, const char *path, size_t n, enum nar_type type, struct err *e)
{
	(void)user;
	(void)n;
	(void)type;
	return strcmp(path, "/p/a") ? 1 : err_set(e, ERR_DENIED, "no");
}

static void filters(void **state)
{
	struct buf asked = BUF_INIT, nar = BUF_INIT, log = BUF_INIT;
	struct nar_sink sink = { to_buf, &nar };
	struct nar_filter f = { no_dirs, &asked };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(nar_write(AT_FDCWD, in_root("tree"), "/p", &f, &sink, &e), 0);
	assert_string_equal(asked.p, "/p/B=regular /p/a=regular /p/b=regular /p/dir=directory /p/link=symlink "
				     "/p/run=regular /p/void=directory /p/with space=directory ");
	assert_int_equal(nar_read_bytes((struct slice){ nar.p, nar.len }, &events, &log, &e), 0);
	assert_string_equal(log.p, "/(B:1[x]a:6[hello\n]b:1[y]link->a;run*10[#!/bin/sh\n])");
	f.include = stop_at_a;
	assert_int_equal(nar_write(AT_FDCWD, in_root("tree"), "/p", &f, &sink, &e), ERR_DENIED);
	err_release(&e);
	buf_release(&asked);
	buf_release(&nar);
	buf_release(&log);
}

static int full(void *user, const void *p, size_t n, struct err *e)
{
	(void)user;
	(void)p;
	(void)n;
	return err_set(e, ERR_IO, "no space left");
}

static size_t good_calls, calls;

static int full_once(void *user, const void *p, size_t n, struct err *e)
{
	return calls++ == good_calls ? full(user, p, n, e) : 0;
}

/* Nothing is written after an error, and no other error takes its place. */
static void sink_that_fails_once(void **state)
{
	struct nar_sink sink = { full_once, NULL };
	int rc, fd = open(in_root("large"), O_WRONLY | O_CREAT, 0444);

	(void)state;
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	for (good_calls = 0;; good_calls++) {
		struct err e = ERR_INIT;

		calls = 0;
		rc = nar_write(AT_FDCWD, in_root("large"), NULL, NULL, &sink, &e);
		if (!rc)
			break;
		assert_int_equal(rc, ERR_IO);
		assert_string_equal(e.msg, "no space left");
		assert_int_equal(calls, good_calls + 1);
		err_release(&e);
	}
	assert_true(good_calls > 3);
	unlink(in_root("large"));
}

static void sink_errors_stop(void **state)
{
	struct nar_sink sink = { full, NULL };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(nar_write(AT_FDCWD, in_root("tree"), NULL, NULL, &sink, &e), ERR_IO);
	assert_string_equal(e.msg, "no space left");
	err_release(&e);
}

/* --- what the writer refuses --- */

static void odd_files(void **state)
{
	struct err e = ERR_INIT;
	struct hash h;

	(void)state;
	dir("odd");
	assert_int_equal(mkfifo(in_root("odd/pipe"), 0600), 0);
	assert_int_equal(nar_hash(HASH_SHA256, AT_FDCWD, in_root("odd"), "/o", NULL, &h, NULL, &e), ERR_INVALID);
	assert_string_equal(e.msg, "file '/o/pipe' has an unsupported type");
	err_release(&e);
	assert_int_equal(nar_hash(HASH_SHA256, AT_FDCWD, in_root("none"), NULL, NULL, &h, NULL, &e), ERR_NOTFOUND);
	err_release(&e);
}

static void big_files(void **state)
{
	static char data[700001];
	struct hash h, want;
	struct err e = ERR_INIT;
	FILE *f;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i >> 3);
	f = fopen(in_root("big"), "w");
	fwrite(data, 1, sizeof data, f);
	fclose(f);
	nar_hash_bytes(HASH_SHA1, (struct slice){ data, sizeof data }, 0, &want, NULL);
	assert_int_equal(nar_hash(HASH_SHA1, AT_FDCWD, in_root("big"), NULL, NULL, &h, NULL, &e), 0);
	assert_true(hash_eq(&want, &h));
}

/* 63 directories in one another and a file in the last are 64 levels: the most there may be. */
static void depth_of_trees(void **state)
{
	char path[400];
	struct err e = ERR_INIT;
	struct hash h;

	(void)state;
	snprintf(path, sizeof path, "deep");
	for (int i = 0; i < LIMIT_NAR_DEPTH - 1; i++) {
		dir(path);
		strcat(path, "/d");
	}
	file(path, "x", 0644);
	assert_int_equal(nar_hash(HASH_SHA256, AT_FDCWD, in_root("deep"), NULL, NULL, &h, NULL, &e), 0);
	unlink(in_root(path));
	dir(path);
	strcat(path, "/d");
	file(path, "x", 0644);
	assert_int_equal(nar_hash(HASH_SHA256, AT_FDCWD, in_root("deep"), NULL, NULL, &h, NULL, &e), ERR_LIMIT);
	err_release(&e);
}

/* --- hostile archives, put together word by word --- */

static void word_n(struct buf *b, const char *p, size_t n)
{
	uint64_t len = n;

	buf_add(b, &len, 8); /* tests run on little-endian machines */
	buf_add(b, p, n);
	buf_add(b, "\0\0\0\0\0\0\0", -n & 7);
}

/* Words separated by spaces; "_" is the empty one. */
static void words(struct buf *b, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		word_n(b, text, n == 1 && *text == '_' ? 0 : n);
		text += n + (text[n] == ' ');
	}
}

static int read_log(const struct buf *b, struct buf *log, struct err *e)
{
	/* A block of its own, for the sanitizer. */
	char *copy = malloc(b->len ? b->len : 1);

	memcpy(copy, buf_str(b), b->len);
	int rc = nar_read_bytes((struct slice){ copy, b->len }, &events, log, e);

	free(copy);
	return rc;
}

static void refused(const struct buf *b, const char *msg)
{
	struct buf log = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = read_log(b, &log, &e);

	if (!rc)
		fail_msg("accepted, wanted: %s", msg);
	assert_string_equal(e.msg, msg);
	err_release(&e);
	buf_release(&log);
}

#define FILE_ "( type regular contents _ )"
#define ENTRY_ "entry ( name "

static void bad_grammar(void **state)
{
	static const struct {
		const char *text, *msg;
	} bad[] = {
		{ "", "bad archive: it ends too early" },
		{ "nix-archive-2", "bad archive: input doesn't look like a Nix archive" },
		{ "nix-archive-1", "bad archive: it ends too early" },
		{ "nix-archive-1 )", "bad archive: expected tag '(', got ')'" },
		{ "nix-archive-1 ( kind", "bad archive: expected tag 'type', got 'kind'" },
		{ "nix-archive-1 ( type socket", "bad archive: expected a file type, got 'socket'" },
		{ "nix-archive-1 ( type regular )", "bad archive: expected tag 'contents', got ')'" },
		{ "nix-archive-1 ( type regular executable x", "bad archive: string is too long" },
		{ "nix-archive-1 ( type regular executable _ executable _", "bad archive: expected tag 'contents', got 'executable'" },
		{ "nix-archive-1 ( type regular contents a contents b )", "bad archive: expected tag ')', got 'contents'" },
		{ "nix-archive-1 ( type symlink target _ )", "bad archive: invalid symlink target" },
		{ "nix-archive-1 ( type symlink target a target b )", "bad archive: expected tag ')', got 'target'" },
		{ "nix-archive-1 ( type directory type regular )", "bad archive: expected tag 'entry', got 'type'" },
		{ "nix-archive-1 ( type directory entry ( node", "bad archive: expected tag 'name', got 'node'" },
		{ "nix-archive-1 ( type directory " ENTRY_ "a )", "bad archive: expected tag 'node', got ')'" },
		{ "nix-archive-1 ( type directory " ENTRY_ "a node " FILE_ " node", "bad archive: expected tag ')', got 'node'" },
		{ "nix-archive-1 ( type directory " ENTRY_ "_ node " FILE_ " ) )", "bad archive: invalid file name" },
		{ "nix-archive-1 ( type directory " ENTRY_ ". node " FILE_ " ) )", "bad archive: invalid file name" },
		{ "nix-archive-1 ( type directory " ENTRY_ ".. node " FILE_ " ) )", "bad archive: invalid file name" },
		{ "nix-archive-1 ( type directory " ENTRY_ "a/b node " FILE_ " ) )", "bad archive: invalid file name" },
		{ "nix-archive-1 ( type directory " ENTRY_ "/ node " FILE_ " ) )", "bad archive: invalid file name" },
		{ "nix-archive-1 ( type directory " ENTRY_ "b node " FILE_ " ) " ENTRY_ "a node " FILE_ " ) )", "bad archive: directory is not sorted" },
		{ "nix-archive-1 ( type directory " ENTRY_ "a node " FILE_ " ) " ENTRY_ "a node " FILE_ " ) )", "bad archive: directory is not sorted" },
		{ "nix-archive-1 ( type directory " ENTRY_ "a node ( type symlink target /etc ) ) " ENTRY_ "a node ( type directory",
		  "bad archive: directory is not sorted" },
		{ "nix-archive-1 ( type regular contents _ ) x", "bad archive: something follows its end" },
		{ "nix-archive-1 ( xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "bad archive: string is too long" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct buf b = BUF_INIT;

		words(&b, bad[i].text);
		refused(&b, bad[i].msg);
		buf_release(&b);
	}
}

static void bad_bytes_in_names(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	words(&b, "nix-archive-1 ( type directory entry ( name");
	word_n(&b, "a\0b", 3);
	refused(&b, "bad archive: invalid file name");
	buf_release(&b);
	words(&b, "nix-archive-1 ( type symlink target");
	word_n(&b, "a\0b", 3);
	refused(&b, "bad archive: invalid symlink target");
	buf_release(&b);
	words(&b, "nix-archive-1");
	word_n(&b, "\x1b[2J\xff", 5);
	refused(&b, "bad archive: expected tag '(', got '?[2J?'");
	buf_release(&b);
}

/* Case-fold and normalisation twins are distinct names here; a consumer on a file system that folds them must
 * create files exclusively. */
static void twins_are_names(void **state)
{
	struct buf b = BUF_INIT, log = BUF_INIT;

	(void)state;
	words(&b, "nix-archive-1 ( type directory " ENTRY_ "A node " FILE_ " ) " ENTRY_ "a node " FILE_ " ) " ENTRY_
		  "a~nix~case~hack~1 node " FILE_ " ) )");
	assert_int_equal(read_log(&b, &log, NULL), 0);
	assert_string_equal(log.p, "/(A:0[]a:0[]a~nix~case~hack~1:0[])");
	buf_release(&b);
	buf_release(&log);
}

static void limits_of_strings(void **state)
{
	char big[NAR_TARGET_MAX + 1];
	struct buf b = BUF_INIT, log = BUF_INIT;

	(void)state;
	memset(big, 'n', sizeof big);
	for (size_t n = NAR_NAME_MAX; n <= NAR_NAME_MAX + 1; n++) {
		words(&b, "nix-archive-1 ( type directory entry ( name");
		word_n(&b, big, n);
		words(&b, "node " FILE_ " ) )");
		if (n <= NAR_NAME_MAX)
			assert_int_equal(read_log(&b, &log, NULL), 0);
		else
			refused(&b, "bad archive: string is too long");
		buf_release(&b);
	}
	for (size_t n = NAR_TARGET_MAX; n <= NAR_TARGET_MAX + 1; n++) {
		words(&b, "nix-archive-1 ( type symlink target");
		word_n(&b, big, n);
		words(&b, ")");
		if (n <= NAR_TARGET_MAX)
			assert_int_equal(read_log(&b, &log, NULL), 0);
		else
			refused(&b, "bad archive: string is too long");
		buf_release(&b);
	}
	buf_release(&log);
}

static void hostile_lengths(void **state)
{
	static const uint64_t lengths[] = { ~0ull,	  ~0ull - 1,  ~0ull - 6,  ~0ull - 7, ~0ull - 8,	 ~0ull - 15, 1ull << 63, (1ull << 63) - 1,
					    0xffffffffull, 1ull << 32, 4096, 256,	     33 };
	static const char *const before[] = { "", "nix-archive-1", "nix-archive-1 (", "nix-archive-1 ( type",
					      "nix-archive-1 ( type regular", "nix-archive-1 ( type regular executable",
					      "nix-archive-1 ( type symlink", "nix-archive-1 ( type directory",
					      "nix-archive-1 ( type directory entry ( name a" };

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct buf b = BUF_INIT, log = BUF_INIT;

		for (size_t k = 0; k < sizeof before / sizeof *before; k++) {
			words(&b, before[k]);
			buf_add(&b, &lengths[i], 8);
			buf_adds(&b, "12345678");
			refused(&b, k ? "bad archive: string is too long" : "bad archive: input doesn't look like a Nix archive");
			buf_release(&b);
		}
		/* Of contents any length may be; the archive just ends too early, having cost no memory. */
		words(&b, "nix-archive-1 ( type regular contents");
		buf_add(&b, &lengths[i], 8);
		buf_adds(&b, "12345678");
		refused(&b, "bad archive: it ends too early");
		buf_release(&b);
		buf_release(&log);
	}
}

static void padding_is_zero(void **state)
{
	struct buf b = BUF_INIT;
	uint64_t one = 1;

	(void)state;
	words(&b, "nix-archive-1 ( type regular contents");
	buf_add(&b, &one, 8);
	buf_add(&b, "x\0\0\0\0\0\0\1", 8);
	words(&b, ")");
	refused(&b, "bad archive: non-zero padding");
	buf_release(&b);
	words(&b, "nix-archive-1");
	buf_add(&b, &one, 8);
	buf_add(&b, "(\1\0\0\0\0\0\0", 8);
	refused(&b, "bad archive: non-zero padding");
	buf_release(&b);
}

static void depth_of_archives(void **state)
{
	struct buf b = BUF_INIT, log = BUF_INIT;

	(void)state;
	words(&b, "nix-archive-1");
	for (int i = 0; i < LIMIT_NAR_DEPTH - 1; i++)
		words(&b, "( type directory entry ( name d node");
	words(&b, FILE_);
	for (int i = 0; i < LIMIT_NAR_DEPTH - 1; i++)
		words(&b, ") )");
	assert_int_equal(read_log(&b, &log, NULL), 0);
	buf_release(&b);
	words(&b, "nix-archive-1");
	for (int i = 0; i < 100000; i++)
		words(&b, "( type directory entry ( name d node");
	refused(&b, "bad archive: directories nest deeper than 64");
	buf_release(&b);
	buf_release(&log);
}

static int refuse(void *user, struct slice name, struct err *e)
{
	(void)user;
	(void)name;
	return err_set(e, ERR_IO, "cannot create");
}

static void events_can_stop(void **state)
{
	static const struct nar_events ev = { .directory = refuse };
	struct nar_reader *r = nar_reader_new(&ev, NULL);
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	size_t used;

	(void)state;
	words(&b, "nix-archive-1 ( type directory )");
	assert_int_equal(nar_reader_feed(r, b.p, b.len, &used, &e), ERR_IO);
	assert_true(used < b.len);
	assert_string_equal(e.msg, "cannot create");
	err_release(&e);
	assert_int_equal(nar_reader_feed(r, b.p, b.len, &used, &e), ERR_INVALID);
	err_release(&e);
	nar_reader_free(r);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_is_nix_hash),
		cmocka_unit_test(bytes_are_a_file),
		cmocka_unit_test(flat_hashes_only_files),
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(reads_a_descriptor),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(every_bit_matters),
		cmocka_unit_test(filters),
		cmocka_unit_test(sink_errors_stop),
		cmocka_unit_test(sink_that_fails_once),
		cmocka_unit_test(odd_files),
		cmocka_unit_test(big_files),
		cmocka_unit_test(depth_of_trees),
		cmocka_unit_test(bad_grammar),
		cmocka_unit_test(bad_bytes_in_names),
		cmocka_unit_test(twins_are_names),
		cmocka_unit_test(limits_of_strings),
		cmocka_unit_test(hostile_lengths),
		cmocka_unit_test(padding_is_zero),
		cmocka_unit_test(depth_of_archives),
		cmocka_unit_test(events_can_stop),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}

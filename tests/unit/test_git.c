/* SPDX-License-Identifier: MIT
 *
 * fetch/git, fetch/program, fetch/cache: arguments that are refused; references, revisions, trees and work trees of
 * repositories made here; repositories that try to run something; the cache.
 */
#include "config.h"
#include "base/activity.h"
#include "fetch/cache.h"
#include "fetch/git.h"
#include "fetch/program.h"
#include "format/nar.h"
#include "store/tree.h"

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

static char top[64], repo[96], file_url[128], out_dir[96];
static int have_git;

/* Shell commands in the repository, as a person would type them, with a configuration of their own. */
static void sh(const char *script)
{
	struct buf b = BUF_INIT;

	buf_addf(&b,
		 "export HOME='%s/home' GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2001-02-03T04:05:06Z' "
		 "GIT_COMMITTER_DATE='2001-02-03T04:05:06Z'; cd '%s' && { %s\n} >/dev/null 2>&1",
		 top, repo, script);
	if (system(b.p))
		fail_msg("failed: %s", script);
	buf_release(&b);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/gx-git.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(repo, sizeof repo, "%s/repo", top);
	snprintf(out_dir, sizeof out_dir, "%s/out", top);
	snprintf(file_url, sizeof file_url, "file://%s", repo);
	mkdir(repo, 0755);
	have_git = !system("git --version >/dev/null 2>&1");
	if (!have_git)
		return 0;
	sh("mkdir -p $HOME && git config --global user.name t && git config --global user.email t@example.org &&"
	   "git init -q -b main . && mkdir -p a/b && echo one >a/b/file && printf '#!/bin/sh\\n' >run && chmod +x run &&"
	   "ln -s a/b/file link && printf 'x $Format:%%H$ x\\r\\n' >attr && printf 'attr export-subst text eol=crlf\\nhidden export-ignore\\n' >.gitattributes &&"
	   "echo hidden >hidden && printf 'a name\\nwith all' >'sp ace' && git add . && git commit -q -m one && git tag light &&"
	   "git tag -a -m t heavy && echo two >>a/b/file && git commit -q -a -m two && git branch side HEAD^ &&"
	   "git branch light HEAD && echo '*.o' >.gitignore && git add .gitignore && git commit -q -m three");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove(AT_FDCWD, top, NULL, NULL, NULL);
}

#define NEED_GIT()                                                                                                           \
	do {                                                                                                                 \
		if (!have_git)                                                                                               \
			skip();                                                                                              \
	} while (0)

/* --- arguments --- */

static void arguments(void **state)
{
	static const char *const good_refs[] = { "main", "feature/x", "refs/heads/main", "v1.0", "a@b", "a-b", "HEAD" };
	static const char *const bad_refs[] = { "", "-x", "--upload-pack=touch /tmp/x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b",
						"@", "@{u}", "a@{1}", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a.lock", "a.lock/b",
						"a\nb" };
	static const char *const good_urls[] = { "/srv/repo", "file:///srv/repo", "https://h.example/x.git", "ssh://git@h.example/x",
						 "git://h.example/x", "http://h.example:81/x" };
	static const char *const bad_urls[] = { "", "-x", "repo", "../repo", "ext::sh -c touch% /tmp/x", "fd::17", "h.example:x",
						"ssh://-oProxyCommand=x/y", "ssh://u@-oProxyCommand=x/y", "https://h/\nx", "ftp://h/x",
						"EXT://x", "--upload-pack=x" };

	(void)state;
	for (size_t i = 0; i < sizeof good_refs / sizeof *good_refs; i++)
		if (git_check_ref(slice_of(good_refs[i]), NULL))
			fail_msg("refused '%s'", good_refs[i]);
	for (size_t i = 0; i < sizeof bad_refs / sizeof *bad_refs; i++)
		if (!git_check_ref(slice_of(bad_refs[i]), NULL))
			fail_msg("accepted '%s'", bad_refs[i]);
	for (size_t i = 0; i < sizeof good_urls / sizeof *good_urls; i++)
		if (git_check_url(good_urls[i], NULL))
			fail_msg("refused '%s'", good_urls[i]);
	for (size_t i = 0; i < sizeof bad_urls / sizeof *bad_urls; i++)
		if (!git_check_url(bad_urls[i], NULL))
			fail_msg("accepted '%s'", bad_urls[i]);
	assert_int_equal(git_check_rev(SLICE("0123456789abcdef0123456789abcdef01234567"), NULL), 0);
	assert_int_equal(git_check_rev(SLICE("0123456789abcdef0123456789abcdef0123456"), NULL), ERR_INVALID);
	assert_int_equal(git_check_rev(SLICE("0123456789ABCDEF0123456789abcdef01234567"), NULL), ERR_INVALID);
	assert_int_equal(git_check_rev(SLICE("HEAD"), NULL), ERR_INVALID);
}

/* --- references and revisions --- */

static void head_is(const char *name, char rev[GIT_REV_MAX + 1])
{
	char path[160], line[128] = "";
	struct buf b = BUF_INIT;

	buf_addf(&b, "git rev-parse '%s^{commit}' >../rev", name);
	sh(b.p);
	buf_release(&b);
	snprintf(path, sizeof path, "%s/rev", top);
	FILE *f = fopen(path, "r");

	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	line[strcspn(line, "\n")] = 0;
	assert_true(strlen(line) <= GIT_REV_MAX);
	strcpy(rev, line);
}

static void resolving(void **state)
{
	static const struct {
		const char *ref, *same_as, *full;
	} t[] = {
		{ NULL, "main", "refs/heads/main" },
		{ "main", "main", "refs/heads/main" },
		{ "refs/heads/side", "side", "refs/heads/side" },
		{ "heads/side", "side", "refs/heads/side" },
		{ "heavy", "heavy", "refs/tags/heavy" },
		{ "light", "refs/heads/light", "refs/heads/light" },
	};
	char rev[GIT_REV_MAX + 1], want[GIT_REV_MAX + 1], *full;
	struct err e = ERR_INIT;

	(void)state;
	NEED_GIT();
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		full = NULL;
		if (git_resolve(file_url, t[i].ref, rev, &full, &e))
			fail_msg("%s", e.msg);
		head_is(t[i].same_as, want);
		assert_string_equal(rev, want);
		assert_string_equal(full, t[i].full);
		free(full);
	}
	assert_int_equal(git_resolve(repo, "nothing", rev, NULL, &e), ERR_NOTFOUND);
	assert_non_null(strstr(e.msg, "no reference 'nothing'"));
	err_release(&e);
	assert_int_equal(git_resolve("file:///nowhere", NULL, rev, NULL, &e), ERR_IO);
	err_release(&e);
	assert_int_equal(git_resolve(repo, "--upload-pack=touch /tmp/gx-evil", rev, NULL, NULL), ERR_INVALID);
}

static void facts(void **state)
{
	char rev[GIT_REV_MAX + 1];
	struct err e = ERR_INIT;
	int64_t when;
	uint64_t n;

	(void)state;
	NEED_GIT();
	head_is("main", rev);
	assert_int_equal(git_has(repo, rev, NULL), 1);
	assert_int_equal(git_has(repo, "0000000000000000000000000000000000000001", NULL), 0);
	assert_int_equal(git_last_modified(repo, rev, &when, &e), 0);
	assert_int_equal(when, 981173106);
	assert_int_equal(git_rev_count(repo, rev, 0, &n, &e), 0);
	assert_int_equal(n, 3);
}

static char *text_of(const char *name)
{
	static char text[256];
	char path[256];

	snprintf(path, sizeof path, "%s/%s", out_dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = 0;
	return n < 0 ? NULL : text;
}

static int export_to(const char *dir, const char *rev, struct err *e)
{
	tree_remove(AT_FDCWD, out_dir, NULL, NULL, NULL);
	mkdir(out_dir, 0755);
	int fd = open(out_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = git_export(dir, rev, fd, 0, NULL, NULL, e);

	close(fd);
	return rc;
}

static void fetching(void **state)
{
	char rev[GIT_REV_MAX + 1], old[GIT_REV_MAX + 1], mirror[96];
	struct hash a, b;
	struct err e = ERR_INIT;
	uint64_t n;

	(void)state;
	NEED_GIT();
	head_is("main", rev);
	head_is("side", old);
	snprintf(mirror, sizeof mirror, "%s/mirror", top);
	if (git_fetch(mirror, file_url, "refs/heads/main", rev, 0, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(git_has(mirror, rev, NULL), 1);
	assert_int_equal(git_rev_count(mirror, rev, 0, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_int_equal(git_fetch(mirror, file_url, "refs/heads/side", rev, 0, NULL), 0);
	assert_int_equal(git_fetch(mirror, file_url, "refs/heads/side", "0000000000000000000000000000000000000001", 0, &e),
			 ERR_NOTFOUND);
	err_release(&e);
	assert_int_equal(export_to(mirror, rev, NULL), 0);
	assert_int_equal(nar_hash(HASH_SHA256, AT_FDCWD, out_dir, NULL, NULL, &a, NULL, NULL), 0);
	assert_int_equal(export_to(repo, rev, NULL), 0);
	assert_int_equal(nar_hash(HASH_SHA256, AT_FDCWD, out_dir, NULL, NULL, &b, NULL, NULL), 0);
	assert_true(hash_eq(&a, &b));

	snprintf(mirror, sizeof mirror, "%s/shallow", top);
	if (git_fetch(mirror, file_url, "main", rev, 1, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(git_has(mirror, old, NULL), 0);
	assert_int_equal(git_rev_count(mirror, rev, 0, &n, &e), ERR_INVALID);
	assert_non_null(strstr(e.msg, "shallow"));
	err_release(&e);
}

static void exporting(void **state)
{
	char rev[GIT_REV_MAX + 1], path[128];
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	NEED_GIT();
	head_is("side", rev);
	if (export_to(repo, rev, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(text_of("a/b/file"), "one\n");
	/* No attribute counts. */
	assert_string_equal(text_of("attr"), "x $Format:%H$ x\n"); /* as it was committed */
	assert_string_equal(text_of("hidden"), "hidden\n");
	assert_string_equal(text_of("sp ace"), "a name\nwith all");
	assert_null(text_of(".gitignore"));
	snprintf(path, sizeof path, "%s/run", out_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	snprintf(path, sizeof path, "%s/link", out_dir);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(export_to(repo, "0000000000000000000000000000000000000001", &e), ERR_IO);
	err_release(&e);
	assert_int_equal(export_to(repo, "main", &e), ERR_INVALID);
	err_release(&e);
}

/* A tree that git itself would not make: written object by object. */
static void hostile_trees(void **state)
{
	static const char *const names[] = { ".git", "..", ".GIT" };
	char rev[GIT_REV_MAX + 1];
	struct err e = ERR_INIT;

	(void)state;
	NEED_GIT();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct buf b = BUF_INIT;

		buf_addf(&b,
			 "blob=$(git hash-object -w run); t=$({ printf '100644 evil\\0'; printf $(echo $blob | sed 's/../\\\\x&/g'); } | "
			 "git hash-object -t tree --literally -w --stdin); "
			 "t=$({ printf '40000 %s\\0'; printf $(echo $t | sed 's/../\\\\x&/g'); } | git hash-object -t tree --literally -w --stdin); "
			 "git update-ref refs/heads/evil $(git commit-tree -m evil $t)",
			 names[i]);
		/* printf '\xNN' is not in every sh. */
		FILE *f = fopen("/bin/bash", "r");

		if (!f) {
			buf_release(&b);
			skip();
		}
		fclose(f);
		struct buf script = BUF_INIT;

		buf_addf(&script, "cat >../evil.bash <<'EOF'\n%s\nEOF\nbash ../evil.bash", b.p);
		sh(script.p);
		buf_release(&script);
		buf_release(&b);
		head_is("evil", rev);
		assert_int_equal(export_to(repo, rev, &e), ERR_INVALID);
		assert_non_null(strstr(e.msg, "the tree holds the path"));
		err_release(&e);
		sh("git branch -D evil; rm -f ../evil.bash");
	}
}

/* --- work trees --- */

static int listed(const struct buf *names, const char *name)
{
	for (size_t at = 0; at < names->len; at += strlen(names->p + at) + 1)
		if (!strcmp(names->p + at, name))
			return 1;
	return 0;
}

static void work_trees(void **state)
{
	char below[128], rev[GIT_REV_MAX + 1];
	struct git_worktree w;
	struct err e = ERR_INIT;

	(void)state;
	NEED_GIT();
	head_is("main", rev);
	snprintf(below, sizeof below, "%s/a/b", repo);
	if (git_worktree_read(below, &w, &e))
		fail_msg("%s", e.msg);
	assert_string_equal(w.top, repo);
	assert_string_equal(w.rev, rev);
	assert_string_equal(w.ref, "refs/heads/main");
	assert_int_equal(w.dirty, 0);
	assert_int_equal(w.untracked.len, 0);
	assert_true(listed(&w.tracked, "a/b/file"));
	assert_true(listed(&w.tracked, "sp ace"));
	assert_true(git_worktree_has(&w, SLICE("a")));
	assert_true(git_worktree_has(&w, SLICE("")));
	assert_false(git_worktree_has(&w, SLICE("a/b/fil")));
	git_worktree_release(&w);

	sh("echo x >new; mkdir d; echo y >d/e; echo z >x.o; echo more >>run; git add -N d/e; rm hidden");
	assert_int_equal(git_worktree_read(repo, &w, &e), 0);
	assert_int_equal(w.dirty, 1);
	assert_true(listed(&w.untracked, "new"));
	assert_false(listed(&w.untracked, "x.o"));
	assert_true(listed(&w.tracked, "d/e"));
	assert_true(listed(&w.tracked, "hidden"));
	git_worktree_release(&w);
	sh("git reset -q --hard; rm -rf new d x.o; git checkout -q --detach");
	assert_int_equal(git_worktree_read(repo, &w, &e), 0);
	assert_null(w.ref);
	assert_int_equal(w.dirty, 0);
	git_worktree_release(&w);
	sh("git checkout -q main");
	assert_int_equal(git_worktree_read(top, &w, &e), ERR_NOTFOUND);
	assert_non_null(strstr(e.msg, "is in no Git work tree"));
	err_release(&e);
}

static void before_the_first_commit(void **state)
{
	struct git_worktree w;
	char dir[96];

	(void)state;
	NEED_GIT();
	snprintf(dir, sizeof dir, "%s/young", top);
	sh("git init -q -b trunk ../young && touch ../young/f && git -C ../young add f");
	assert_int_equal(git_worktree_read(dir, &w, NULL), 0);
	assert_string_equal(w.rev, "");
	assert_int_equal(w.dirty, 1);
	assert_true(listed(&w.tracked, "f"));
	git_worktree_release(&w);
}

/* Hooks and monitors of a repository, and settings of the user, are not obeyed. */
static void nothing_is_run(void **state)
{
	char rev[GIT_REV_MAX + 1], path[128];
	struct git_worktree w;
	char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;

	(void)state;
	NEED_GIT();
	sh("for h in post-checkout reference-transaction post-index-change pre-auto-gc; do"
	   " printf '#!/bin/sh\\ntouch ../ran\\n' >.git/hooks/$h; chmod +x .git/hooks/$h; done;"
	   "printf '#!/bin/sh\\ntouch ../ran\\n' >../monitor; chmod +x ../monitor;"
	   "git config core.fsmonitor \"$PWD/../monitor\"; git config core.pager \"$PWD/../monitor\";"
	   "git config diff.external \"$PWD/../monitor\"; git config core.sshCommand \"$PWD/../monitor\";"
	   "git config uploadpack.packObjectsHook \"$PWD/../monitor\";"
	   "git config --global core.fsmonitor \"$PWD/../monitor\"; rm -f ../ran");
	snprintf(path, sizeof path, "%s/home", top);
	setenv("HOME", path, 1);
	head_is("main", rev);
	snprintf(path, sizeof path, "%s/ran", top);
	unlink(path);
	assert_int_equal(git_worktree_read(repo, &w, NULL), 0);
	git_worktree_release(&w);
	assert_int_equal(export_to(repo, rev, NULL), 0);
	assert_int_equal(git_resolve(file_url, NULL, rev, NULL, NULL), 0);
	snprintf(path, sizeof path, "%s/mirror2", top);
	assert_int_equal(git_fetch(path, file_url, "main", rev, 0, NULL), 0);
	snprintf(path, sizeof path, "%s/ran", top);
	assert_int_not_equal(access(path, F_OK), 0);
	if (home)
		setenv("HOME", home, 1);
	free(home);
}

/* --- programs --- */

static void programs(void **state)
{
	struct words argv = { 0 }, env = { 0 };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int status = 0;

	(void)state;
	words_add(&env, "X=y");
	words_add(&argv, "sh");
	words_add(&argv, "-c");
	words_add(&argv, "echo \"$X\" \"$1\"; echo said >&2; exit 3");
	words_add(&argv, "sh");
	words_add(&argv, "$(a) ; b");
	assert_int_equal(program_run(&argv, &env, &out, NULL, &e), ERR_IO);
	assert_string_equal(e.msg, "'sh' failed: said");
	assert_string_equal(out.p, "y $(a) ; b\n");
	err_release(&e);
	assert_int_equal(program_run(&argv, &env, NULL, &status, &e), 0);
	assert_int_equal(status, 3);
	words_release(&argv);
	words_add(&argv, "gx-no-such-program");
	assert_int_equal(program_run(&argv, &env, NULL, NULL, &e), ERR_NOTFOUND);
	err_release(&e);
	words_release(&argv);
	words_release(&env);
	buf_release(&out);
}

/* --- cache --- */

static void caching(void **state)
{
	char dir[96], path[256];
	struct cache *c;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	snprintf(dir, sizeof dir, "%s/deep/er/cache", top);
	assert_int_equal(cache_open(&c, dir, &e), 0);
	assert_int_equal(cache_get(c, SLICE("k"), 0, &b, NULL), 0);
	assert_int_equal(cache_put(c, SLICE("k"), SLICE("value\0with NUL"), NULL), 0);
	assert_int_equal(cache_put(c, SLICE("../../x"), SLICE(""), NULL), 0);
	assert_int_equal(cache_get(c, SLICE("k"), 60, &b, NULL), 1);
	assert_int_equal(b.len, 14);
	buf_trim(&b, 0);
	assert_int_equal(cache_get(c, SLICE("../../x"), 0, &b, NULL), 1);
	assert_int_equal(cache_put(c, SLICE("k"), SLICE("new"), NULL), 0);
	assert_int_equal(cache_get(c, SLICE("k"), 0, &b, NULL), 1);
	assert_string_equal(b.p, "new");
	buf_trim(&b, 0);

	/* Damage, truncation, a link: missing. */
	uint8_t h[HASH_SHA256_LEN];
	int n = snprintf(path, sizeof path, "%s/files/", dir);

	hash_sha256("k", 1, h);
	for (int i = 0; i < HASH_SHA256_LEN; i++)
		n += snprintf(path + n, sizeof path - (size_t)n, "%02x", h[i]);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 1), 0);
	assert_int_equal(cache_get(c, SLICE("k"), 0, &b, NULL), 0);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(cache_get(c, SLICE("k"), 0, &b, NULL), 0);
	assert_int_equal(cache_put(c, SLICE("k"), SLICE("again"), NULL), 0);
	assert_int_equal(cache_get(c, SLICE("k"), 0, &b, NULL), 1);
	struct timespec old[2] = { { 1, 0 }, { 1, 0 } };

	utimensat(AT_FDCWD, path, old, 0);
	assert_int_equal(cache_get(c, SLICE("k"), 60, &b, NULL), 0);
	int fd = cache_lock(c, SLICE("u"), NULL, NULL);

	assert_true(fd >= 0);
	close(fd);
	cache_free(c);
	buf_release(&b);
}

/* --- waiting --- */

static int holder; /* of the lock; closed once it was said that somebody waits for it */
static struct buf told;

static void wait_begins(unsigned id, enum activity_kind kind, const char *what)
{
	assert_int_equal(kind, ACTIVITY_WAIT);
	buf_addf(&told, "%u begins: %s\n", id, what);
	close(holder);
}

static void wait_ends(unsigned id, int rc)
{
	buf_addf(&told, "%u ends: %d\n", id, rc);
}

static void waiting_is_told(void **state)
{
	static const struct activity_watcher watcher = { wait_begins, NULL, wait_ends };
	struct err e = ERR_INIT;
	struct cache *c;
	char dir[96];

	(void)state;
	snprintf(dir, sizeof dir, "%s/cache-waiting", top);
	assert_int_equal(cache_open(&c, dir, &e), 0);
	activity_watch(&watcher);
	int waited = 1;
	holder = cache_lock(c, SLICE("http://u"), &waited, &e);
	assert_true(holder >= 0);
	assert_int_equal(waited, 0);
	assert_null(told.p);
	int fd = cache_lock(c, SLICE("http://u"), &waited, &e);
	assert_true(fd >= 0);
	assert_int_equal(waited, 1);
	assert_string_equal(told.p, "1 begins: another process with 'http://u'\n1 ends: 0\n");
	activity_watch(NULL);
	close(fd);
	cache_free(c);
	buf_release(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),  cmocka_unit_test(resolving),     cmocka_unit_test(facts),
		cmocka_unit_test(fetching),   cmocka_unit_test(exporting),     cmocka_unit_test(hostile_trees),
		cmocka_unit_test(work_trees), cmocka_unit_test(before_the_first_commit),
		cmocka_unit_test(programs),   cmocka_unit_test(caching),       cmocka_unit_test(nothing_is_run),
		cmocka_unit_test(waiting_is_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

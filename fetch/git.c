/* SPDX-License-Identifier: MIT
 *
 * Calling git.  What a repository's own configuration can make git run: hooks, a file system monitor, external diffs,
 * pagers, filters, upload-pack of a local remote, ssh commands.  The first are switched off on the command line, which
 * comes after the repository's file; the commands used print no diffs and use no pager; contents are read with
 * cat-file, which applies no filters.  A fetch goes to an address, never to a configured remote.
 * Filters run where git looks at files of a work tree: git_worktree.c switches them off.
 */
#include "config.h"
#include "fetch/git.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "fetch/git_int.h"
#include "fetch/transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* --- arguments --- */

int git_check_rev(struct slice rev, struct err *e)
{
	size_t n = 0;

	while (n < rev.n && ((rev.p[n] >= '0' && rev.p[n] <= '9') || (rev.p[n] >= 'a' && rev.p[n] <= 'f')))
		n++;
	if (n == rev.n && (n == 40 || n == 64))
		return 0;
	return err_set(e, ERR_INVALID, "'%.*s' is not a revision: 40 or 64 hexadecimal digits are", (int)rev.n, rev.p);
}

static int ref_ok(struct slice r)
{
	if (!r.n || r.n > 1024 || *r.p == '-' || *r.p == '/' || r.p[r.n - 1] == '/' || r.p[r.n - 1] == '.' ||
	    slice_eq(r, SLICE("@")))
		return 0;
	for (size_t i = 0; i < r.n; i++) {
		unsigned char c = (unsigned char)r.p[i], before = i ? (unsigned char)r.p[i - 1] : '/';

		if (c <= 0x20 || c == 0x7f || strchr("~^:?*[\\", c) || (c == '.' && (before == '.' || before == '/')) ||
		    (c == '/' && before == '/') || (c == '{' && before == '@') || (c == '-' && before == '/' && !i))
			return 0;
		if (c == '/' && i >= 5 && !memcmp(r.p + i - 5, ".lock", 5))
			return 0;
	}
	return !slice_ends(r, SLICE(".lock"));
}

int git_check_ref(struct slice ref, struct err *e)
{
	return ref_ok(ref) ? 0
			   : err_set(e, ERR_INVALID, "'%.*s' is not a name a Git reference can have", (int)ref.n, ref.p);
}

static const char *const protocols[] = { "file", "http", "https", "ssh", "git" };

/* The transport of an address, NULL for none we know. */
static const char *protocol_of(const char *url)
{
	if (*url == '/')
		return "file";
	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		size_t n = strlen(protocols[i]);

		if (!strncmp(url, protocols[i], n) && !strncmp(url + n, "://", 3))
			return protocols[i];
	}
	return NULL;
}

int git_check_url(const char *url, struct err *e)
{
	const char *host = strstr(url, "://"), *end, *at;

	for (const char *p = url; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(e, ERR_INVALID, "a Git address holds a control character");
	if (!protocol_of(url))
		return err_set(e, ERR_INVALID, "'%s' is not a Git address: file, http, https, ssh and git are known", url);
	if (*url == '/')
		return 0;
	/* A host or user that begins with a dash is an option to ssh. */
	host += 3;
	end = host + strcspn(host, "/?#");
	at = memrchr(host, '@', (size_t)(end - host));
	if (*host == '-' || (at && at[1] == '-'))
		return err_set(e, ERR_INVALID, "a Git address has a host that begins with a dash");
	return 0;
}

/* --- calls --- */

static void add_env(struct words *env)
{
	static const char *const kept[] = { "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK",
					    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
					    "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO" };
	const char *ca = getenv("NIX_SSL_CERT_FILE");

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (getenv(kept[i]))
			words_addf(env, "%s=%s", kept[i], getenv(kept[i]));
	if (ca && *ca && !getenv("GIT_SSL_CAINFO"))
		words_addf(env, "GIT_SSL_CAINFO=%s", ca);
	words_add(env, "LC_ALL=C");
	words_add(env, "GIT_CONFIG_NOSYSTEM=1");
	words_add(env, "GIT_CONFIG_SYSTEM=/dev/null");
	words_add(env, "GIT_CONFIG_GLOBAL=/dev/null");
	words_add(env, "GIT_ATTR_NOSYSTEM=1");
	words_add(env, "GIT_TERMINAL_PROMPT=0");
	words_add(env, "GIT_ASKPASS=false");
	words_add(env, "SSH_ASKPASS=false");
	words_add(env, "GIT_SSH_COMMAND=ssh -o BatchMode=yes");
	words_add(env, "GIT_OPTIONAL_LOCKS=0");
	words_add(env, "GIT_NO_REPLACE_OBJECTS=1");
	words_add(env, "GIT_LITERAL_PATHSPECS=1");
	words_add(env, "GIT_PAGER=cat");
}

void git_call_init(struct git_call *c, const char *dir, const char *allowed)
{
	static const char *const harmless[] = { "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.untrackedCache=false",
						"core.attributesFile=/dev/null", "core.quotePath=false", "protocol.ext.allow=never",
						"credential.helper=", "gc.auto=0", "maintenance.auto=false",
						"fetch.fsckObjects=true", "submodule.recurse=false", "core.askPass=false" };

	*c = (struct git_call){ 0 };
	add_env(&c->env);
	words_addf(&c->env, "GIT_ALLOW_PROTOCOL=%s", allowed);
	words_add(&c->argv, "git");
	if (dir) {
		words_add(&c->argv, "-C");
		words_add(&c->argv, dir);
	}
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
		words_add(&c->argv, "-c");
		words_add(&c->argv, harmless[i]);
	}
}

void git_call_release(struct git_call *c)
{
	words_release(&c->argv);
	words_release(&c->env);
}

/* The exceptions the user made, as his own git would tell them; reading a configuration runs nothing. */
static int add_safe_directories(struct git_call *c)
{
	struct words argv = { 0 }, env = { 0 };
	struct buf out = BUF_INIT;
	int status = 0, any = 0;

	words_add(&argv, "git");
	words_add(&argv, "config");
	words_add(&argv, "--global");
	words_add(&argv, "-z");
	words_add(&argv, "--get-all");
	words_add(&argv, "safe.directory");
	words_addf(&env, "PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	if (getenv("HOME"))
		words_addf(&env, "HOME=%s", getenv("HOME"));
	if (getenv("XDG_CONFIG_HOME"))
		words_addf(&env, "XDG_CONFIG_HOME=%s", getenv("XDG_CONFIG_HOME"));
	if (!program_run(&argv, &env, &out, &status, NULL) && !status)
		for (const char *p = out.p; p && p < out.p + out.len; p += strlen(p) + 1, any = 1)
			words_addf(&c->env, "GX_SAFE=%s", p);
	buf_release(&out);
	words_release(&argv);
	words_release(&env);
	return any;
}

/* Moves what add_safe_directories found into the arguments, before the command: after "git". */
static void use_safe_directories(struct git_call *c)
{
	struct words w = { 0 };

	words_add(&w, c->argv.v[0]);
	for (size_t i = 0; i < c->env.n; i++)
		if (!strncmp(c->env.v[i], "GX_SAFE=", 8)) {
			words_add(&w, "-c");
			words_addf(&w, "safe.directory=%s", c->env.v[i] + 8);
		}
	for (size_t i = 1; i < c->argv.n; i++)
		words_add(&w, c->argv.v[i]);
	words_release(&c->argv);
	c->argv = w;
}

int git_call_run(struct git_call *c, struct buf *out, int *status, struct err *e)
{
	struct err first = ERR_INIT;
	size_t len = out ? out->len : 0;
	int rc = program_run(&c->argv, &c->env, out, status, &first);

	if (rc && first.msg && strstr(first.msg, "dubious ownership") && add_safe_directories(c)) {
		err_release(&first);
		if (out)
			buf_trim(out, len);
		use_safe_directories(c);
		rc = program_run(&c->argv, &c->env, out, status, &first);
	}
	if (rc)
		err_set(e, rc, "%s", first.msg);
	err_release(&first);
	git_call_release(c);
	return rc;
}

/* --- elsewhere --- */

/* Looks for one name in the lines of ls-remote: "<rev>\t<name>"; "ref: <name>\tHEAD" says what HEAD is. */
static int find_line(struct slice out, const char *name, char rev[GIT_REV_MAX + 1], char **full)
{
	char *head = NULL;
	int found = 0;

	while (out.n && !found) {
		struct slice line = slice_cut(&out, '\n');
		const char *tab = memchr(line.p, '\t', line.n);

		if (!tab || !slice_eq((struct slice){ tab + 1, (size_t)(line.p + line.n - tab - 1) }, slice_of(name)))
			continue;
		struct slice value = { line.p, (size_t)(tab - line.p) };

		if (slice_starts(value, SLICE("ref: "))) {
			free(head);
			head = xstrndup(value.p + 5, value.n - 5);
		} else if (!git_check_rev(value, NULL)) {
			memcpy(rev, value.p, value.n);
			rev[value.n] = 0;
			found = 1;
		}
	}
	if (found && full) {
		*full = head ? head : xstrdup(name);
		head = NULL;
	}
	free(head);
	return found;
}

/* "cannot DO 'what' in 'address': …", without a password the address may hold. */
static void prefix_url(struct err *e, const char *doing, const char *url)
{
	struct buf b = BUF_INIT;

	transfer_show_url(&b, url);
	err_prefix(e, "cannot %s '%s'", doing, buf_str(&b));
	buf_release(&b);
}

int git_resolve(const char *url, const char *ref, char rev[GIT_REV_MAX + 1], char **full, struct err *e)
{
	static const char *const forms[] = { "%s^{}", "%s", "refs/%s^{}", "refs/%s", "refs/heads/%s", "refs/tags/%s^{}",
					     "refs/tags/%s" };
	struct buf out = BUF_INIT, name = BUF_INIT;
	struct git_call c;
	int rc, found = 0;

	if ((rc = git_check_url(url, e)) || (ref && (rc = git_check_ref(slice_of(ref), e))))
		return rc;
	git_call_init(&c, NULL, protocol_of(url));
	/* One may stand in a repository whose configuration says how to reach this address. */
	words_add(&c.env, "GIT_DIR=/dev/null");
	words_add(&c.argv, "ls-remote");
	words_add(&c.argv, "--symref");
	words_add(&c.argv, "--end-of-options");
	words_add(&c.argv, url);
	if (!ref)
		words_add(&c.argv, "HEAD");
	rc = git_call_run(&c, &out, NULL, e);
	/* In the order in which git itself would take an ambiguous name; a tag that is an object stands for its commit. */
	for (size_t i = 0; !rc && !found && i < sizeof forms / sizeof *forms; i++) {
		const char *percent = strchr(forms[i], '%');

		buf_trim(&name, 0);
		buf_add(&name, forms[i], (size_t)(percent - forms[i]));
		buf_adds(&name, ref ? ref : "HEAD");
		buf_adds(&name, percent + 2);
		found = find_line((struct slice){ buf_str(&out), out.len }, name.p, rev, full);
	}
	if (!rc && !found)
		rc = err_set(e, ERR_NOTFOUND, "the repository has no reference '%s'", ref ? ref : "HEAD");
	if (found && full && slice_ends(slice_of(*full), SLICE("^{}")))
		(*full)[strlen(*full) - 3] = 0;
	if (rc)
		prefix_url(e, "look up a reference in", url);
	buf_release(&out);
	buf_release(&name);
	return rc;
}

static int make_bare(const char *dir, struct err *e)
{
	struct buf head = BUF_INIT;
	struct git_call c;
	struct stat st;
	int there;

	buf_addf(&head, "%s/HEAD", dir);
	there = !stat(head.p, &st);
	buf_release(&head);
	if (there)
		return 0;
	git_call_init(&c, NULL, "");
	words_add(&c.argv, "init");
	words_add(&c.argv, "--quiet");
	words_add(&c.argv, "--bare");
	words_add(&c.argv, "--template=");
	words_add(&c.argv, "--end-of-options");
	words_add(&c.argv, dir);
	return git_call_run(&c, NULL, NULL, e);
}

/* A fetch of one thing into the repository at dir: "what:where". */
static int fetch_refspec(const char *dir, const char *url, const char *refspec, int depth, struct err *e)
{
	struct git_call c;

	git_call_init(&c, dir, protocol_of(url));
	words_add(&c.argv, "fetch");
	words_add(&c.argv, "--quiet");
	words_add(&c.argv, "--no-tags");
	words_add(&c.argv, "--no-write-fetch-head");
	words_add(&c.argv, "--no-recurse-submodules");
	words_add(&c.argv, "--force");
	if (depth)
		words_addf(&c.argv, "--depth=%d", depth);
	words_add(&c.argv, "--end-of-options");
	words_add(&c.argv, url);
	words_add(&c.argv, refspec);
	return git_call_run(&c, NULL, NULL, e);
}

/* A commit by its name alone, which not every server gives; then all it has, which may hold it. */
static int fetch_commit(const char *dir, const char *url, const char *rev, int depth, struct err *e)
{
	struct buf refspec = BUF_INIT;
	struct err first = ERR_INIT;

	buf_addf(&refspec, "%s:refs/gx/%s", rev, rev);
	int rc = fetch_refspec(dir, url, refspec.p, depth, &first);
	buf_release(&refspec);
	if (rc && rc != ERR_INTERRUPT && !fetch_refspec(dir, url, "refs/*:refs/gx/all/*", 0, NULL))
		rc = 0;
	else if (rc)
		err_set(e, rc, "%s", first.msg ? first.msg : "git fails");
	err_release(&first);
	return rc;
}

int git_fetch(const char *dir, const char *url, const char *ref, const char *rev, int depth, struct err *e)
{
	struct buf refspec = BUF_INIT, shown = BUF_INIT;
	int rc;

	if ((rc = git_check_url(url, e)) || (rc = git_check_rev(slice_of(rev), e)) ||
	    (ref && (rc = git_check_ref(slice_of(ref), e))) || (rc = make_bare(dir, e)))
		return rc;
	/* Kept under a name of its own, or the next collection of garbage would take it. */
	if (ref)
		buf_addf(&refspec, "%s:refs/gx/%s", ref, ref);
	transfer_show_url(&shown, url);
	unsigned activity = activity_begin(ACTIVITY_FETCH, buf_str(&shown));
	rc = ref ? fetch_refspec(dir, url, refspec.p, depth, e) : fetch_commit(dir, url, rev, depth, e);
	buf_release(&refspec);
	buf_release(&shown);
	activity_end(activity, rc);
	if (!rc && (rc = git_has(dir, rev, e)) >= 0)
		rc = rc ? 0 : err_set(e, ERR_NOTFOUND, "'%s' does not hold the revision %s", ref ? ref : "it", rev);
	if (rc)
		prefix_url(e, "fetch", url);
	return rc;
}

const char *git_temp_folder(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir == '/' ? dir : "/tmp";
}

/* --- asking --- */

int git_has(const char *dir, const char *rev, struct err *e)
{
	struct git_call c;
	int status = 0, rc = git_check_rev(slice_of(rev), e);

	if (rc)
		return rc;
	git_call_init(&c, dir, "");
	words_add(&c.argv, "cat-file");
	words_add(&c.argv, "-e");
	words_addf(&c.argv, "%s^{commit}", rev);
	rc = git_call_run(&c, NULL, &status, e);
	return rc ? rc : !status;
}

int git_is_whole(const char *dir)
{
	struct git_call c;
	int status = 1;

	git_call_init(&c, dir, "");
	words_add(&c.argv, "fsck");
	words_add(&c.argv, "--connectivity-only");
	words_add(&c.argv, "--no-dangling");
	words_add(&c.argv, "--no-progress");
	return !git_call_run(&c, NULL, &status, NULL) && !status;
}

/* One line of digits that a command prints. */
static int ask_number(struct git_call *c, long long *out, struct err *e)
{
	struct buf b = BUF_INIT;
	char *end;
	int rc = git_call_run(c, &b, NULL, e);

	if (!rc) {
		*out = strtoll(buf_str(&b), &end, 10);
		if (end == b.p || *end != '\n')
			rc = err_set(e, ERR_INVALID, "git does not answer with a number");
	}
	buf_release(&b);
	return rc;
}

int git_last_modified(const char *dir, const char *rev, int64_t *out, struct err *e)
{
	struct git_call c;
	long long n = 0;
	int rc = git_check_rev(slice_of(rev), e);

	if (rc)
		return rc;
	git_call_init(&c, dir, "");
	words_add(&c.argv, "log");
	words_add(&c.argv, "-1");
	words_add(&c.argv, "--format=%ct");
	words_add(&c.argv, "--no-show-signature");
	words_add(&c.argv, "--end-of-options");
	words_add(&c.argv, rev);
	rc = ask_number(&c, &n, e);
	*out = n;
	return rc;
}

static int check_whole(const char *dir, struct err *e)
{
	struct buf shallow = BUF_INIT;
	struct git_call c;
	int rc;

	git_call_init(&c, dir, "");
	words_add(&c.argv, "rev-parse");
	words_add(&c.argv, "--is-shallow-repository");
	rc = git_call_run(&c, &shallow, NULL, e);
	if (!rc && !strncmp(buf_str(&shallow), "true", 4))
		rc = err_set(e, ERR_INVALID, "'%s' is a shallow repository: its commits cannot be counted", dir);
	buf_release(&shallow);
	return rc;
}

int git_rev_count(const char *dir, const char *rev, int whole, uint64_t *out, struct err *e)
{
	struct git_call c;
	long long n = 0;
	int rc = git_check_rev(slice_of(rev), e);

	if (!rc && !whole)
		rc = check_whole(dir, e);
	if (rc)
		return rc;
	git_call_init(&c, dir, "");
	words_add(&c.argv, "rev-list");
	words_add(&c.argv, "--count");
	words_add(&c.argv, "--end-of-options");
	words_add(&c.argv, rev);
	rc = ask_number(&c, &n, e);
	*out = (uint64_t)n;
	return rc;
}

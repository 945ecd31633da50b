/* SPDX-License-Identifier: MIT
 *
 * Calling hg.  HGPLAIN makes it speak to programs, HGRCPATH keeps configurations of the machine and the user away, HGRCSKIPREPO
 * those of repositories, which older versions do not know: they are refused, for then a repository could run what it likes.
 */
#include "config.h"
#include "fetch/hg.h"
#include "base/activity.h"
#include "base/alloc.h"
#include "fetch/program.h"
#include "fetch/transfer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct hg_call {
	struct words argv, env;
};

static void call_init(struct hg_call *c, const char *command)
{
	static const char *const kept[] = { "PATH",	     "HOME",	   "USER",	  "LOGNAME",  "TMPDIR",
					    "SSH_AUTH_SOCK", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE" };
	static const char *const safe[] = { "HGPLAIN=1", "HGRCPATH=", "HGRCSKIPREPO=1", "LC_ALL=C", "HGENCODING=utf-8" };

	*c = (struct hg_call){ 0 };
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (getenv(kept[i]))
			words_addf(&c->env, "%s=%s", kept[i], getenv(kept[i]));
	for (size_t i = 0; i < sizeof safe / sizeof *safe; i++)
		words_add(&c->env, safe[i]);
	words_add(&c->argv, "hg");
	words_add(&c->argv, command);
	words_add(&c->argv, "--noninteractive");
	words_add(&c->argv, "--config=ui.ssh=ssh -o BatchMode=yes");
}

static void call_release(struct hg_call *c)
{
	words_release(&c->argv);
	words_release(&c->env);
}

/* Runs and releases it. */
static int call_run(struct hg_call *c, struct buf *out, int *status, struct err *e)
{
	struct err own = ERR_INIT;
	int rc = program_run(&c->argv, &c->env, out, status, &own);

	if (rc == ERR_NOTFOUND)
		err_set(e, rc, "Mercurial repositories need the program hg, which is not installed");
	else if (rc)
		err_set(e, rc, "%s", own.msg);
	err_release(&own);
	call_release(c);
	return rc;
}

/* Version 5.6 and later skip a repository's configuration when told to. */
static int check_version(struct err *e)
{
	static int known;
	struct buf out = BUF_INIT;
	struct hg_call c;
	unsigned major = 0, minor = 0;
	char *end;
	int rc;

	if (known)
		return 0;
	call_init(&c, "version");
	words_add(&c.argv, "--quiet");
	rc = call_run(&c, &out, NULL, e);
	const char *p = rc ? NULL : strstr(buf_str(&out), "version ");
	if (p) {
		major = (unsigned)strtoul(p + 8, &end, 10);
		minor = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
	}
	known = major > 5 || (major == 5 && minor >= 6);
	if (!rc && !known)
		rc = err_set(e, ERR_INVALID, "hg %u.%u cannot be kept from running what a repository configures: 5.6 can", major,
			     minor);
	buf_release(&out);
	return rc;
}

int hg_check_url(const char *url, struct err *e)
{
	static const char *const known[] = { "file://", "http://", "https://", "ssh://" };
	const char *host = strstr(url, "://");

	for (const char *p = url; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(e, ERR_INVALID, "a Mercurial address holds a control character");
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(url, known[i], strlen(known[i]))) {
			const char *end = host + 3 + strcspn(host + 3, "/?#"), *at = memrchr(host, '@', (size_t)(end - host));
			if (host[3] == '-' || (at && at[1] == '-'))
				return err_set(e, ERR_INVALID, "a Mercurial address has a host that begins with a dash");
			return 0;
		}
	return err_set(e, ERR_INVALID, "'%s' is not a Mercurial address: file, http, https and ssh are known", url);
}

static int check_rev(const char *rev, struct err *e)
{
	for (const char *p = rev; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@+-", *p) || *rev == '-')
			return err_set(e, ERR_INVALID, "'%s' is not a name a Mercurial revision can have", rev);
	return *rev ? 0 : err_set(e, ERR_INVALID, "a Mercurial revision has an empty name");
}

/* "<40 digits> <number> <branch>" */
static int take_commit(const char *text, struct hg_commit *out, struct err *e)
{
	size_t n = strspn(text, "0123456789abcdef");
	char *end;

	if (n != HG_REV_MAX || text[n] != ' ')
		return err_set(e, ERR_INVALID, "hg tells of a revision in a way that is not understood");
	memcpy(out->rev, text, n);
	out->rev[n] = 0;
	out->number = strtoull(text + n + 1, &end, 10);
	out->branch = xstrdup(*end ? end + 1 : end);
	return 0;
}

int hg_find(const char *dir, const char *rev, struct hg_commit *out, struct err *e)
{
	struct buf text = BUF_INIT;
	struct hg_call c;
	int status = 0, rc = check_rev(rev, e);

	*out = (struct hg_commit){ 0 };
	if (!rc)
		rc = check_version(e);
	if (rc)
		return rc;
	call_init(&c, "log");
	words_addf(&c.argv, "--repository=%s", dir);
	words_addf(&c.argv, "--rev=%s", rev);
	words_add(&c.argv, "--template={node} {rev} {branch}");
	rc = call_run(&c, &text, &status, e);
	if (!rc && !status)
		rc = take_commit(buf_str(&text), out, e);
	buf_release(&text);
	return rc ? rc : !status;
}

int hg_pull(const char *dir, const char *url, struct err *e)
{
	struct buf shown = BUF_INIT;
	struct hg_call c;
	int rc = hg_check_url(url, e);

	if (!rc)
		rc = check_version(e);
	if (!rc && access(dir, F_OK)) {
		call_init(&c, "init");
		words_add(&c.argv, "--");
		words_add(&c.argv, dir);
		rc = call_run(&c, NULL, NULL, e);
	}
	if (rc)
		return rc;
	transfer_show_url(&shown, url);
	unsigned activity = activity_begin(ACTIVITY_FETCH, buf_str(&shown));
	call_init(&c, "pull");
	words_addf(&c.argv, "--repository=%s", dir);
	words_add(&c.argv, "--");
	words_add(&c.argv, url);
	rc = call_run(&c, NULL, NULL, e);
	activity_end(activity, rc);
	if (rc)
		err_prefix(e, "cannot fetch '%s'", buf_str(&shown));
	buf_release(&shown);
	return rc;
}

int hg_export(const char *dir, const char *rev, const char *path, struct err *e)
{
	struct buf note = BUF_INIT;
	struct hg_call c;
	int rc = check_rev(rev, e);

	if (rc)
		return rc;
	call_init(&c, "archive");
	words_addf(&c.argv, "--repository=%s", dir);
	words_addf(&c.argv, "--rev=%s", rev);
	words_add(&c.argv, "--type=files");
	words_add(&c.argv, "--no-decode");
	words_add(&c.argv, "--");
	words_add(&c.argv, path);
	rc = call_run(&c, NULL, NULL, e);
	buf_addf(&note, "%s/.hg_archival.txt", path);
	if (!rc && unlink(note.p))
		rc = err_errno(e, "cannot remove hg's note");
	buf_release(&note);
	return rc;
}

/* What a command about the work tree says. */
static int ask(const char *dir, const char *command, const char *const *options, struct buf *out, struct err *e)
{
	struct hg_call c;

	call_init(&c, command);
	words_addf(&c.argv, "--repository=%s", dir);
	for (; *options; options++)
		words_add(&c.argv, *options);
	return call_run(&c, out, NULL, e);
}

int hg_worktree(const char *dir, struct buf *names, int *dirty, char **branch, struct err *e)
{
	static const char *const changed[] = { "--modified", "--added", "--removed", "--deleted", NULL }, *const none[] = { NULL },
			  *const files[] = { "--clean", "--modified", "--added", "--no-status", "--print0", NULL };
	struct buf differ = BUF_INIT, name = BUF_INIT, dot = BUF_INIT;
	int rc = check_version(e);

	*branch = NULL;
	buf_addf(&dot, "%s/.hg", dir);
	if (!rc && access(dot.p, F_OK))
		rc = err_set(e, ERR_NOTFOUND, "'%s' is no Mercurial repository", dir);
	buf_release(&dot);
	if (!rc)
		rc = ask(dir, "status", changed, &differ, e);
	if (!rc)
		rc = ask(dir, "status", files, names, e);
	if (!rc)
		rc = ask(dir, "branch", none, &name, e);
	if (!rc) {
		*dirty = differ.len > 0;
		*branch = xstrndup(buf_str(&name), strcspn(buf_str(&name), "\n"));
	}
	buf_release(&differ);
	buf_release(&name);
	return rc;
}

int hg_add(const char *dir, const char *name, struct err *e)
{
	struct hg_call c;
	int status; /* 1 for what is known already */

	call_init(&c, "add");
	words_addf(&c.argv, "--cwd=%s", dir);
	words_add(&c.argv, "--");
	words_addf(&c.argv, "path:%s", name);
	return call_run(&c, NULL, &status, e);
}

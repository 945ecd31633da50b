/* SPDX-License-Identifier: MIT
 *
 * gx doctor: what gx finds on this machine, and what it lacks.
 *
 * Each finding is a line of what was looked at and what was seen; where something is missing, a second line is the command that
 * mends it.  Nothing is written and nothing is fetched: what is not looked at is whether a server answers.
 */
#include "config.h"
#include "build/build.h"
#include "build/sandbox.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/programs.h"
#include "cli/repl/repl_lines.h"
#include "cli/verb.h"
#include "cli/view.h"
#include "fetch/archive.h"
#include "fetch/transfer.h"
#include "flake/source.h"
#include "golang/goproxy.h"
#include "remote/remote.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

struct doctor {
	struct command c; /* first: options get it */
	struct buf b;
	size_t missing;
};

enum { ROOM_MIN_GIB = 5 };

/* --- findings --- */

static void json_member(struct buf *b, const char *name, const char *text)
{
	if (!text)
		return;
	buf_addf(b, ",\"%s\":", name);
	output_json_string(b, text, strlen(text));
}

/* mend: what to do about it, NULL when all is well. */
static void finding(struct doctor *d, const char *what, const char *mend, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void finding(struct doctor *d, const char *what, const char *mend, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	d->missing += mend != NULL;
	if (d->c.json) {
		buf_addf(&d->b, "%s{\"ok\":%s", d->b.len > 1 ? "," : "", mend ? "false" : "true");
		json_member(&d->b, "what", what);
		json_member(&d->b, "found", buf_str(&text));
		json_member(&d->b, "mend", mend);
		buf_addc(&d->b, '}');
	} else {
		buf_addf(&d->b, "%-5s %-13s %s\n", mend ? "warn" : "ok", what, buf_str(&text));
		if (mend)
			buf_addf(&d->b, "%20s%s\n", "", mend);
	}
	buf_release(&text);
}

/* What would install a package here, to be released. */
static const char *install(struct buf *b, const char *package, const char *also)
{
	static const char *const managers[][2] = { { "/usr/bin/apt-get", "apt-get install" }, { "/usr/bin/dnf", "dnf install" },
						   { "/sbin/apk", "apk add" }, { "/usr/bin/pacman", "pacman -S" },
						   { "/usr/bin/zypper", "zypper install" } };
	const char *command = "install the package";

	for (size_t i = sizeof managers / sizeof *managers; i-- > 0;)
		if (!access(managers[i][0], X_OK))
			command = managers[i][1];
	buf_addf(b, "%s %s%s", command, package, also);
	return b->p;
}

/* --- this machine --- */

static void look_at_gx(struct doctor *d)
{
	const char *std = source_stdlib();

	finding(d, "gx", NULL, "%s", PACKAGE_VERSION);
	finding(d, "gx:std", std ? NULL : "make install, in the folder in which gx was built", "%s",
		std ? std : "the standard library is neither beside the program nor where it was installed");
}

static void look_at_kernel(struct doctor *d)
{
	struct utsname u;

	if (uname(&u))
		return;
	finding(d, "kernel", NULL, "%s %s on %s", u.sysname, u.release, u.machine);
}

static void look_at_namespaces(struct doctor *d)
{
	struct err e = ERR_INIT;

	if (!sandbox_probe(&e)) {
		finding(d, "sandbox", NULL, "builders can be confined (namespaces of users, mounts, processes and network)");
		return;
	}
	finding(d, "sandbox", "sysctl -e -w user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1 "
		"kernel.apparmor_restrict_unprivileged_userns=0", "%.*s", (int)strcspn(e.msg, "\n"), e.msg);
	err_release(&e);
}

/* A filter can be loaded where one that cannot be read is told so, and not that there are none. */
static void look_at_seccomp(struct doctor *d)
{
	int there = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 && errno == EFAULT;

	finding(d, "seccomp", there ? NULL : "a kernel with CONFIG_SECCOMP_FILTER", "%s",
		there ? "system calls of builders are filtered" : "this kernel has no filters of system calls");
}

static void look_at_shell(struct doctor *d)
{
	const char *shell = build_shell();
	int there = access(shell, X_OK) == 0;
	struct buf mend = BUF_INIT;

	install(&mend, "busybox-static", "; or --sandbox-shell PATH of a static shell");
	finding(d, "builders' sh", there ? NULL : mend.p, there ? "%s" : "there is no %s", shell);
	buf_release(&mend);
}

/* --- the store --- */

static void look_at_nix(struct doctor *d)
{
	struct stat st;

	if (lstat("/nix", &st))
		finding(d, "/nix", NULL, "is not there");
	else if (st.st_uid == geteuid())
		finding(d, "/nix", NULL, "belongs to this user");
	else
		finding(d, "/nix", NULL, "belongs to user %u: not used", (unsigned)st.st_uid);
}

/* Whether the store of others does what this user says. */
static void look_at_trust(struct doctor *d)
{
	const char *where = d->c.place.address;
	struct store *s = NULL;
	struct err e = ERR_INIT;
	int trust;

	if (d->c.place.mode != PLACE_VIEW)
		return;
	if (view_open(&s, &d->c.place, STORE_READONLY, &e)) {
		finding(d, "trust", "start what serves it there", "%s", e.msg);
		err_release(&e);
		return;
	}
	trust = view_remote(s) ? remote_trust(view_remote(s)) : -1;
	if (trust < 0)
		finding(d, "trust", NULL, "'%s' doesn't have a notion of trusted user", where);
	else
		finding(d, "trust", NULL, "You are %strusted by '%s'", trust ? "" : "not ", where);
	store_free(s);
}

static void look_at_store(struct doctor *d)
{
	char *mode = place_describe(&d->c.place);

	finding(d, "store", NULL, "%s", mode);
	free(mode);
}

/* The first folder above that is there: the store may not be made yet. */
static const char *existing(struct buf *path)
{
	struct stat st;

	while (path->len > 1 && stat(buf_str(path), &st)) {
		char *slash = strrchr(path->p, '/');
		buf_trim(path, slash && slash > path->p ? (size_t)(slash - path->p) : 1);
	}
	return buf_str(path);
}

static void look_at_room(struct doctor *d)
{
	struct buf path = BUF_INIT, free_now = BUF_INIT;
	struct statvfs v;
	uint64_t bytes;

	buf_adds(&path, d->c.place.real_store);
	if (!statvfs(existing(&path), &v)) {
		bytes = (uint64_t)v.f_bavail * v.f_frsize;
		buf_add_size(&free_now, bytes);
		finding(d, "free disk", bytes >> 30 >= ROOM_MIN_GIB ? NULL : "gx store gc, or --store ROOT on another disk",
			"%s at %s", free_now.p, path.p);
		finding(d, "writable", access(path.p, W_OK) ? "--store ROOT with a folder of one's own" : NULL,
			access(path.p, W_OK) ? "%s cannot be written to" : "%s can be written to", path.p);
	}
	buf_release(&path);
	buf_release(&free_now);
}

/* --- the network --- */

/* An address without the name and password in it, which are nobody's business. */
static void add_address(struct buf *b, const char *p, size_t n)
{
	const char *scheme = memmem(p, n, "://", 3), *host = scheme ? scheme + 3 : p;
	size_t left = n - (size_t)(host - p);
	const char *slash = memchr(host, '/', left), *at = memrchr(host, '@', slash ? (size_t)(slash - host) : left);

	buf_add(b, p, (size_t)(host - p));
	buf_add(b, at ? at + 1 : host, at ? left - (size_t)(at + 1 - host) : left);
}

static void look_at_proxy(struct doctor *d)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);
		struct buf shown = BUF_INIT;
		if (!value || !*value)
			continue;
		add_address(&shown, value, strlen(value));
		finding(d, "proxy", NULL, "%s, of %s", buf_str(&shown), names[i]);
		buf_release(&shown);
		return;
	}
	finding(d, "proxy", NULL, "none");
}

static void add_addresses(struct buf *b, const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",|");

		add_address(b, list, n);
		list += n;
		if (*list)
			buf_addc(b, *list++);
	}
}

/* The methods by their first words: the rest may be secret. */
static void look_at_go_auth(struct doctor *d, const struct go_settings *s)
{
	const char *list = s->auth ? s->auth : "netrc";
	struct buf names = BUF_INIT;
	struct err e = ERR_INIT;

	if (go_auth_check(s->auth, &e)) {
		finding(d, "GOAUTH", "go env -u GOAUTH", "%s", e.msg);
		err_release(&e);
		return;
	}
	for (const char *p = list; *p; p += strcspn(p, ";"), p += *p == ';') {
		p += strspn(p, " \t");
		buf_addf(&names, "%s%.*s", names.len ? ", " : "", (int)strcspn(p, "; \t"), p);
	}
	finding(d, "GOAUTH", NULL, "%s%s", buf_str(&names), s->auth ? "" : ", which is the usual");
	buf_release(&names);
}

static void look_at_go_proxy(struct doctor *d)
{
	struct go_settings s = { 0 };
	struct err e = ERR_INIT;
	struct buf list = BUF_INIT;
	const char *value = getenv("GOPROXY");

	if (go_settings_load(&s, &e)) {
		finding(d, "GOPROXY", "go env -u GOPROXY", "%s", e.msg);
		err_release(&e);
	} else {
		const char *from = value && *value ? "the environment" : "the file of 'go env -w'";
		if (!s.proxy)
			go_settings_ask(&s), from = "the go command of this machine";
		if (s.proxy) {
			add_addresses(&list, s.proxy);
			finding(d, "GOPROXY", NULL, "%s, of %s", buf_str(&list), from);
		} else {
			finding(d, "GOPROXY", NULL, "not set: what the Go that builds says");
		}
	}
	look_at_go_auth(d, &s);
	buf_release(&list);
	go_settings_release(&s);
}

static void look_at_certificates(struct doctor *d)
{
	struct transfer_settings s = { 0 };
	struct err e = ERR_INIT;
	struct buf mend = BUF_INIT;

	if (transfer_settings_load(&s, &e)) {
		finding(d, "certificates", "export NIX_SSL_CERT_FILE=FILE with one that is there", "%s", e.msg);
		err_release(&e);
		return;
	}
	install(&mend, "ca-certificates", "; or export NIX_SSL_CERT_FILE=FILE");
	finding(d, "certificates", s.ca_file ? NULL : mend.p, "%s",
		s.ca_file ? s.ca_file : "none found: nothing can be fetched by https");
	buf_release(&mend);
	transfer_settings_release(&s);
}

/* --- programs and libraries --- */

static void look_at_git(struct doctor *d)
{
	struct buf found = BUF_INIT, mend = BUF_INIT;
	int there = program_in_path("git", &found);

	finding(d, "git", there ? NULL : install(&mend, "git", ""), "%s",
		there ? found.p : "not in PATH: flakes in repositories and inputs of git need it");
	buf_release(&found);
	buf_release(&mend);
}

static void look_at_library(struct doctor *d, const char *what, int (*load)(struct err *e), const char *package)
{
	struct err e = ERR_INIT;
	struct buf mend = BUF_INIT;

	if (load(&e)) {
		finding(d, what, install(&mend, package, ""), "%s", e.msg);
		err_release(&e);
	} else {
		finding(d, what, NULL, "there");
	}
	buf_release(&mend);
}

static void look_at_all(struct doctor *d)
{
	look_at_gx(d);
	look_at_kernel(d);
	look_at_namespaces(d);
	look_at_seccomp(d);
	look_at_shell(d);
	look_at_store(d);
	look_at_trust(d);
	look_at_nix(d);
	look_at_room(d);
	look_at_proxy(d);
	look_at_go_proxy(d);
	look_at_certificates(d);
	look_at_git(d);
	look_at_library(d, "libcurl", transfer_load, "libcurl4");
	look_at_library(d, "libarchive", archive_load, "libarchive13");
	look_at_library(d, "libedit", lines_load, "libedit2");
}

int doctor_run(int argc, char **argv)
{
	static const struct option options[] = { OPTION_JSON, { 0 } };
	static const struct option_group groups[] = { { "Options", options }, { "Store", command_store_options }, { 0 } };
	static const struct program program = {
		"gx doctor", "what gx finds on this machine, and what it lacks", "gx doctor [options]",
		"Below what is missing stands the command that mends it. Nothing is written or fetched. Exit status 1: something "
		"is missing.",
		groups
	};
	struct doctor d = { .c = { .program = &program } };
	struct err e = ERR_INIT;
	int rc = command_read(&d.c, argc, argv, 0, 0, "");

	if (rc != COMMAND_GO)
		return rc;
	if (d.c.n)
		return command_end(&d.c, usage_error(&program, "'gx doctor' takes nothing, not '%s'", d.c.operands[0]));
	if (place_choose(&d.c.place, &d.c.request, &e))
		return command_end(&d.c, command_fail(&e));
	buf_adds(&d.b, d.c.json ? "[" : "");
	look_at_all(&d);
	buf_adds(&d.b, d.c.json ? "]\n" : "");
	rc = command_print(&d.b);
	return command_end(&d.c, rc ? rc : d.missing ? EXIT_FAILED : EXIT_DONE);
}

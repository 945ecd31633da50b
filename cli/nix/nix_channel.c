/* SPDX-License-Identifier: MIT
 *
 * nix-channel: addresses of packages, each by a name, and a profile with what they had at the last update.
 *
 *     ~/.nix-channels              a line for each: ADDRESS NAME
 *     PROFILES/channels            the profile: a folder NAME for each
 *     ~/.nix-defexpr/channels      leads there, so that nix-env and <NAME> find them
 *
 * An archive is unpacked by a builder of ours, and nix-env puts what comes out into the profile: its generations are those of any.
 */
#include "config.h"
#include "cli/nix/nix.h"
#include "base/alloc.h"
#include "base/fdio.h"
#include "cli/output.h"
#include "cli/prefetch.h"
#include "cli/report.h"
#include "store/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { O_ADD = 1, O_REMOVE, O_LIST, O_UPDATE, O_GENERATIONS, O_ROLLBACK };

static const struct option options[] = {
	{ O_ADD, 0, "add", NULL, "Add the address that follows, by the name behind it, or by its last part." },
	{ O_REMOVE, 0, "remove", NULL, "Take the one of that name away, and what it had." },
	{ O_LIST, 0, "list", NULL, "Print names and addresses." },
	{ O_UPDATE, 0, "update", NULL, "Fetch those that are named, or all." },
	{ O_GENERATIONS, 0, "list-generations", NULL, "Print the generations there were." },
	{ O_ROLLBACK, 0, "rollback", NULL, "Go back to the generation before, or to that of the number that follows." },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};
static const struct option_group groups[] = { { "Options", options }, { 0 } };
static const struct program program = {
	"nix-channel", "packages by addresses that are asked for news",
	"nix-channel --add ADDRESS [NAME]\nnix-channel --remove NAME\nnix-channel --list\n"
	"nix-channel --update [NAME ...]\nnix-channel --list-generations\nnix-channel --rollback [N]",
	NULL, groups
};

struct channels {
	struct nix_line l; /* first */
	int what;
	struct words names, urls;
	struct buf list;	/* the file with the lines */
	struct buf expressions; /* the folder where nix-env looks */
	char *profile;
};

static int on_option(struct nix_line *l, int id, char **values)
{
	struct channels *c = (struct channels *)l;

	(void)values;
	if (c->what)
		return usage_error(&program, "nix-channel does one thing at a time");
	c->what = id;
	return 0;
}

/* --- the list --- */

/* The last part of an address, without what tells how ripe it is. */
static void usual_name(struct buf *b, const char *url)
{
	static const char *const ends[] = { "-unstable", "-stable" };
	const char *slash = strrchr(url, '/'), *name = slash ? slash + 1 : url;
	size_t n = strlen(name);

	for (size_t i = 0; i < 2; i++) {
		size_t k = strlen(ends[i]);

		if (n > k && !memcmp(name + n - k, ends[i], k))
			n -= k;
	}
	buf_add(b, name, n);
}

static int is_name(const char *name)
{
	static const char all[] = "-.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

	return *name && !strchr("-.", *name) && !name[strspn(name, all)];
}

static void set(struct channels *c, const char *name, const char *url)
{
	for (size_t i = 0; i < c->names.n; i++)
		if (!strcmp(c->names.v[i], name)) {
			free(c->urls.v[i]);
			c->urls.v[i] = xstrdup(url);
			return;
		}
	words_add(&c->names, name);
	words_add(&c->urls, url);
}

/* A name becomes part of an expression. */
static int read_line(struct channels *c, char *line)
{
	char *rest, *url = strtok_r(line, " \t", &rest), *name = strtok_r(NULL, " \t", &rest);
	struct buf b = BUF_INIT;
	int rc = 0;

	if (!url || *url == '#')
		return 0;
	if (name)
		buf_adds(&b, name);
	else
		usual_name(&b, url);
	if (is_name(buf_str(&b))) {
		set(c, b.p, url);
	} else {
		report_error("'%s' in '%s' is no name of a channel", buf_str(&b), c->list.p);
		rc = EXIT_FAILED;
	}
	buf_release(&b);
	return rc;
}

static int read_list(struct channels *c)
{
	struct buf text = BUF_INIT;
	int fd = open(c->list.p, O_RDONLY | O_CLOEXEC), bad = fd < 0 ? errno != ENOENT : fd_read_all(fd, &text);
	int rc = bad ? EXIT_FAILED : 0;
	char *rest;

	if (bad)
		report_error("cannot read '%s': %s", c->list.p, strerror(errno));
	if (fd >= 0)
		close(fd);
	for (char *line = strtok_r((char *)buf_str(&text), "\n", &rest); !rc && line; line = strtok_r(NULL, "\n", &rest))
		rc = read_line(c, line);
	buf_release(&text);
	return rc;
}

static int write_list(const struct channels *c)
{
	struct buf b = BUF_INIT;
	int bad;

	for (size_t i = 0; i < c->names.n; i++)
		buf_addf(&b, "%s %s\n", c->urls.v[i], c->names.v[i]);
	bad = file_replace(c->list.p, buf_str(&b), b.len, 0644);
	if (bad)
		report_error("cannot write '%s': %s", c->list.p, strerror(errno));
	buf_release(&b);
	return bad ? EXIT_FAILED : 0;
}

/* --- where things are --- */

static int find_places(struct channels *c, struct err *e)
{
	struct place_request r = { c->l.store, NULL };
	struct place p;
	char *state = profile_settings.xdg ? profile_state_folder(e) : NULL, *folder;
	const char *home = profile_home(e);

	if (!home || (profile_settings.xdg && !state) || place_choose(&p, &r, e))
		return e->code;
	buf_addf(&c->list, "%s%s", state ? state : home, state ? "/channels" : "/.nix-channels");
	buf_addf(&c->expressions, "%s%s", state ? state : home, state ? "/defexpr" : "/.nix-defexpr");
	if (state)
		make_folders(state, 0755);
	free(state);
	folder = profile_folder(&p, e);
	place_release(&p);
	if (!folder)
		return e->code;
	struct buf b = BUF_INIT;
	buf_addf(&b, "%s/channels", folder);
	free(folder);
	c->profile = buf_detach(&b, NULL);
	return 0;
}

/* nix-env on the profile with the words that follow up to NULL, and those of more. */
static int run_env(struct channels *c, const struct words *more, const char *word, const char *word2)
{
	struct words argv = { NULL, 0, 0 };
	int rc;

	words_add(&argv, "nix-env");
	words_add(&argv, "--profile");
	words_add(&argv, c->profile);
	if (c->l.store) {
		words_add(&argv, "--store");
		words_add(&argv, c->l.store);
	}
	words_add(&argv, word);
	if (word2)
		words_add(&argv, word2);
	for (size_t i = 0; more && i < more->n; i++)
		words_add(&argv, more->v[i]);
	rc = nix_env_run((int)argv.n, argv.v);
	words_release(&argv);
	return rc;
}

/* --- updating --- */

static int is_archive(const char *url)
{
	static const char *const ends[] = { ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst" };
	size_t n = strlen(url);

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (n > strlen(ends[i]) && !strcmp(url + n - strlen(ends[i]), ends[i]))
			return 1;
	return 0;
}

/* The archive of a channel: the address itself, or what is called so below it. */
static int fetch(struct store *s, const char *url, struct store_path *out, struct err *e)
{
	static const char *const below[] = { "/nixexprs.tar.xz", "/nixexprs.tar.bz2" };
	struct prefetch p = { .url = url, .algo = HASH_SHA256 };
	struct buf b = BUF_INIT;
	struct hash hash;
	int rc = ERR_NOTFOUND;

	if (is_archive(url))
		return prefetch(s, &p, out, &hash, e);
	for (size_t i = 0; rc && rc != ERR_INTERRUPT && i < 2; i++) {
		buf_trim(&b, 0);
		buf_addf(&b, "%s%s", url, below[i]);
		p.url = b.p;
		err_release(e);
		rc = prefetch(s, &p, out, &hash, e);
	}
	buf_release(&b);
	return rc;
}

static int is_wanted(const struct channels *c, const char *name)
{
	for (size_t i = 0; i < c->l.operands.n; i++)
		if (!strcmp(c->l.operands.v[i], name))
			return 1;
	return !c->l.operands.n;
}

/* What the profile has of a channel that is not to be updated; 1 when it has it. */
static int find_present(const struct channels *c, const char *name, struct buf *object)
{
	char link[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof link, "%s/%s", c->profile, name);
	n = readlink(link, target, sizeof target - 1);
	if (n <= 0)
		return 0;
	target[n] = 0;
	const char *slash = strrchr(target, '/');
	if (!slash)
		return 0;
	buf_add(object, target, (size_t)(slash - target));
	return 1;
}

/* One of the functions that nix-env is given. */
static int add_channel(struct channels *c, struct store *s, size_t i, struct words *functions, struct err *e)
{
	const char *name = c->names.v[i];
	struct buf object = BUF_INIT;
	struct store_path path;
	int rc = 0;

	if (!is_wanted(c, name) && find_present(c, name, &object)) {
		words_addf(functions,
			   "_: rec { name = \"%s\"; type = \"derivation\"; system = \"builtin\"; outputs = [ \"out\" ]; "
			   "outPath = builtins.storePath %s; out = { inherit outPath; }; }",
			   name, object.p);
	} else if (is_wanted(c, name) && !(rc = fetch(s, c->urls.v[i], &path, e))) {
		store_add_path(s, &object, &path);
		words_addf(functions, "f: f { name = \"%s\"; channelName = \"%s\"; src = builtins.storePath %s; }", name, name,
			   object.p);
	}
	buf_release(&object);
	return rc;
}

static const char unpack[] =
	"args: derivation (args // { builder = \"builtin:unpack-channel\"; system = \"builtin\"; preferLocalBuild = true; })\n";

/* The profile anew, of the functions. */
static int install(struct channels *c, const struct words *functions)
{
	const char *dir = getenv("TMPDIR");
	struct words all = { NULL, 0, 0 };
	struct buf file = BUF_INIT;
	int fd, rc;

	buf_addf(&file, "%s/nix-channel-XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkostemp(file.p, O_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, unpack, sizeof unpack - 1)) {
		report_error("cannot write '%s': %s", file.p, strerror(errno));
		rc = EXIT_FAILED;
	} else {
		words_add(&all, file.p);
		words_add(&all, "--install");
		words_add(&all, "--remove-all");
		words_add(&all, "--from-expression");
		for (size_t i = 0; i < functions->n; i++)
			words_add(&all, functions->v[i]);
		words_add(&all, "--quiet");
		rc = run_env(c, &all, "--file", NULL);
	}
	if (fd >= 0) {
		close(fd);
		unlink(file.p);
	}
	buf_release(&file);
	words_release(&all);
	return rc;
}

/* Where nix-env looks for packages leads to the profile. */
static int link_expressions(const struct channels *c)
{
	struct buf link = BUF_INIT;
	struct stat st;
	int bad;

	/* In the days of Nix 1 it was a link itself. */
	if (!lstat(c->expressions.p, &st) && S_ISLNK(st.st_mode))
		unlink(c->expressions.p);
	make_folders(c->expressions.p, 0755);
	buf_addf(&link, "%s/channels", c->expressions.p);
	unlink(link.p);
	bad = symlink(c->profile, link.p);
	if (bad)
		report_error("cannot make '%s': %s", link.p, strerror(errno));
	buf_release(&link);
	return bad ? EXIT_FAILED : 0;
}

static int update(struct channels *c)
{
	struct command cmd = { .program = &program };
	struct words functions = { NULL, 0, 0 };
	struct err e = ERR_INIT;
	int rc = read_list(c);

	for (size_t i = 0; !rc && i < c->l.operands.n; i++) {
		size_t k = 0;

		while (k < c->names.n && strcmp(c->names.v[k], c->l.operands.v[i]))
			k++;
		if (k == c->names.n)
			rc = usage_error(&program, "there is no channel '%s'", c->l.operands.v[i]);
	}
	rc = rc ? rc : nix_open(&cmd, &c->l, 0);
	if (rc)
		return rc;
	for (size_t i = 0; !e.code && i < c->names.n; i++)
		add_channel(c, cmd.store, i, &functions, &e);
	/* What was fetched is held as long as the store is open. */
	rc = e.code ? command_fail(&e) : install(c, &functions);
	rc = rc ? rc : link_expressions(c);
	words_release(&functions);
	return command_end(&cmd, rc);
}

/* --- the rest --- */

static int add(struct channels *c)
{
	const struct words *w = &c->l.operands;
	struct buf name = BUF_INIT;
	int rc;

	if (w->n != 1 && w->n != 2)
		return usage_error(&program, "--add needs an address, and perhaps a name");
	if (w->n == 2)
		buf_adds(&name, w->v[1]);
	else
		usual_name(&name, w->v[0]);
	rc = !strstr(w->v[0], "://")	   ? usage_error(&program, "invalid channel URL '%s'", w->v[0]) :
	     !is_name(buf_str(&name)) ? usage_error(&program, "invalid channel identifier '%s'", buf_str(&name)) :
					     read_list(c);
	if (!rc) {
		set(c, name.p, w->v[0]);
		rc = write_list(c);
	}
	buf_release(&name);
	return rc;
}

static int take_away(struct channels *c)
{
	const struct words *w = &c->l.operands;
	struct channels left = { .list = c->list };
	int rc;

	if (w->n != 1)
		return usage_error(&program, "--remove needs a name");
	rc = read_list(c);
	for (size_t i = 0; i < c->names.n; i++)
		if (strcmp(c->names.v[i], w->v[0]))
			set(&left, c->names.v[i], c->urls.v[i]);
	rc = rc ? rc : write_list(&left);
	words_release(&left.names);
	words_release(&left.urls);
	return rc ? rc : run_env(c, NULL, "--uninstall", w->v[0]);
}

static int list(struct channels *c)
{
	struct buf b = BUF_INIT;
	int rc = read_list(c);

	for (size_t i = 0; i < c->names.n; i++)
		buf_addf(&b, "%s %s\n", c->names.v[i], c->urls.v[i]);
	return rc ? rc : command_print(&b);
}

static int run(struct channels *c)
{
	const struct words *w = &c->l.operands;
	struct err e = ERR_INIT;

	if (find_places(c, &e))
		return command_fail(&e);
	switch (c->what) {
	case O_ADD: return add(c);
	case O_REMOVE: return take_away(c);
	case O_LIST: return list(c);
	case O_UPDATE: return update(c);
	case O_GENERATIONS: return run_env(c, NULL, "--list-generations", NULL);
	case O_ROLLBACK: return w->n ? run_env(c, NULL, "--switch-generation", w->v[0]) : run_env(c, NULL, "--rollback", NULL);
	}
	return usage_error(&program, "no operation is given: --add, --remove, --list, --update, --list-generations or --rollback");
}

int nix_channel_run(int argc, char **argv)
{
	struct channels c = { .l = { .program = &program, .option = on_option } };
	int rc = nix_line_read(&c.l, argc, argv);

	if (rc == COMMAND_GO)
		rc = run(&c);
	words_release(&c.names);
	words_release(&c.urls);
	buf_release(&c.list);
	buf_release(&c.expressions);
	free(c.profile);
	nix_line_release(&c.l);
	return rc;
}

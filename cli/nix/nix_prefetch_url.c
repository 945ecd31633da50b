/* SPDX-License-Identifier: MIT
 *
 * nix-prefetch-url, and gx store prefetch-file, which does the same and says it in its own way.
 */
#include "config.h"
#include "cli/nix/nix.h"
#include "cli/output.h"
#include "cli/prefetch.h"
#include "cli/progress.h"
#include "cli/verbs/gx_store.h"

#include <stdlib.h>
#include <string.h>

enum { O_TYPE = 1, O_UNPACK, O_EXECUTABLE, O_NAME, O_PRINT_PATH, O_EXPECTED };

#define PREFETCH_OPTIONS \
	{ O_NAME, 0, "name", "NAME", "What the object is called; otherwise as the address ends." }, \
	{ O_UNPACK, 0, "unpack", NULL, "It is an archive: the object is what is in it." }, \
	{ O_EXECUTABLE, 0, "executable", NULL, "It may be run." }

static int take(const struct program *program, struct prefetch *p, int id, char **values)
{
	struct err e = ERR_INIT;

	switch (id) {
	case O_NAME: p->name = values[0]; break;
	case O_UNPACK: p->unpack = 1; break;
	case O_EXECUTABLE: p->executable = 1; break;
	case O_TYPE: hash_algo_parse(values[0], strlen(values[0]), &p->algo, &e); break;
	case O_EXPECTED: hash_parse(values[0], strlen(values[0]), HASH_ANY, &p->expected, NULL, &e); break;
	}
	if (!e.code)
		return 0;
	int rc = usage_error(program, "%s", e.msg);
	err_release(&e);
	return rc;
}

/* Returns an exit status. */
static int run(struct command *c, const struct prefetch *p, struct store_path *path, struct hash *hash)
{
	struct err e = ERR_INIT;

	progress_begin();
	prefetch(c->store, p, path, hash, &e);
	progress_finish();
	return e.code ? command_fail(&e) : 0;
}

/* --- nix-prefetch-url --- */

static const struct option url_options[] = {
	{ O_TYPE, 0, "type", "ALGO", "md5, sha1, sha256 (the default) or sha512." },
	PREFETCH_OPTIONS,
	{ O_PRINT_PATH, 0, "print-path", NULL, "Print the path of the object as well." },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};
static const struct option_group url_groups[] = { { "Options", url_options }, { 0 } };
static const struct program url_program = { "nix-prefetch-url", "fetch a file into the store and print its hash",
					    "nix-prefetch-url [options] URL [HASH]", NULL, url_groups };

struct url_line {
	struct nix_line l; /* first */
	struct prefetch p;
	int print_path;
};

static int on_url_option(struct nix_line *l, int id, char **values)
{
	struct url_line *u = (struct url_line *)l;

	u->print_path |= id == O_PRINT_PATH;
	return take(&url_program, &u->p, id, values);
}

static int fetch_url(struct url_line *u)
{
	struct command c = { .program = &url_program };
	struct buf b = BUF_INIT;
	struct store_path path;
	struct err e = ERR_INIT;
	struct hash hash;
	int rc;

	if (!u->l.operands.n || u->l.operands.n > 2)
		return usage_error(&url_program, "one address is needed, and a hash may follow");
	u->p.url = u->l.operands.v[0];
	const char *expected = u->l.operands.n > 1 ? u->l.operands.v[1] : NULL;
	if (expected && hash_parse(expected, strlen(expected), u->p.algo, &u->p.expected, NULL, &e))
		return command_fail(&e);
	rc = nix_open(&c, &u->l, 0);
	rc = rc ? rc : run(&c, &u->p, &path, &hash);
	if (rc)
		return command_end(&c, rc);
	hash_add(&b, &hash, HASH_NIX32, 0);
	buf_addc(&b, '\n');
	if (u->print_path) {
		store_add_path(c.store, &b, &path);
		buf_addc(&b, '\n');
	}
	return command_end(&c, command_print(&b));
}

int nix_prefetch_url_run(int argc, char **argv)
{
	const char *print = getenv("PRINT_PATH");
	struct url_line u = { .l = { .program = &url_program, .option = on_url_option }, .p = { .algo = HASH_SHA256 } };
	int rc = nix_line_read(&u.l, argc, argv);

	u.print_path |= print && !strcmp(print, "1");
	if (rc == COMMAND_GO)
		rc = fetch_url(&u);
	nix_line_release(&u.l);
	return rc;
}

/* --- gx store prefetch-file --- */

static const struct option file_options[] = {
	{ O_TYPE, 0, "hash-algo", "ALGO", "md5, sha1, sha256 (the default) or sha512." },
	{ O_TYPE, 0, "hash-type", "ALGO", NULL },
	{ O_EXPECTED, 0, "expected-hash", "HASH", "What it must be; fetched only when it is not there already." },
	PREFETCH_OPTIONS,
	OPTION_JSON,
	{ 0 }
};
static const struct option_group file_groups[] = { { "Options", file_options },
						   { "The store", command_store_options },
						   { 0 } };
static const struct program file_program = { "gx store prefetch-file", "fetch a file into the store and print its hash",
					     "gx store prefetch-file [options] URL", NULL, file_groups };

static int on_file_option(void *arg, int id, char **values)
{
	return take(&file_program, arg, id, values);
}

int store_prefetch_run(int argc, char **argv)
{
	struct prefetch p = { .algo = HASH_SHA256 };
	struct command c = { .program = &file_program, .option = on_file_option, .arg = &p };
	struct buf b = BUF_INIT;
	struct store_path path;
	struct hash hash;
	int rc = command_read(&c, argc, argv, 1, 1, "an address");

	if (rc != COMMAND_GO)
		return rc;
	p.url = c.operands[0];
	p.algo = p.expected.algo == HASH_ANY ? p.algo : p.expected.algo;
	rc = command_open(&c, 0);
	rc = rc ? rc : run(&c, &p, &path, &hash);
	if (rc)
		return command_end(&c, rc);
	buf_adds(&b, c.json ? "{\"hash\":\"" : "");
	hash_add(&b, &hash, HASH_SRI, 1);
	buf_adds(&b, c.json ? "\",\"storePath\":\"" : " ");
	store_add_path(c.store, &b, &path);
	buf_adds(&b, c.json ? "\"}\n" : "\n");
	return command_end(&c, command_print(&b));
}

/* SPDX-License-Identifier: MIT
 *
 * nix-hash, nix-collect-garbage, nix-copy-closure.
 */
#include "config.h"
#include "cli/nix/nix.h"
#include "cli/output.h"
#include "format/hash.h"
#include "format/nar.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* --- nix-hash --- */

enum { O_FLAT = 1, O_BASE16, O_BASE32, O_BASE64, O_SRI, O_TYPE, O_TRUNCATE, O_TO16, O_TO32, O_TO64, O_TO_SRI };

static const struct option hash_options[] = {
	{ O_FLAT, 0, "flat", NULL, "The hash of a file's bytes, not of the archive." },
	{ O_TYPE, 0, "type", "ALGO", "md5 (the default), sha1, sha256 or sha512." },
	{ O_BASE16, 0, "base16", NULL, "Print base16 (the default)." },
	{ O_BASE32, 0, "base32", NULL, "Print Nix's base32." },
	{ O_BASE64, 0, "base64", NULL, "Print base64." },
	{ O_SRI, 0, "sri", NULL, "Print SRI." },
	{ O_TRUNCATE, 0, "truncate", NULL, "Fold the hash to 160 bits." },
	{ O_TO16, 0, "to-base16", NULL, "The operands are hashes: print them as base16," },
	{ O_TO32, 0, "to-base32", NULL, "base32," },
	{ O_TO64, 0, "to-base64", NULL, "base64," },
	{ O_TO_SRI, 0, "to-sri", NULL, "SRI." },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};
static const struct option_group hash_groups[] = { { "Options", hash_options }, { 0 } };
static const struct program hash_program = { "nix-hash", "hashes of files and folders, and ways to write them",
					     "nix-hash [options] PATH...\nnix-hash --to-base16 [--type ALGO] HASH...", NULL,
					     hash_groups };

struct hash_line {
	struct nix_line l; /* first */
	enum hash_algo algo;
	enum hash_format format;
	int flat, truncate, convert;
};

static int on_hash_option(struct nix_line *l, int id, char **values)
{
	static const enum hash_format formats[] = { HASH_BASE16, HASH_NIX32, HASH_BASE64, HASH_SRI };
	struct hash_line *h = (struct hash_line *)l;
	struct err e = ERR_INIT;

	if (id == O_FLAT) {
		h->flat = 1;
	} else if (id == O_TRUNCATE) {
		h->truncate = 1;
	} else if (id >= O_TO16) {
		h->convert = 1;
		h->format = formats[id - O_TO16];
	} else if (id != O_TYPE) {
		h->format = formats[id - O_BASE16];
	} else if (hash_algo_parse(values[0], strlen(values[0]), &h->algo, &e)) {
		int rc = usage_error(&hash_program, "%s", e.msg);

		err_release(&e);
		return rc;
	}
	return 0;
}

static int hash_operand(const struct hash_line *h, const char *word, struct buf *out, struct err *e)
{
	enum hash_algo algo = h->algo == HASH_ANY && !h->convert ? HASH_MD5 : h->algo;
	struct hash got;
	int rc = h->convert ? hash_parse(word, strlen(word), algo, &got, NULL, e) :
		 h->flat    ? hash_file(algo, AT_FDCWD, word, &got, NULL, e) :
			      nar_hash(algo, AT_FDCWD, word, NULL, NULL, &got, NULL, e);

	if (rc)
		return rc;
	if (h->truncate && got.len > 20) {
		struct hash whole = got;

		got.len = 20;
		hash_compress(whole.b, whole.len, got.b, got.len);
	}
	hash_add(out, &got, h->format, h->format == HASH_SRI);
	buf_addc(out, '\n');
	return 0;
}

int nix_hash_run(int argc, char **argv)
{
	struct hash_line h = { .l = { .program = &hash_program, .option = on_hash_option } };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	int rc = nix_line_read(&h.l, argc, argv);

	if (rc == COMMAND_GO) {
		for (size_t i = 0; i < h.l.operands.n && !e.code; i++)
			hash_operand(&h, h.l.operands.v[i], &out, &e);
		rc = command_print(&out);
		rc = e.code ? command_fail(&e) : rc;
	}
	nix_line_release(&h.l);
	return rc;
}

/* --- nix-collect-garbage --- */

enum { O_DELETE_OLD = 1, O_OLDER, O_DRY, O_MAX };

static const struct option collect_options[] = {
	{ O_DELETE_OLD, 'd', "delete-old", NULL, "Delete old generations of profiles first." },
	{ O_OLDER, 0, "delete-older-than", "PERIOD", "Delete generations that are older, such as 30d." },
	{ O_MAX, 0, "max-freed", "BYTES", "Stop when so much was freed." },
	{ O_DRY, 0, "dry-run", NULL, "Only print what would be deleted." },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};
static const struct option_group collect_groups[] = { { "Options", collect_options }, { 0 } };
static const struct program collect_program = { "nix-collect-garbage", "delete what nothing needs",
						"nix-collect-garbage [options]", NULL, collect_groups };

struct collect_line {
	struct nix_line l; /* first */
	struct words more;
};

static int on_collect_option(struct nix_line *l, int id, char **values)
{
	struct collect_line *c = (struct collect_line *)l;

	if (id == O_DELETE_OLD) {
		words_add(&c->more, "--delete-old");
	} else if (id == O_OLDER) {
		words_add(&c->more, "--older-than");
		words_add(&c->more, values[0]);
	} else if (id == O_DRY) {
		words_add(&c->more, "--dry-run");
	} else if (id == O_MAX) {
		words_add(&c->more, "--max");
		words_add(&c->more, values[0]);
	}
	return 0;
}

int nix_collect_garbage_run(int argc, char **argv)
{
	struct collect_line c = { .l = { .program = &collect_program, .option = on_collect_option } };
	int rc = nix_line_read(&c.l, argc, argv);

	if (rc == COMMAND_GO)
		rc = nix_run_verb(&c.l, "store gc", &c.more);
	words_release(&c.more);
	nix_line_release(&c.l);
	return rc;
}

/* --- nix-copy-closure --- */

enum { O_TO = 1, O_FROM, O_OUTPUTS, O_NOTHING };

static const struct option copy_options[] = {
	{ O_TO, 0, "to", NULL, "Copy to the machine (the default)," },
	{ O_FROM, 0, "from", NULL, "or from it." },
	{ O_OUTPUTS, 0, "include-outputs", NULL, "Also the outputs of derivations among them that are there." },
	{ O_NOTHING, 's', "use-substitutes", NULL, NULL },
	{ O_NOTHING, 0, "gzip", NULL, NULL },
	{ O_NOTHING, 0, "bzip2", NULL, NULL },
	{ O_NOTHING, 0, "xz", NULL, NULL },
	{ O_NOTHING, 0, "show-progress", NULL, NULL },
	NIX_OPTIONS_OF_ALL,
	{ 0 }
};
static const struct option_group copy_groups[] = { { "Options", copy_options }, { 0 } };
static const struct program copy_program = { "nix-copy-closure", "copy objects, with all they refer to, to or from a machine",
					     "nix-copy-closure [--to | --from] [USER@]HOST PATH...", NULL, copy_groups };

struct copy_line {
	struct nix_line l; /* first */
	int from, outputs;
};

static int on_copy_option(struct nix_line *l, int id, char **values)
{
	struct copy_line *c = (struct copy_line *)l;

	(void)values;
	if (id == O_TO || id == O_FROM)
		c->from = id == O_FROM;
	c->outputs |= id == O_OUTPUTS;
	return 0;
}

/* The objects that a copy is of, with the outputs of their derivations.  Returns an exit status. */
static int add_with_outputs(const struct copy_line *c, struct words *more)
{
	struct command cmd = { .program = &copy_program };
	struct path_set all = PATH_SET_INIT;
	struct err e = ERR_INIT;
	int status = nix_open(&cmd, &c->l, 1), rc = 0;

	for (size_t i = 1; !status && !rc && i < c->l.operands.n; i++) {
		struct store_path p;

		rc = store_resolve(cmd.store, c->l.operands.v[i], &p, NULL, &e);
		rc = rc ? rc : store_closure(cmd.store, &p, DB_CLOSURE_OUTPUTS, &all, &e);
	}
	for (size_t i = 0; !status && !rc && i < all.n; i++) {
		struct buf b = BUF_INIT;

		store_add_path(cmd.store, &b, &all.v[i]);
		words_add(more, buf_str(&b));
		buf_release(&b);
	}
	path_set_release(&all);
	return command_end(&cmd, rc ? command_fail(&e) : status);
}

static int copy_closure(const struct copy_line *c)
{
	struct words more = { NULL, 0, 0 };
	int rc = 0;

	if (!c->l.operands.n)
		return usage_error(&copy_program, "no machine was named");
	if (c->outputs && c->from)
		return usage_error(&copy_program,
				   "--include-outputs goes with --to: the machine does not say which outputs it has");
	words_add(&more, "--no-check-sigs");
	words_add(&more, c->from ? "--from" : "--to");
	words_addf(&more, "ssh://%s", c->l.operands.v[0]);
	for (size_t i = 1; !c->outputs && i < c->l.operands.n; i++)
		words_add(&more, c->l.operands.v[i]);
	if (c->outputs)
		rc = add_with_outputs(c, &more);
	/* Nothing is quickly copied. */
	if (!rc && c->l.operands.n > 1)
		rc = nix_run_verb(&c->l, "copy", &more);
	words_release(&more);
	return rc;
}

int nix_copy_closure_run(int argc, char **argv)
{
	struct copy_line c = { .l = { .program = &copy_program, .option = on_copy_option } };
	int rc = nix_line_read(&c.l, argc, argv);

	if (rc == COMMAND_GO)
		rc = copy_closure(&c);
	nix_line_release(&c.l);
	return rc;
}

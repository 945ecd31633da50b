/* SPDX-License-Identifier: MIT
 *
 * gx hash: of trees and files, and between the ways hashes are written.
 */
#include "config.h"
#include "base/activity.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/verb.h"
#include "format/hash.h"
#include "format/nar.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { O_MODE = 1, O_ALGO, O_FORMAT, O_FROM, O_BASE16, O_BASE32, O_BASE64, O_SRI };

struct hash_command {
	struct command c;
	enum hash_algo algo;
	enum hash_format format;
	int has_from, flat;
	enum hash_format from;
};

static int on_option(void *arg, int id, char **values)
{
	struct hash_command *h = arg;
	struct err e = ERR_INIT;
	int rc = 0;

	switch (id) {
	case O_MODE:
		h->flat = !strcmp(values[0], "flat");
		return h->flat || !strcmp(values[0], "nar")
			       ? 0
			       : usage_error(h->c.program, "the mode '%s' is neither 'nar' nor 'flat'", values[0]);
	case O_ALGO: rc = hash_algo_parse(values[0], strlen(values[0]), &h->algo, &e); break;
	case O_FORMAT: rc = hash_format_parse(values[0], strlen(values[0]), &h->format, &e); break;
	case O_FROM:
		rc = hash_format_parse(values[0], strlen(values[0]), &h->from, &e);
		h->has_from = 1;
		break;
	case O_BASE16: h->format = HASH_BASE16; break;
	case O_BASE32: h->format = HASH_NIX32; break;
	case O_BASE64: h->format = HASH_BASE64; break;
	case O_SRI: h->format = HASH_SRI; break;
	}
	if (rc) {
		rc = usage_error(h->c.program, "%s", e.msg);
		err_release(&e);
	}
	return rc;
}

static void add_line(struct buf *b, const struct hash *h, enum hash_format f)
{
	hash_add(b, h, f, f == HASH_SRI);
	buf_addc(b, '\n');
}

static const struct option of_options[] = {
	{ O_ALGO, 0, "algo", "ALGO", "md5, sha1, sha256 (the default) or sha512." },
	{ O_ALGO, 0, "hash-algo", "ALGO", NULL },
	{ O_ALGO, 0, "type", "ALGO", NULL },
	{ O_MODE, 0, "mode", "MODE", "nar: of the archive (gx hash path); flat: of the bytes (gx hash file)." },
	{ O_FORMAT, 0, "format", "FORMAT", "base16, nix32, base64 or sri (the default)." },
	{ O_BASE16, 0, "base16", NULL, NULL },
	{ O_BASE32, 0, "base32", NULL, NULL },
	{ O_BASE64, 0, "base64", NULL, NULL },
	{ O_SRI, 0, "sri", NULL, NULL },
	OPTIONS_OF_ALL,
	{ 0 }
};
static const struct option_group of_groups[] = { { "Options", of_options }, { 0 } };

static int hash_one(const struct hash_command *h, const char *path, struct hash *out, struct err *e)
{
	return h->flat ? hash_file(h->algo, AT_FDCWD, path, out, NULL, e) :
			 nar_hash(h->algo, AT_FDCWD, path, NULL, NULL, out, NULL, e);
}

static int hash_each(const struct program *p, int argc, char **argv, int flat)
{
	struct hash_command h = { .algo = HASH_SHA256, .format = HASH_SRI, .flat = flat };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int rc;

	h.c = (struct command){ .program = p, .option = on_option, .arg = &h };
	rc = command_read(&h.c, argc, argv, 1, 0, "a path");
	if (rc != COMMAND_GO)
		return rc;
	progress_begin();
	for (size_t i = 0; i < h.c.n && !e.code; i++) {
		unsigned activity = activity_begin(ACTIVITY_HASH, h.c.operands[i]);
		struct hash out;
		if (!hash_one(&h, h.c.operands[i], &out, &e))
			add_line(&b, &out, h.format);
		activity_end(activity, e.code);
	}
	progress_finish();
	rc = command_print(&b);
	return command_end(&h.c, e.code ? command_fail(&e) : rc);
}

static int path_run(int argc, char **argv)
{
	static const struct program program = { "gx hash path", "the hash of a file or folder, as the store computes it",
						"gx hash path [options] PATH...",
						"The hash is that of the archive, so names, executable bits and links count.\n",
						of_groups };

	return hash_each(&program, argc, argv, 0);
}

static int file_run(int argc, char **argv)
{
	static const struct program program = { "gx hash file", "the hash of a file's bytes", "gx hash file [options] FILE...",
						NULL, of_groups };

	return hash_each(&program, argc, argv, 1);
}

/* --- convert --- */

static int convert_one(const struct hash_command *h, const char *text, struct buf *b, struct err *e)
{
	enum hash_format was;
	struct hash out;
	int rc = hash_parse(text, strlen(text), h->algo, &out, &was, e);

	if (!rc && h->has_from && h->from != was)
		rc = err_set(e, ERR_INVALID, "hash '%s' is written as '%s', but '--from %s' was said", text, hash_format_name(was),
			     hash_format_name(h->from));
	if (!rc)
		add_line(b, &out, h->format);
	return rc;
}

static int convert_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ O_ALGO, 0, "hash-algo", "ALGO", "md5, sha1, sha256 or sha512, where the text does not say it." },
		{ O_ALGO, 0, "algo", "ALGO", NULL },
		{ O_ALGO, 0, "type", "ALGO", NULL },
		{ O_FROM, 0, "from", "FORMAT", "What the text is: base16, nix32, base64 or sri. Told by its length otherwise." },
		{ O_FORMAT, 0, "to", "FORMAT", "base16, nix32, base64 or sri (the default)." },
		OPTIONS_OF_ALL,
		{ 0 }
	};
	static const struct option_group groups[] = { { "Options", options }, { 0 } };
	static const struct program program = { "gx hash convert", "write a hash another way",
						"gx hash convert [options] HASH...", NULL, groups };
	struct hash_command h = { .algo = HASH_ANY, .format = HASH_SRI };
	struct err e = ERR_INIT;
	struct buf b = BUF_INIT;
	int rc;

	h.c = (struct command){ .program = &program, .option = on_option, .arg = &h };
	rc = command_read(&h.c, argc, argv, 1, 0, "a hash");
	if (rc != COMMAND_GO)
		return rc;
	for (size_t i = 0; i < h.c.n && !e.code; i++)
		convert_one(&h, h.c.operands[i], &b, &e);
	rc = command_print(&b);
	return command_end(&h.c, e.code ? command_fail(&e) : rc);
}

const struct verb hash_verbs[] = {
	{ "path", "the hash of a file or folder, as the store computes it", path_run, NULL },
	{ "file", "the hash of a file's bytes", file_run, NULL },
	{ "convert", "write a hash another way", convert_run, NULL },
	{ 0 }
};

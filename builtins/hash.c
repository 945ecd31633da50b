/* SPDX-License-Identifier: MIT
 *
 * hashString, hashFile, convertHash: the arguments; hashing and its text forms are format/hash.h.
 */
#include "config.h"
#include "builtins/hash.h"
#include "builtins/fs.h"
#include "format/hash.h"

#include <fcntl.h>
#include <string.h>

static enum hash_algo algo_of(const struct str *s)
{
	enum hash_algo a = hash_algo_find(s->b, s->len);

	if (a == HASH_ANY)
		throw_error(EK_EVAL, "unknown hash algorithm '%s', expect 'md5', 'sha1', 'sha256' or 'sha512'", s->b);
	return a;
}

static W print_hash(const struct hash *h, enum hash_format f)
{
	char text[HASH_TEXT_MAX];

	return w_str(text, hash_print(h, f, f == HASH_SRI, text), 0);
}

BUILTIN(bi_hash_string, "hashString", "!algorithm !s",
	"The hash of the string *s* in hexadecimal. The *algorithm* is `\"md5\"`, `\"sha1\"`, `\"sha256\"` or `\"sha512\"`.",
	"hashString \"md5\" \"abc\"", "\"900150983cd24fb0d6963f7d28e17f72\"")
{
	enum hash_algo a = algo_of(arg_string_plain(args, 0));

	struct str *s = arg_string(args, 1);
	struct hash h;

	hash_bytes(a, s->b, s->len, &h);
	return print_hash(&h, HASH_BASE16);
}

BUILTIN(bi_hash_file, "hashFile", "!algorithm !path",
	"The hash of the contents of the file *path* in hexadecimal. The *algorithm* is as for `hashString`.",
	"hashFile \"sha1\" /does/not/exist", "error: path '/does/not/exist' does not exist")
{
	enum hash_algo a = algo_of(arg_string_plain(args, 0));

	W path = fs_realise(args[1]);
	struct hash h;
	struct err e = ERR_INIT;

	if (fs_stat(path) == FS_DIRECTORY)
		throw_error(EK_IO, "cannot read '%s': it is a directory", w_get_path(path)->b);
	const char *text = fs_provided(path);
	if (text)
		hash_bytes(a, text, strlen(text), &h);
	/* Streamed: a file is hashed whole, however large. */
	else if (hash_file(a, AT_FDCWD, fs_tree(fs_resolve(path)), &h, NULL, &e))
		throw_err(&e);
	return print_hash(&h, HASH_BASE16);
}

static enum hash_format format_of(const struct str *s)
{
	enum hash_format f;
	struct err e = ERR_INIT;

	if (hash_format_parse(s->b, s->len, &f, &e))
		throw_err(&e);
	return f;
}

BUILTIN(bi_convert_hash, "convertHash", "!args",
	"Writes a hash in another form. In the set *args*, `hash` is the hash in any form, and `toHashFormat` one of "
	"`\"base16\"`, `\"nix32\"` (or its old name `\"base32\"`), `\"base64\"` and `\"sri\"`. `hashAlgo` names the "
	"algorithm; it may be left out when `hash` itself begins with it, as in `sha256:…` and `sha256-…`.",
	"convertHash { hash = \"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"; toHashFormat = \"base16\"; }",
	"\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"")
{
	W set = arg_attrs(args, 0);
	struct str *text = want_string_plain(want_attr(set, "hash", "the argument of 'convertHash'"), "the attribute 'hash'");
	W *algo = attrs_find_c(set, "hashAlgo");
	enum hash_algo a = algo ? algo_of(want_string_plain(*algo, "the attribute 'hashAlgo'")) : HASH_ANY;
	enum hash_format f = format_of(want_string_plain(want_attr(set, "toHashFormat", "the argument of 'convertHash'"),
							 "the attribute 'toHashFormat'"));
	struct hash h;
	struct err e = ERR_INIT;

	if (hash_parse(text->b, text->len, a, &h, NULL, &e))
		throw_err(&e);
	return print_hash(&h, f);
}

const struct builtin *const builtins_hash[] = { &def_bi_hash_string, &def_bi_hash_file, &def_bi_convert_hash, NULL };

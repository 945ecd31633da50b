/* SPDX-License-Identifier: MIT
 *
 * format/narinfo, format/sign: what binary caches say of objects, and who vouches for it.
 *
 * Vectors (nix 2.8.0): nix key generate-secret, nix key convert-secret-to-public, nix store sign -k, nix copy --to file://… of a folder with
 * one file "a" that holds "x\n".
 */
#include "config.h"
#include "format/narinfo.h"
#include "format/path.h"
#include "format/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIR_ store_dir_default

static const char secret[] = "test-1:BCh3uAHi8c8qQ3hYPOnbdgVuTrtPVS1QVqoKSNGT7MNghQwD7KMR+yXPsKtvS2KFdwoJ3w5pAHXiPQ/wjsx5ew==";
static const char public[] = "test-1:YIUMA+yjEfslz7Crb0tihXcKCd8OaQB14j0P8I7MeXs=";
static const char signature[] = "test-1:okuUVa9Esia0VeNYtQsoRi1uEwNLYqocdKbCObN9KhDrVPhaLqMfpO3EEaW5d1rsl3MvNkf0fANAygM69M+8Bg==";

static const char text[] =
	"StorePath: /nix/store/sng79r5lhppx3vygdlkgjxllkw75vwrs-dd\n"
	"URL: nar/0m9qwysir2rdj12pz8h5rki4qlr67i1g4sxr0iwyj28w9sdgr83c.nar.xz\n"
	"Compression: xz\n"
	"FileHash: sha256:0m9qwysir2rdj12pz8h5rki4qlr67i1g4sxr0iwyj28w9sdgr83c\n"
	"FileSize: 164\n"
	"NarHash: sha256:16bgv7k5078n3n4zg41hnybrc4fa0j6q8cyx31qc9p2qwp9xsgib\n"
	"NarSize: 288\n"
	"References: \n"
	"Sig: test-1:okuUVa9Esia0VeNYtQsoRi1uEwNLYqocdKbCObN9KhDrVPhaLqMfpO3EEaW5d1rsl3MvNkf0fANAygM69M+8Bg==\n"
	"CA: fixed:r:sha256:16bgv7k5078n3n4zg41hnybrc4fa0j6q8cyx31qc9p2qwp9xsgib\n";

static void there_and_back(void **state)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct narinfo n;

	(void)state;
	if (narinfo_parse(DIR_, slice_of(text), &n, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(n.compression, COMPRESS_XZ);
	assert_int_equal(n.nar_size, 288);
	assert_int_equal(n.refs.n, 0);
	assert_string_equal(n.sigs, signature);
	narinfo_add(&b, DIR_, &n);
	assert_string_equal(b.p, text);
	buf_trim(&b, 0);
	fingerprint_add(&b, DIR_, &n.path, &n.nar_hash, n.nar_size, &n.refs);
	assert_string_equal(b.p, "1;/nix/store/sng79r5lhppx3vygdlkgjxllkw75vwrs-dd;"
				 "sha256:16bgv7k5078n3n4zg41hnybrc4fa0j6q8cyx31qc9p2qwp9xsgib;288;");
	buf_release(&b);
	narinfo_release(&n);
}

/* The text with the line that begins with `key` replaced by `line` ("" for none). */
static void with(struct buf *b, const char *key, const char *line)
{
	const char *at = strstr(text, key), *end = strchr(at, '\n') + 1;

	buf_add(b, text, (size_t)(at - text));
	buf_adds(b, line);
	buf_adds(b, end);
}

static void refuses(const char *key, const char *line, const char *message)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct narinfo n;

	with(&b, key, line);
	if (!narinfo_parse(DIR_, (struct slice){ b.p, b.len }, &n, &e))
		fail_msg("accepted %s", line);
	assert_string_equal(e.msg, message);
	err_release(&e);
	buf_release(&b);
}

static void refused(void **state)
{
	struct err e = ERR_INIT;
	struct narinfo n;

	(void)state;
	refuses("StorePath", "", "it does not have 'StorePath'");
	refuses("URL", "", "it does not have 'URL'");
	refuses("URL", "URL: \n", "'URL': it is empty");
	refuses("NarHash", "", "it does not have 'NarHash'");
	refuses("NarHash", "NarHash: sha1:5v01m8ws0dwrdj65cw9z9vbg33kiyw1h\n",
		"'NarHash': 'sha1:5v01m8ws0dwrdj65cw9z9vbg33kiyw1h' is no SHA-256");
	refuses("NarSize", "", "it does not have 'NarSize'");
	refuses("NarSize", "NarSize: 0\n", "'NarSize': no archive has 0 bytes");
	refuses("NarSize", "NarSize: -1\n", "'NarSize': '-1' is no size");
	refuses("NarSize", "NarSize: 99999999999999999999\n", "'NarSize': '99999999999999999999' is no size");
	refuses("NarSize", "NarSize: 288\nNarSize: 289\n", "it has 'NarSize' twice");
	refuses("NarSize", "NarSize:288\n", "no blank follows 'NarSize:'");
	refuses("Compression", "Compression: lzip\n",
		"'Compression': the compression 'lzip' is not known; it is none, xz, zstd, bzip2, gzip, br or lzma");
	refuses("Sig", "Sig: a:b c:d\n", "'Sig': 'a:b c:d' is no signature");
	refuses("FileSize", "<html>\n", "a line has no colon");
	refuses("FileSize", "FileSize: 1\x1b\n", "it holds control characters");
	assert_int_equal(narinfo_parse(DIR_, (struct slice){ text, sizeof text - 2 }, &n, &e), ERR_INVALID);
	assert_string_equal(e.msg, "it is cut off");
	err_release(&e);
}

static void lenient(void **state)
{
	struct buf b = BUF_INIT;
	struct narinfo n;

	(void)state;
	/* What the first caches left out, and what nobody here needs. */
	with(&b, "Compression", "System: x86_64-linux\nDeriver: unknown-deriver\n");
	assert_int_equal(narinfo_parse(DIR_, (struct slice){ b.p, b.len }, &n, NULL), 0);
	assert_int_equal(n.compression, COMPRESS_BZIP2);
	assert_int_equal(n.deriver.len, 0);
	narinfo_release(&n);
	buf_release(&b);
}

static void signatures(void **state)
{
	static const char data[] = "1;/nix/store/sng79r5lhppx3vygdlkgjxllkw75vwrs-dd;"
				   "sha256:16bgv7k5078n3n4zg41hnybrc4fa0j6q8cyx31qc9p2qwp9xsgib;288;";
	struct public_keys keys = { 0 };
	struct secret_key k;
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	if (secret_key_parse(slice_of(secret), &k, &e))
		fail_msg("%s", e.msg);
	secret_key_add(&b, &k);
	assert_string_equal(b.p, secret);
	buf_trim(&b, 0);
	secret_key_add_public(&b, &k);
	assert_string_equal(b.p, public);
	buf_trim(&b, 0);
	assert_int_equal(secret_key_sign(&k, slice_of(data), &b, NULL), 0);
	assert_string_equal(b.p, signature);
	assert_int_equal(public_keys_parse(slice_of(public), &keys, NULL), 0);
	assert_int_equal(signature_check(&keys, slice_of(signature), slice_of(data), NULL), 1);
	assert_int_equal(signature_check(&keys, slice_of(signature), SLICE("1;"), NULL), 0);
	assert_int_equal(signature_check(&keys, SLICE("test-1:AAAA"), slice_of(data), NULL), 0);
	b.p[5] = '2'; /* another name */
	assert_int_equal(signature_check(&keys, (struct slice){ b.p, b.len }, slice_of(data), NULL), 0);
	buf_release(&b);
	secret_key_release(&k);
	public_keys_release(&keys);
}

static void keys_refused(void **state)
{
	struct public_keys keys = { 0 };
	struct secret_key k;
	struct err e = ERR_INIT;
	char other[sizeof secret];

	(void)state;
	assert_int_equal(secret_key_parse(SLICE("AAAA"), &k, &e), ERR_INVALID);
	assert_string_equal(e.msg, "this is no secret key: it has no name with a colon");
	err_release(&e);
	strcpy(other, secret);
	other[sizeof "test-1:" + 2] = 'z';
	assert_int_equal(secret_key_parse(slice_of(other), &k, &e), ERR_INVALID);
	assert_string_equal(e.msg, "this is no secret key: its two halves do not belong together");
	err_release(&e);
	assert_int_equal(public_keys_parse(SLICE("a:AAAA"), &keys, &e), ERR_INVALID);
	assert_string_equal(e.msg, "'a:AAAA' is no public key: what follows its name is not 32 bytes in base64");
	err_release(&e);
	public_keys_release(&keys);
	assert_int_equal(secret_key_generate(SLICE("a b"), &k, &e), ERR_INVALID);
	assert_string_equal(e.msg, "a key needs a name without blanks and colons");
	err_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(refused),	  cmocka_unit_test(lenient),
		cmocka_unit_test(signatures),	  cmocka_unit_test(keys_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

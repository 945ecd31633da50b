/* SPDX-License-Identifier: MIT
 *
 * store/basen, store/hash: digests and their texts.
 *
 * Vectors: nix-hash --flat [--base32] --type A FILE; nix hash file --base64|--sri; what is accepted and refused:
 * nix hash to-base16 (2.8.0).
 */
#include "config.h"
#include "format/basen.h"
#include "format/hash.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ABC16 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC32 "1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s"
#define ABC64 "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="

static const struct {
	enum hash_algo a;
	const char *in, *text[4];
} vectors[] = {
	{ HASH_MD5, "abc", { "900150983cd24fb0d6963f7d28e17f72", "3jgzhjhz9zjvbb0kyj7jc500ch", "kAFQmDzST7DWlj99KOF/cg==",
			     "md5-kAFQmDzST7DWlj99KOF/cg==" } },
	{ HASH_MD5, "", { "d41d8cd98f00b204e9800998ecf8427e", "3y8bwfr609h3lh9ch0izcqq7fl", "1B2M2Y8AsgTpgAmY7PhCfg==",
			  "md5-1B2M2Y8AsgTpgAmY7PhCfg==" } },
	{ HASH_SHA1, "abc", { "a9993e364706816aba3e25717850c26c9cd0d89d", "kpcd173cq987hw957sx6m0868wv3x6d9",
			      "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=" } },
	{ HASH_SHA1, "", { "da39a3ee5e6b4b0d3255bfef95601890afd80709", "143xibwh31h9bvxzalr0sjvbbvpa6ffs",
			   "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" } },
	{ HASH_SHA256, "abc", { ABC16, ABC32, ABC64, "sha256-" ABC64 } },
	{ HASH_SHA256, "", { "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			     "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73",
			     "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
			     "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" } },
	{ HASH_SHA512, "abc",
	  { "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	    "2gs8k559z4rlahfx0y688s49m2vvszylcikrfinm30ly9rak69236nkam5ydvly1ai7xac99vxfc4ii84hawjbk876blyk1jfhkbbyx",
	    "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==",
	    "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==" } },
	{ HASH_SHA512, "",
	  { "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
	    "0zdl9zrg8r3i9c1g90lgg9ip5ijzv3yhz91i0zzn3r8ap9ws784gkp9dk9j3aglhgf1amqb0pj21mh7h1nxcl18akqvvf7ggqsy30yg",
	    "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
	    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==" } },
};

enum { NVECTORS = sizeof vectors / sizeof *vectors };

static void digests_and_their_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < NVECTORS; i++) {
		char text[HASH_TEXT_MAX];
		struct hash h;

		hash_bytes(vectors[i].a, vectors[i].in, strlen(vectors[i].in), &h);
		assert_int_equal(h.len, hash_algo_len(vectors[i].a));
		for (int f = HASH_BASE16; f <= HASH_SRI; f++) {
			size_t n = hash_print(&h, (enum hash_format)f, 0, text);

			assert_string_equal(text, vectors[i].text[f]);
			assert_int_equal(n, strlen(text));
		}
	}
}

static void texts_parse_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < NVECTORS; i++) {
		struct hash want, got;

		hash_bytes(vectors[i].a, vectors[i].in, strlen(vectors[i].in), &want);
		for (int f = HASH_BASE16; f <= HASH_SRI; f++) {
			char text[HASH_TEXT_MAX];
			enum hash_format form;

			hash_print(&want, (enum hash_format)f, 1, text);
			assert_int_equal(hash_parse(text, strlen(text), HASH_ANY, &got, &form, NULL), 0);
			assert_true(hash_eq(&want, &got));
			assert_int_equal(form, f);
			hash_print(&want, (enum hash_format)f, 0, text);
			assert_int_equal(hash_parse(text, strlen(text), vectors[i].a, &got, &form, NULL), 0);
			assert_true(hash_eq(&want, &got));
			assert_int_equal(form, f);
		}
	}
}

static void accepted_as_nix_does(void **state)
{
	static const char *const texts[] = {
		"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
		"sha256:" ABC16,
		"sha256:" ABC32,
		"sha256:" ABC64,
		"sha256-" ABC64,
		"sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",		/* no padding */
		"sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=garbage", /* nothing counts after '=' */
		"sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=",	/* rest bits not zero */
		"sha256-ungWv48Bz+pBQUDeXa4i\nI7ADYaOWF3qctBD/YfIAFa0=",
		"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=",
	};
	struct hash want, got;

	(void)state;
	hash_bytes(HASH_SHA256, "abc", 3, &want);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (hash_parse(texts[i], strlen(texts[i]), HASH_SHA256, &got, NULL, NULL) || !hash_eq(&want, &got))
			fail_msg("%s", texts[i]);
	}
}

static void refused_as_nix_does(void **state)
{
	static const struct {
		const char *text;
		enum hash_algo a;
		const char *msg;
	} bad[] = {
		{ ABC16, HASH_ANY, "hash '" ABC16 "' does not include a type, nor is the type otherwise known from context" },
		{ "sha256:" ABC16, HASH_SHA1, "hash 'sha256:" ABC16 "' should have type 'sha1'" },
		{ "ba78", HASH_SHA256, "hash 'ba78' has wrong length for hash algorithm 'sha256'" },
		{ "sha3:ba78", HASH_ANY, "unknown hash algorithm 'sha3', expect 'md5', 'sha1', 'sha256', or 'sha512'" },
		{ "blake3:ba78", HASH_ANY, "hash algorithm 'blake3' is not supported" },
		{ "SHA256:" ABC16, HASH_ANY, "unknown hash algorithm 'SHA256', expect 'md5', 'sha1', 'sha256', or 'sha512'" },
		{ "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa==", HASH_ANY,
		  "invalid SRI hash 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa==', length 31 != expected length 32" },
		{ "zb8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s", HASH_SHA256,
		  "invalid nix32 hash 'zb8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s', length 33 != expected length 32" },
		{ "1e8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s", HASH_SHA256,
		  "invalid hash '1e8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s': invalid character in nix32 string: 'e'" },
		{ "xx7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", HASH_SHA256,
		  "invalid hash 'xx7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad': invalid character in base16 string: 'x'" },
		{ "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0A", HASH_SHA256,
		  "invalid base64 hash 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0A', length 33 != expected length 32" },
		{ "sha256-", HASH_ANY, "invalid SRI hash '', length 0 != expected length 32" },
		{ "sha256:", HASH_ANY, "hash '' has wrong length for hash algorithm 'sha256'" },
		{ "", HASH_SHA256, "hash '' has wrong length for hash algorithm 'sha256'" },
		{ ":", HASH_ANY, "unknown hash algorithm '', expect 'md5', 'sha1', 'sha256', or 'sha512'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = ERR_INIT;
		struct hash h;

		if (hash_parse(bad[i].text, strlen(bad[i].text), bad[i].a, &h, NULL, &e) != ERR_INVALID)
			fail_msg("%s", bad[i].text);
		assert_string_equal(e.msg, bad[i].msg);
		err_release(&e);
	}
}

static void empty_hash_is_zero(void **state)
{
	char text[HASH_TEXT_MAX];
	struct err e = ERR_INIT;
	struct hash h;
	int empty = 0;

	(void)state;
	assert_int_equal(hash_parse_or_empty("", 0, HASH_SHA256, &h, &empty, &e), 0);
	assert_true(empty);
	hash_print(&h, HASH_SRI, 1, text);
	assert_string_equal(text, "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	assert_int_equal(hash_parse_or_empty("", 0, HASH_ANY, &h, &empty, &e), ERR_INVALID);
	assert_string_equal(e.msg, "empty hash requires explicit hash algorithm");
	err_release(&e);
	assert_int_equal(hash_parse_or_empty(ABC16, 64, HASH_SHA256, &h, &empty, &e), 0);
	assert_false(empty);
}

static void single_forms(void **state)
{
	struct err e = ERR_INIT;
	enum hash_format f;
	struct hash h;

	(void)state;
	assert_int_equal(hash_parse_sri("sha256-" ABC64, 51, &h, &e), 0);
	assert_int_equal(hash_parse_sri(ABC16, 64, &h, &e), ERR_INVALID);
	err_release(&e);
	assert_int_equal(hash_parse_bare(ABC32, 52, HASH_SHA256, &h, &e), 0);
	assert_int_equal(hash_parse_bare("sha256:" ABC32, 59, HASH_SHA256, &h, &e), ERR_INVALID);
	err_release(&e);
	assert_int_equal(hash_parse_format(ABC16, 64, HASH_SHA256, HASH_BASE16, &h, &e), 0);
	assert_int_equal(hash_parse_format(ABC16, 63, HASH_SHA256, HASH_BASE16, &h, &e), ERR_INVALID);
	err_release(&e);
	assert_int_equal(hash_format_parse("base32", 6, &f, &e), 0);
	assert_int_equal(f, HASH_NIX32);
	assert_int_equal(hash_format_parse("Base32", 6, &f, &e), ERR_INVALID);
	err_release(&e);
}

static void hostile_lengths(void **state)
{
	static const enum hash_format forms[] = { HASH_BASE16, HASH_NIX32, HASH_BASE64, HASH_SRI };
	struct hash h;

	(void)state;
	for (size_t n = 0; n < 2000; n += n < 600 ? 1 : 100)
		for (size_t f = 0; f < 4; f++) {
			/* Its own block, for the sanitizer. */
			char *s = malloc(n ? n : 1);

			memset(s, 'z', n);
			hash_parse_format(s, n, HASH_SHA512, forms[f], &h, NULL);
			hash_parse(s, n, HASH_SHA512, &h, NULL, NULL);
			memset(s, '0', n);
			hash_parse_format(s, n, HASH_SHA512, forms[f], &h, NULL);
			free(s);
		}
}

static void base64_lengths(void **state)
{
	static const char *const texts[] = { "", "YQ==", "YWI=", "YWJj", "YWJjZA==" };
	uint8_t back[16];
	char out[16];

	(void)state;
	for (size_t n = 0; n < 5; n++) {
		size_t len;

		assert_int_equal(BASE64_LEN(n), strlen(texts[n]));
		base64_encode((const uint8_t *)"abcd", n, out);
		assert_memory_equal(out, texts[n], BASE64_LEN(n));
		assert_int_equal(base64_decode(texts[n], BASE64_LEN(n), back, &len, NULL), 0);
		assert_int_equal(len, n);
		assert_memory_equal(back, "abcd", n);
	}
}

static void nix32_round_trips_any_length(void **state)
{
	uint8_t in[70], back[NIX32_MAX(NIX32_LEN(70))];
	char out[NIX32_LEN(70)];

	(void)state;
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i * 37 + 200);
	for (size_t n = 0; n <= sizeof in; n++) {
		size_t len;

		nix32_encode(in, n, out);
		assert_int_equal(nix32_decode(out, NIX32_LEN(n), back, &len, NULL), 0);
		assert_int_equal(len, n);
		assert_memory_equal(in, back, n);
	}
}

static void foreign_bytes_are_shown_safely(void **state)
{
	struct err e = ERR_INIT;
	uint8_t out[8];
	size_t n;

	(void)state;
	assert_int_equal(base16_decode("a\x1b", 2, out, &n, &e), ERR_INVALID);
	assert_string_equal(e.msg, "invalid character in base16 string: byte 0x1b");
	err_release(&e);
	assert_int_equal(base16_decode("abc", 3, out, &n, &e), ERR_INVALID);
	err_release(&e);
}

static void streaming_in_any_pieces(void **state)
{
	char data[1000];

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7);
	for (int a = HASH_MD5; a <= HASH_SHA512; a++)
		for (size_t piece = 1; piece < 200; piece += 13) {
			struct hash want, got, forked;
			struct hash_ctx c, fork;

			hash_bytes((enum hash_algo)a, data, sizeof data, &want);
			hash_init(&c, (enum hash_algo)a);
			for (size_t i = 0; i < sizeof data; i += piece)
				hash_update(&c, data + i, piece < sizeof data - i ? piece : sizeof data - i);
			fork = c;
			hash_final(&c, &got);
			hash_final(&fork, &forked);
			assert_true(hash_eq(&want, &got));
			assert_true(hash_eq(&want, &forked));
		}
}

static void folding(void **state)
{
	uint8_t in[5] = { 1, 2, 4, 8, 16 }, out[2];

	(void)state;
	hash_compress(in, 5, out, 2);
	assert_int_equal(out[0], 1 ^ 4 ^ 16);
	assert_int_equal(out[1], 2 ^ 8);
}

static void files(void **state)
{
	char path[] = "/tmp/gx-hash-XXXXXX";
	int fd = mkstemp(path);
	struct err e = ERR_INIT;
	struct hash h, want;
	uint64_t size;
	char big[100000];

	(void)state;
	assert_true(fd >= 0);
	memset(big, 'q', sizeof big);
	assert_int_equal(write(fd, big, sizeof big), sizeof big);
	close(fd);
	hash_bytes(HASH_SHA256, big, sizeof big, &want);
	assert_int_equal(hash_file(HASH_SHA256, AT_FDCWD, path, &h, &size, &e), 0);
	assert_true(hash_eq(&want, &h));
	assert_int_equal(size, sizeof big);
	unlink(path);
	assert_int_equal(hash_file(HASH_SHA256, AT_FDCWD, path, &h, &size, &e), ERR_NOTFOUND);
	err_release(&e);
	assert_int_equal(hash_file(HASH_SHA256, AT_FDCWD, "/", &h, &size, &e), ERR_IO);
	err_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_and_their_texts),
		cmocka_unit_test(texts_parse_back),
		cmocka_unit_test(accepted_as_nix_does),
		cmocka_unit_test(refused_as_nix_does),
		cmocka_unit_test(empty_hash_is_zero),
		cmocka_unit_test(single_forms),
		cmocka_unit_test(hostile_lengths),
		cmocka_unit_test(base64_lengths),
		cmocka_unit_test(nix32_round_trips_any_length),
		cmocka_unit_test(foreign_bytes_are_shown_safely),
		cmocka_unit_test(streaming_in_any_pieces),
		cmocka_unit_test(folding),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

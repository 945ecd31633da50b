/* SPDX-License-Identifier: MIT
 *
 * Signatures of commits, by keys of SSH: git hands them to ssh-keygen, with a file of the keys that are trusted.
 *
 * No other key counts: not the user's, not one that an agent or GnuPG has, for which no program is started.  git's verdict is
 * one letter ("%G?"), and the fingerprint of the key it names must be that of one of the keys given as well.
 *
 * git takes what its object database holds under a name without computing the name again, so a repository that somebody
 * else may have written proves nothing: hand over one that git_fetch filled, which computes the name of everything it is sent.
 */
#include "config.h"
#include "fetch/git.h"
#include "base/alloc.h"
#include "base/visible.h"
#include "fetch/git_int.h"
#include "format/basen.h"
#include "format/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What Nix calls the kinds, and what their keys call themselves; the last has several curves. */
static const struct {
	const char *type, *name;
} kinds[] = {
	{ "ssh-dsa", "ssh-dss" },
	{ "ssh-ecdsa-sk", "sk-ecdsa-sha2-nistp256@openssh.com" },
	{ "ssh-ed25519", "ssh-ed25519" },
	{ "ssh-ed25519-sk", "sk-ssh-ed25519@openssh.com" },
	{ "ssh-rsa", "ssh-rsa" },
	{ "ssh-ecdsa", "ecdsa-sha2-" },
};

enum { NKINDS = sizeof kinds / sizeof *kinds, KEY_MAX = 16384 };

/* --- keys --- */

static int find_kind(const char *type)
{
	for (int i = 0; i < NKINDS; i++)
		if (!strcmp(kinds[i].type, type))
			return i;
	return -1;
}

/* The bytes of a key begin with the length of its kind's name, 32 bits with the highest first, and the name. */
static int name_fits(int kind, struct slice bytes, struct slice *name)
{
	const uint8_t *p = (const uint8_t *)bytes.p;

	if (bytes.n < 4 || p[0] || p[1])
		return 0;
	*name = (struct slice){ bytes.p + 4, (size_t)p[2] << 8 | p[3] };
	if (name->n > bytes.n - 4)
		return 0;
	return kind == NKINDS - 1 ? slice_starts(*name, slice_of(kinds[kind].name)) : slice_eq(*name, slice_of(kinds[kind].name));
}

static int is_base64(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

	return n && n < KEY_MAX && strspn(s + n, "=") == strlen(s + n);
}

static int bad_key(const struct git_key *k, struct err *e)
{
	struct buf shown = BUF_INIT;
	int rc;

	visible_add(&shown, k->key, strlen(k->key), 0);
	rc = err_set(e, ERR_INVALID, "'%s' is no public key of the kind %s", buf_str(&shown), k->type);
	buf_release(&shown);
	return rc;
}

/* Appends a line that trusts the key, and its fingerprint with a NUL. */
static int add_key(const struct git_key *k, struct buf *trusted, struct buf *prints, struct err *e)
{
	uint8_t bytes[KEY_MAX], sum[HASH_SHA256_LEN];
	char print[BASE64_LEN(HASH_SHA256_LEN) + 1] = "";
	int kind = find_kind(k->type);
	struct slice name = { "", 0 };
	size_t n = 0;

	if (kind < 0)
		return err_set(e, ERR_INVALID, "'%s' is no kind of public key: ssh-ed25519, ssh-ed25519-sk, ssh-rsa, ssh-ecdsa, "
			       "ssh-ecdsa-sk and ssh-dsa are", k->type);
	if (!is_base64(k->key) || base64_decode(k->key, strlen(k->key), bytes, &n, NULL) ||
	    !name_fits(kind, (struct slice){ (const char *)bytes, n }, &name))
		return bad_key(k, e);
	buf_addf(trusted, "* namespaces=\"git\" %.*s %s\n", (int)name.n, name.p, k->key);
	hash_sha256(bytes, n, sum);
	base64_encode(sum, sizeof sum, print);
	buf_addf(prints, "SHA256:%.*s", (int)strcspn(print, "="), print);
	buf_add(prints, "", 1);
	return 0;
}

/* --- asking git --- */

static int is_installed(const char *program)
{
	const char *path = getenv("PATH");
	struct buf b = BUF_INIT;
	int found = 0;

	for (const char *p = path ? path : "/usr/bin:/bin"; !found && *p; p += *p == ':') {
		size_t n = strcspn(p, ":");

		buf_trim(&b, 0);
		buf_addf(&b, "%.*s/%s", (int)n, p, program);
		found = n && !access(b.p, X_OK);
		p += n;
	}
	buf_release(&b);
	return found;
}

/* A file with the text, in *path, to be removed. */
static int write_temp(const struct buf *text, struct buf *path, struct err *e)
{
	int fd;

	buf_addf(path, "%s/gx-keys-XXXXXX", git_temp_folder());
	fd = mkstemp(path->p);
	if (fd < 0)
		return err_errno(e, "cannot make '%s'", path->p);
	int rc = write(fd, text->p, text->len) == (ssize_t)text->len ? 0 : err_errno(e, "cannot write '%s'", path->p);
	close(fd);
	if (rc)
		unlink(path->p);
	return rc;
}

/* Two lines: git's letter, and the fingerprint of the key. */
static int ask(const char *dir, const char *rev, const char *trusted, struct buf *out, struct err *e)
{
	static const char *const settings[] = { "gpg.ssh.program=ssh-keygen", "gpg.program=false", "gpg.openpgp.program=false",
						"gpg.x509.program=false" };
	struct git_call c;

	git_call_init(&c, dir, "");
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		words_add(&c.argv, "-c");
		words_add(&c.argv, settings[i]);
	}
	words_add(&c.argv, "-c");
	words_addf(&c.argv, "gpg.ssh.allowedSignersFile=%s", trusted);
	words_add(&c.argv, "log");
	words_add(&c.argv, "-1");
	words_add(&c.argv, "--no-show-signature");
	words_add(&c.argv, "--format=%G?%n%GF");
	words_add(&c.argv, "--end-of-options");
	words_add(&c.argv, rev);
	return git_call_run(&c, out, NULL, e);
}

static int judge(const struct buf *out, const struct buf *prints, struct err *e)
{
	const char *text = out->len ? out->p : "?", *print = strchr(text, '\n');
	int n = print ? (int)strcspn(print + 1, "\n") : 0;

	if (*text == 'N')
		return err_set(e, ERR_DENIED, "it is not signed");
	if (*text == 'B')
		return err_set(e, ERR_DENIED, "it was changed after it was signed, or its signature was");
	if (*text != 'G' && *text != 'U')
		return err_set(e, ERR_DENIED, "its signature is not one of an SSH key that git can check");
	for (const char *p = prints->p; *text == 'G' && p < prints->p + prints->len; p += strlen(p) + 1)
		if (slice_eq(slice_of(p), (struct slice){ print + 1, (size_t)n }))
			return 0;
	return err_set(e, ERR_DENIED, "it is signed with another key, %.*s: No principal matched.", n, n ? print + 1 : "");
}

int git_verify(const char *dir, const char *rev, const struct git_key *keys, size_t n, struct err *e)
{
	struct buf trusted = BUF_INIT, prints = BUF_INIT, path = BUF_INIT, out = BUF_INIT;
	int rc = git_check_rev(slice_of(rev), e);

	for (size_t i = 0; i < n && !rc; i++)
		rc = add_key(&keys[i], &trusted, &prints, e);
	if (!rc && !n)
		rc = err_set(e, ERR_INVALID, "no public key is given to verify it with");
	if (!rc && !is_installed("ssh-keygen"))
		rc = err_set(e, ERR_NOTFOUND, "verifying it needs ssh-keygen, which is not installed");
	if (!rc && !(rc = write_temp(&trusted, &path, e))) {
		rc = ask(dir, rev, path.p, &out, e);
		unlink(path.p);
	}
	if (!rc)
		rc = judge(&out, &prints, e);
	buf_release(&trusted);
	buf_release(&prints);
	buf_release(&path);
	buf_release(&out);
	return rc;
}

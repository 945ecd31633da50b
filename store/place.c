/* SPDX-License-Identifier: MIT
 *
 * Choosing the place of the store.
 *
 * The logical directory stays /nix/store wherever the files are, so that every hash agrees with everybody else's; only
 * --store-dir changes it, and the mode says so.  A store below another root is of use because builds and shells see it
 * at /nix/store through a mount namespace (PLACE_ROOT, PLACE_USER).
 *
 * Nothing falls back silently: what was asked for and cannot be is refused here with the reason, or by
 * store_open.  A path the user gave is made absolute and real (links resolved as far as it exists), because /proc
 * shows real paths and the collector compares with them.
 */
#include "config.h"
#include "store/place.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/pathname.h"
#include "format/hash.h"
#include "format/path.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char nix_store[] = "/nix/store";

static char *join(const char *a, const char *b)
{
	struct buf out = BUF_INIT;

	buf_adds(&out, a);
	buf_adds(&out, b);
	return buf_detach(&out, NULL);
}

static char *dup_slice(struct slice s)
{
	struct buf out = BUF_INIT;

	buf_add(&out, s.p, s.n);
	return buf_detach(&out, NULL);
}

/* Absolute and normal by text. */
static char *absolute(const char *path)
{
	struct buf b = BUF_INIT;
	char *cwd = *path == '/' ? NULL : getcwd(NULL, 0), *out;

	if (cwd)
		buf_adds(&b, cwd);
	buf_addc(&b, '/');
	buf_adds(&b, path);
	free(cwd);
	out = xmalloc(b.len + 2);
	path_normalise(b.p, b.len, out);
	buf_release(&b);
	return out;
}

/* With links resolved in the part of it that exists. */
static char *real(const char *path)
{
	char *abs = absolute(path), *found = realpath(abs, NULL), *cut, *parent, *out;

	if (found || !abs[1]) {
		free(abs);
		return found ? found : join("/", "");
	}
	cut = strrchr(abs, '/');
	parent = cut == abs ? join("/", "") : dup_slice((struct slice){ abs, (size_t)(cut - abs) });
	found = real(parent);
	out = join(strcmp(found, "/") ? found : "", cut);
	free(parent);
	free(found);
	free(abs);
	return out;
}

void place_release(struct place *p)
{
	free(p->root);
	free(p->store_dir);
	free(p->real_store);
	free(p->state_dir);
	free(p->log_dir);
	free(p->address);
	free(p->features);
	*p = (struct place){ 0 };
}

/* Everything below root (given up to us), with the usual names where none is set yet. */
static void fill(struct place *p, enum place_mode mode, char *root)
{
	p->mode = mode;
	if (!strcmp(root, "/"))
		*root = 0;
	p->root = root;
	if (!p->store_dir)
		p->store_dir = join(nix_store, "");
	if (!p->real_store)
		p->real_store = *root ? join(root, nix_store) : join(p->store_dir, "");
	if (!p->state_dir)
		p->state_dir = join(root, "/nix/var/nix");
	if (!p->log_dir)
		p->log_dir = join(root, "/nix/var/log/nix");
	if (!*root && strcmp(p->store_dir, nix_store))
		p->mode = PLACE_RELOCATED;
}

/* A store directory of one's own must be called store: its state lies beside it, and two stores in one folder
 * would share that. */
static int check_store_dir(const char *dir, struct err *e)
{
	size_t n = strlen(dir);

	if (dir[0] != '/')
		return err_set(e, ERR_INVALID, "the store directory '%s' is not an absolute path", dir);
	if (n < 7 || strcmp(dir + n - 6, "/store"))
		return err_set(e, ERR_INVALID, "the store directory '%s' must be called 'store' in a folder of its own, such as "
					       "'%s/store': the database goes into that folder too", dir, dir);
	if (strpbrk(dir, ":\n\"'\\$ \t"))
		return err_set(e, ERR_INVALID, "the store directory '%s' has a character that would break PATH and scripts", dir);
	return 0;
}

/* --store-dir without --store: state and logs lie beside it. */
static int relocate(struct place *p, const char *dir, struct err *e)
{
	char *abs = real(dir), *parent;
	int rc = check_store_dir(abs, e);

	if (rc) {
		free(abs);
		return rc;
	}
	parent = dup_slice((struct slice){ abs, strlen(abs) - 6 });
	p->store_dir = abs;
	p->state_dir = join(parent, "/var/nix");
	p->log_dir = join(parent, "/var/log/nix");
	free(parent);
	fill(p, PLACE_RELOCATED, join("", ""));
	return 0;
}

/* --- Nix's variables --- */

static int obeyed;

void place_obey_environment(void)
{
	obeyed = 1;
}

int place_obeys_environment(void)
{
	return obeyed;
}

/* What a variable says; NULL when it says nothing. */
static const char *said(const char *name)
{
	const char *text = obeyed ? getenv(name) : NULL;

	return text && *text ? text : NULL;
}

/* The store directory that a variable names, for a store that lies elsewhere. */
static void store_dir_said(struct place *p)
{
	if (!p->store_dir && said("NIX_STORE_DIR"))
		p->store_dir = absolute(said("NIX_STORE_DIR"));
}

/* --- parts of addresses --- */

static void decode(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const char *hex = "0123456789abcdef", *a, *b;
		if (s.p[i] == '%' && i + 2 < s.n && (a = strchr(hex, s.p[i + 1] | 32)) && (b = strchr(hex, s.p[i + 2] | 32))) {
			buf_addc(out, (char)((a - hex) << 4 | (b - hex)));
			i += 2;
		} else {
			buf_addc(out, s.p[i]);
		}
	}
}

/* What follows `name=` behind the '?' of an address, NULL when nothing does. */
static char *parameter(const char *address, const char *name)
{
	const char *q = strchr(address, '?');
	size_t n = strlen(name);

	for (const char *s = q ? q + 1 : ""; *s; s += strcspn(s, "&"), s += strspn(s, "&"))
		if (!strncmp(s, name, n) && s[n] == '=') {
			struct buf b = BUF_INIT;

			decode(&b, (struct slice){ s + n + 1, strcspn(s + n + 1, "&") });
			return buf_detach(&b, NULL);
		}
	return NULL;
}

int place_is_dummy(const char *address)
{
	return !strncmp(address, "dummy://", 8);
}

int place_is_nowhere(const struct place_request *r, char **store_dir)
{
	const char *remote = said("NIX_REMOTE"), *named = r->store && *r->store ? r->store : remote;
	struct place p = { 0 };

	if (!named || !place_is_dummy(named))
		return 0;
	char *dir = parameter(named, "store");
	p.store_dir = dir ? absolute(dir) : NULL;
	free(dir);
	store_dir_said(&p);
	*store_dir = p.store_dir ? p.store_dir : join(nix_store, "");
	return 1;
}

/* --- local?root=… --- */

/* What settings are otherwise; 0 when it is none of these. */
static int take_setting(struct place *p, struct slice key, const char *value)
{
	if (slice_eq(key, SLICE("require-sigs"))) {
		p->takes_unsigned = !strcmp(value, "false") || !strcmp(value, "0");
	} else if (slice_eq(key, SLICE("system-features"))) {
		free(p->features);
		p->features = join(value, "");
	} else {
		return 0;
	}
	return 1;
}

static int take_parameter(struct place *p, char **root, struct slice key, struct slice value, struct err *e)
{
	struct buf b = BUF_INIT;
	char **field = slice_eq(key, SLICE("root"))  ? root :
		       slice_eq(key, SLICE("store")) ? &p->store_dir :
		       slice_eq(key, SLICE("real"))  ? &p->real_store :
		       slice_eq(key, SLICE("state")) ? &p->state_dir :
		       slice_eq(key, SLICE("log"))   ? &p->log_dir :
						       NULL;

	int rc = 0;

	decode(&b, value);
	if (field) {
		free(*field);
		*field = real(buf_str(&b));
	} else if (!take_setting(p, key, buf_str(&b))) {
		rc = err_set(
			e, ERR_INVALID,
			"the store has no parameter '%.*s'; it has root, store, real, state, log, system-features and require-sigs",
			(int)key.n, key.p);
	}
	buf_release(&b);
	return rc;
}

/* NAME, or a folder below NIX_LOCALSTATE_DIR; NULL for the usual place. */
static char *state_folder(const char *name, const char *below)
{
	const char *text = said(name), *local = said("NIX_LOCALSTATE_DIR");

	return text ? real(text) : local ? join(local, below) : NULL;
}

/* What stands behind the '?'; root: what stands before it, ours, may be NULL. */
static int parse_local(struct place *p, const char *text, char *root, struct err *e)
{
	const char *q = strchr(text, '?'), *path = strstr(text, "://");
	int rc = 0;

	if (!root && path && path[3] && path + 3 != q) {
		struct buf b = BUF_INIT;

		decode(&b, (struct slice){ path + 3, q ? (size_t)(q - path - 3) : strlen(path + 3) });
		root = real(buf_str(&b));
		buf_release(&b);
	}
	for (const char *s = q ? q + 1 : ""; !rc && *s; s += strspn(s, "&")) {
		size_t n = strcspn(s, "&"), k = strcspn(s, "=&");
		struct slice value = { s + k + 1, k < n ? n - k - 1 : 0 };
		rc = take_parameter(p, &root, (struct slice){ s, k }, value, e);
		s += n;
	}
	if (rc) {
		free(root);
		return rc;
	}
	store_dir_said(p);
	if (!root && !p->state_dir)
		p->state_dir = state_folder("NIX_STATE_DIR", "/nix");
	if (!root && !p->log_dir)
		p->log_dir = state_folder("NIX_LOG_DIR", "/log/nix");
	fill(p, root && root[1] ? PLACE_ROOT : PLACE_SYSTEM, root ? root : join("", ""));
	return 0;
}

/* --- addresses --- */

/* One folder for each address and process. */
static void view(struct place *p, const char *address)
{
	const char *tmp = getenv("TMPDIR");
	struct buf b = BUF_INIT;
	uint8_t digest[HASH_SHA256_LEN];

	hash_sha256(address, strlen(address), digest);
	buf_addf(&b, "%s/gx-view-%ld-%02x%02x%02x", tmp && *tmp ? tmp : "/tmp", (long)getpid(), digest[0], digest[1], digest[2]);
	if (!p->store_dir)
		p->store_dir = parameter(address, "store");
	store_dir_said(p);
	p->address = join(address, "");
	fill(p, PLACE_VIEW, real(buf_str(&b)));
	buf_release(&b);
}

int place_keeps_nothing(const struct place *p)
{
	char *word = place_is_dummy(p->address) ? parameter(p->address, "read-only") : NULL;
	int writable = word && (!strcmp(word, "false") || !strcmp(word, "0"));

	free(word);
	return place_is_dummy(p->address) && !writable;
}

/* --- choosing --- */

static int owns_nix(void)
{
	struct stat st;

	return geteuid() == 0 || (lstat("/nix", &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid());
}

static int user_root(struct place *p, struct err *e)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	struct passwd *pw;
	char *dir, *abs;

	if (!data || data[0] != '/') {
		if ((!home || home[0] != '/') && (pw = getpwuid(geteuid())))
			home = pw->pw_dir;
		if (!home || home[0] != '/')
			return err_set(e, ERR_INVALID, "no place for a store: /nix belongs to another user, and neither "
						       "XDG_DATA_HOME nor HOME names a folder; use --store ROOT");
		dir = join(home, "/.local/share/gx/root");
	} else {
		dir = join(data, "/gx/root");
	}
	abs = real(dir);
	free(dir);
	fill(p, PLACE_USER, abs);
	return 0;
}

int place_is_word(const char *address, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(address, word, n) && (!address[n] || address[n] == '?');
}

static int choose_named(struct place *p, const char *store, struct err *e)
{
	if (place_is_word(store, "local") || !strncmp(store, "local://", 8))
		return parse_local(p, store, NULL, e);
	if (place_is_word(store, "daemon") || strstr(store, "://")) {
		view(p, store);
		return 0;
	}
	struct stat st;
	if (!strchr(store, '/') && (stat(store, &st) < 0 || !S_ISDIR(st.st_mode)))
		return err_set(e, ERR_INVALID, "'%s' is no store: --store takes a directory ('./%s'), 'auto' or 'local'", store,
			       store);
	const char *q = strchr(store, '?');

	/* A folder may be called so; parameters have values. */
	q = q && strchr(q, '=') ? q : NULL;
	char *before = xstrndup(store, q ? (size_t)(q - store) : strlen(store)), *root = real(before);

	free(before);
	return parse_local(p, q ? q : "", root, e);
}

/* --- folders of Nix's variables --- */

/* The folders that variables name, for a store of no other root; 0 when they name none. */
static int folders_said(struct place *p)
{
	const char *dir = said("NIX_STORE_DIR") ? said("NIX_STORE_DIR") : said("NIX_STORE");

	p->state_dir = state_folder("NIX_STATE_DIR", "/nix");
	if (!dir && !p->state_dir)
		return 0;
	p->store_dir = dir ? real(dir) : NULL;
	p->log_dir = state_folder("NIX_LOG_DIR", "/log/nix");
	fill(p, PLACE_SYSTEM, join("", ""));
	return 1;
}

/* A machine with Nix's daemon says so to everybody. */
static int daemon_listens(void)
{
	const char *socket = said("NIX_DAEMON_SOCKET_PATH"), *state = said("NIX_STATE_DIR");
	char *usual = join(state ? state : "/nix/var/nix", "/daemon-socket/socket");
	int yes = !access(socket ? socket : usual, W_OK);

	free(usual);
	return yes;
}

int place_choose(struct place *p, const struct place_request *r, struct err *e)
{
	const char *remote = said("NIX_REMOTE");
	/* Where it does not listen, or not to this user, he has a store of his own. */
	const char *usual = remote && (strcmp(remote, "daemon") || daemon_listens()) ? remote : "auto";
	const char *named = r->store && *r->store ? r->store : usual, *store = strcmp(named, "auto") ? named : NULL;
	const char *dir = r->store_dir && *r->store_dir && strcmp(r->store_dir, nix_store) ? r->store_dir : NULL;
	int rc = 0;

	*p = (struct place){ 0 };
	if (!store && !dir && folders_said(p))
		return 0;
	if (!store && dir)
		return relocate(p, dir, e);
	if (dir) {
		p->store_dir = absolute(dir);
		rc = check_store_dir(p->store_dir, e);
	}
	if (!rc && store)
		rc = choose_named(p, store, e);
	else if (!rc && owns_nix())
		fill(p, PLACE_SYSTEM, join("", ""));
	else if (!rc)
		rc = user_root(p, e);
	if (rc)
		place_release(p);
	return rc;
}

int place_is_mapped(const struct place *p)
{
	return p->mode != PLACE_VIEW && strcmp(p->store_dir, p->real_store) != 0;
}

static void add_parameter(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "%c%s=", strchr(buf_str(b), '?') ? '&' : '?', name);
	for (; *value; value++)
		if (strchr("%&?#+ ", *value) || (unsigned char)*value < ' ')
			buf_addf(b, "%%%02x", (unsigned)(unsigned char)*value);
		else
			buf_addc(b, *value);
}

char *place_address(const struct place *p)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "local");
	if (*p->root)
		add_parameter(&b, "root", p->root);
	add_parameter(&b, "store", p->store_dir);
	add_parameter(&b, "real", p->real_store);
	add_parameter(&b, "state", p->state_dir);
	add_parameter(&b, "log", p->log_dir);
	if (p->features)
		add_parameter(&b, "system-features", p->features);
	if (p->takes_unsigned)
		add_parameter(&b, "require-sigs", "false");
	return buf_detach(&b, NULL);
}

char *place_describe(const struct place *p)
{
	struct buf b = BUF_INIT;

	switch (p->mode) {
	case PLACE_SYSTEM:
		buf_addf(&b, "the store of this machine, in '%s'", p->real_store);
		break;
	case PLACE_ROOT:
		buf_addf(&b, "a store below '%s'; builds and shells see it as '%s' through a mount namespace", p->root,
			 p->store_dir);
		break;
	case PLACE_USER:
		buf_addf(&b, "the store of this user, in '%s'; builds and shells see it as '%s' through a mount namespace",
			 p->root, p->store_dir);
		break;
	case PLACE_VIEW: buf_addf(&b, "the store '%s'", p->address); break;
	case PLACE_RELOCATED:
		buf_addf(&b, "a relocated store in '%s': its paths differ from those of '%s', so no binary cache fits it",
			 p->real_store, nix_store);
		break;
	}
	return buf_detach(&b, NULL);
}

char *place_real(const struct place *p, struct slice logical)
{
	struct buf b = BUF_INIT;

	if (!store_path_is_inside(slice_of(p->store_dir), logical))
		return NULL;
	buf_adds(&b, p->real_store);
	buf_add(&b, logical.p + strlen(p->store_dir), logical.n - strlen(p->store_dir));
	return buf_detach(&b, NULL);
}

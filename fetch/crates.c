/* SPDX-License-Identifier: MIT
 *
 * Which registry it is: as cargo has it, the public one or what some file says stands for that.  No command of cargo prints that,
 * so it is made to ask, in a folder of its own with the settings of the user's, and what it was told is read.
 */
#include "config.h"
#include "fetch/crates.h"
#include "base/json.h"
#include "fetch/client.h"
#include "fetch/fetch_settings.h"

#include <string.h>

int crates_configured(struct slice text, struct buf *out)
{
	struct buf scratch = BUF_INIT;
	struct err ignored = ERR_INIT;
	struct json_reader r;
	enum json_event ev;
	size_t start = out->len;
	int is_dl = 0;

	json_reader_init(&r, text.p, text.n, &scratch, &ignored);
	while ((ev = json_next(&r)) > JSON_END) {
		if (is_dl && ev == JSON_STRING) {
			buf_trim(out, start);
			buf_add(out, r.str, r.len);
		}
		is_dl = ev == JSON_KEY && r.depth == 1 && slice_eq((struct slice){ r.str, r.len }, SLICE("dl"));
	}
	if (ev == JSON_ERROR)
		buf_trim(out, start);
	err_release(&ignored);
	buf_release(&scratch);
	return out->len > start;
}

/* Nothing, where there is no cargo, or an old one.  It reads the index for a package that everybody has. */
static void ask_cargo(struct buf *out)
{
	static const char script[] =
		"d=$(mktemp -d) && cd \"$d\" && mkdir home src && : >src/lib.rs || exit 1\n"
		"trap 'rm -rf \"$d\"' EXIT\n"
		"for f in config config.toml credentials.toml; do\n"
		"	f=${CARGO_HOME:-$HOME/.cargo}/$f; [ ! -e \"$f\" ] || ln -s \"$f\" home || exit\n"
		"done\n"
		"printf '[package]\\nname = \"ask\"\\nversion = \"0.0.0\"\\nedition = \"2018\"\\n[dependencies]\\ncfg-if = "
		"\"1\"\\n' >Cargo.toml\n"
		"CARGO_HOME=$d/home cargo generate-lockfile --quiet && cat home/registry/index/*/config.json\n";
	static const char *const question[] = { "sh", "-c", script };
	struct buf text = BUF_INIT;

	client_answer(question, sizeof question / sizeof *question, &text);
	crates_configured((struct slice){ buf_str(&text), text.len }, out);
	buf_release(&text);
}

void crates_registry(struct buf *out)
{
	const char *chosen = fetch_settings.crates_registry;

	if (chosen)
		buf_adds(out, chosen);
	else
		ask_cargo(out);
}

/* --- addresses --- */

/* The folder of a crate in an index: 1/a, 2/ab, 3/a/abc, ab/cd/abcdef. */
static void add_prefix(struct buf *out, struct slice name, int is_lower)
{
	size_t at = out->len;

	if (name.n < 3)
		buf_addf(out, "%zu", name.n);
	else if (name.n == 3)
		buf_addf(out, "3/%.1s", name.p);
	else
		buf_addf(out, "%.2s/%.2s", name.p, name.p + 2);
	for (; is_lower && at < out->len; at++)
		if (out->p[at] >= 'A' && out->p[at] <= 'Z')
			out->p[at] += 'a' - 'A';
}

/* What a marker in `dl` stands for; 0 when it is none that is known. */
static int add_marker(struct buf *out, struct slice marker, struct slice name, struct slice version)
{
	if (slice_eq(marker, SLICE("{crate}")))
		buf_add(out, name.p, name.n);
	else if (slice_eq(marker, SLICE("{version}")))
		buf_add(out, version.p, version.n);
	else if (slice_eq(marker, SLICE("{prefix}")) || slice_eq(marker, SLICE("{lowerprefix}")))
		add_prefix(out, name, marker.n > sizeof "{prefix}" - 1);
	else
		return 0;
	return 1;
}

int crates_address(const char *registry, struct slice crate, struct buf *out, struct err *e)
{
	const char *slash = memchr(crate.p, '/', crate.n);
	int markers = 0;

	if (!*registry)
		return err_set(e, ERR_NOTFOUND,
			       "no registry of crates is known here: there is no cargo, or one before 1.70, and no setting "
			       "'crates-registry'");
	if (!slash || slash == crate.p)
		return err_set(e, ERR_INVALID, "'crates://%.*s' must have a name and a version: crates://NAME/VERSION",
			       (int)crate.n, crate.p);
	struct slice name = { crate.p, (size_t)(slash - crate.p) }, version = { slash + 1, crate.n - name.n - 1 };

	for (const char *p = registry; *p;) {
		const char *close = *p == '{' ? strchr(p, '}') : NULL;

		if (close && add_marker(out, (struct slice){ p, (size_t)(close + 1 - p) }, name, version)) {
			markers = 1;
			p = close + 1;
		} else {
			buf_addc(out, *p++);
		}
	}
	if (!markers)
		buf_addf(out, "/%.*s/%.*s/download", (int)name.n, name.p, (int)version.n, version.p);
	return 0;
}

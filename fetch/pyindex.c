/* SPDX-License-Identifier: MIT
 *
 * As pip has it, but for what would run programs or ask: find-links, extra indexes and keyrings are not looked at.  Of the files
 * that pip reads the one that counts most is asked first.  Where nobody chose an index, pip itself knows which one it would ask.
 */
#include "config.h"
#include "fetch/pyindex.h"
#include "base/arena.h"
#include "base/limits.h"
#include "fetch/client.h"
#include "fetch/fetch_settings.h"
#include "fetch/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- which one --- */

/* "index-url", with either dash. */
static int is_index_url(struct slice name)
{
	return name.n == 9 && !strncasecmp(name.p, "index", 5) && (name.p[5] == '-' || name.p[5] == '_') &&
	       !strncasecmp(name.p + 6, "url", 3);
}

int pyindex_configured(struct slice text, struct buf *out)
{
	size_t start = out->len;
	int ours = 0;

	while (text.n) {
		struct slice line = slice_trim(slice_cut(&text, '\n')), name = { line.p, 0 };

		if (line.n && *line.p == '[') {
			ours = slice_eq(line, SLICE("[global]")) || slice_eq(line, SLICE("[download]"));
			continue;
		}
		while (name.n < line.n && !strchr("=:", line.p[name.n]))
			name.n++;
		if (!ours || name.n == line.n || !is_index_url(slice_trim(name)))
			continue;
		struct slice value = slice_trim((struct slice){ line.p + name.n + 1, line.n - name.n - 1 });

		buf_trim(out, start);
		buf_add(out, value.p, value.n);
	}
	return out->len > start;
}

static int in_folder(const char *variable, const char *rest, struct buf *out)
{
	const char *folder = getenv(variable);
	struct buf path = BUF_INIT;
	int found = 0;

	if (folder && *folder) {
		buf_addf(&path, "%s%s", folder, rest);
		found = client_file(buf_str(&path), pyindex_configured, out);
	}
	buf_release(&path);
	return found;
}

static int in_files(struct buf *out)
{
	const char *config = getenv("XDG_CONFIG_HOME");

	return in_folder("PIP_CONFIG_FILE", "", out) || in_folder("VIRTUAL_ENV", "/pip.conf", out) ||
	       (config && *config ? in_folder("XDG_CONFIG_HOME", "/pip/pip.conf", out)
				  : in_folder("HOME", "/.config/pip/pip.conf", out)) ||
	       in_folder("HOME", "/Library/Application Support/pip/pip.conf", out) || in_folder("HOME", "/.pip/pip.conf", out) ||
	       client_file("/etc/pip.conf", pyindex_configured, out) ||
	       client_file("/etc/xdg/pip/pip.conf", pyindex_configured, out);
}

/* Nothing, where there is no pip.  It is not to take itself out of the current folder (-I). */
static void ask_pip(struct buf *out)
{
	static const char *const question[] = { "python3", "-I", "-c",
						"from pip._internal.models.index import PyPI; print(PyPI.simple_url)" };

	client_answer(question, sizeof question / sizeof *question, out);
}

void pyindex_address(struct buf *out)
{
	const char *file = getenv("PIP_CONFIG_FILE"), *chosen = fetch_settings.python_index;

	if (!chosen)
		chosen = getenv("PIP_INDEX_URL");
	if (chosen && *chosen)
		buf_adds(out, chosen);
	else if ((file && !strcmp(file, "/dev/null")) || !in_files(out))
		ask_pip(out);
}

/* --- what it has --- */

/* The value of the next href, as it stands there; 0 when there is no more. */
static int next_href(struct slice *page, struct slice *value)
{
	for (const char *p; (p = memmem(page->p, page->n, "href=", 5));) {
		size_t skipped = (size_t)(p + 5 - page->p);

		page->p += skipped;
		page->n -= skipped;
		if (!page->n || (*page->p != '"' && *page->p != '\''))
			continue;
		const char *end = memchr(page->p + 1, *page->p, page->n - 1);

		if (!end)
			return 0;
		*value = (struct slice){ page->p + 1, (size_t)(end - page->p - 1) };
		return 1;
	}
	return 0;
}

/* Whether the last part of an address is this file. */
static int is_file(struct slice address, struct slice file)
{
	struct arena mem = ARENA_INIT;
	struct err ignored = ERR_INIT;
	struct slice name, last = address;
	int same = 0;

	for (size_t i = 0; i < address.n; i++)
		if (address.p[i] == '/')
			last = (struct slice){ address.p + i + 1, address.n - i - 1 };
	same = !url_decode(last, &mem, &name, &ignored) && slice_eq(name, file);
	err_release(&ignored);
	arena_release(&mem);
	return same;
}

/* The length of "scheme://host" in an absolute address. */
static size_t origin_len(const char *address)
{
	const char *host = strstr(address, "://");

	return host ? (size_t)(host + 3 - address) + strcspn(host + 3, "/?#") : strlen(address);
}

/* An address as it stands on the page at another.  Dots in it are for who fetches it. */
static void resolve(struct buf *out, const char *base, struct slice link)
{
	const char *slash = strrchr(base, '/');

	if (slice_starts(link, SLICE("//")))
		buf_add(out, base, strcspn(base, "/"));
	else if (slice_starts(link, SLICE("/")))
		buf_add(out, base, origin_len(base));
	else if (!memmem(link.p, link.n, "://", 3))
		buf_add(out, base, slash ? (size_t)(slash + 1 - base) : 0);
	buf_add(out, link.p, link.n);
}

int pyindex_link(struct slice page, const char *address, struct slice file, struct buf *out)
{
	for (struct slice link; next_href(&page, &link);) {
		for (size_t i = 0; i < link.n; i++)
			if (strchr("?#", link.p[i]))
				link.n = i;
		if (is_file(link, file)) {
			resolve(out, address, link);
			return 1;
		}
	}
	return 0;
}

int pyindex_find(struct transfer_engine *g, const char *index, struct slice project, struct slice file, struct buf *out,
		 struct err *e)
{
	struct buf url = BUF_INIT, page = BUF_INIT, shown = BUF_INIT;
	struct transfer_request q = { .accept = "application/vnd.pypi.simple.v1+html, text/html;q=0.1",
				      .max_size = LIMIT_PYTHON_INDEX,
				      .write = transfer_write_buf,
				      .restart = transfer_restart_buf,
				      .user = &page };
	struct transfer_result r = { 0 };
	size_t n = strlen(index);

	if (!*index)
		return err_set(e, ERR_NOTFOUND,
			       "no index of Python packages is known here: there is no pip, no PIP_INDEX_URL, no setting "
			       "'python-index'");
	while (n && index[n - 1] == '/')
		n--;
	buf_addf(&url, "%.*s/%.*s/", (int)n, index, (int)project.n, project.p);
	q.url = buf_str(&url);
	int rc = transfer_get(g, &q, &r, e);

	if (!rc && !pyindex_link((struct slice){ buf_str(&page), page.len }, r.final_url ? r.final_url : q.url, file, out)) {
		transfer_show_url(&shown, q.url);
		rc = err_set(e, ERR_NOTFOUND, "'%s' has no '%.*s'", buf_str(&shown), (int)file.n, file.p);
	}
	transfer_result_release(&r);
	buf_release(&shown);
	buf_release(&page);
	buf_release(&url);
	return rc;
}

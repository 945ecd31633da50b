/* SPDX-License-Identifier: MIT
 *
 * Two printers over one small tree.  Depth is that of archives, which is limited.
 */
#include "config.h"
#include "cli/listing.h"
#include "base/alloc.h"
#include "cli/command.h"
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

enum { O_LONG = 1, O_RECURSIVE, O_DIRECTORY_ITSELF };

const struct option listing_option_table[] = {
	{ O_LONG, 'l', "long", NULL, "Show types, sizes and targets of links." },
	{ O_RECURSIVE, 'R', "recursive", NULL, "Show folders with all that is in them." },
	{ O_DIRECTORY_ITSELF, 'd', "directory", NULL, "Show a folder itself, not what is in it." },
	OPTION_JSON,
	{ 0 }
};

int listing_option(void *arg, int id, char **values)
{
	struct listing_options *o = arg;

	(void)values;
	switch (id) {
	case O_LONG: o->details = 1; break;
	case O_RECURSIVE: o->recursive = 1; break;
	case O_DIRECTORY_ITSELF: o->directory = 1; break;
	}
	return 0;
}

struct node *node_new(struct node *up, const char *name, enum nar_type type)
{
	struct node *n = xcalloc(1, sizeof *n);

	n->name = xstrdup(name);
	n->type = type;
	n->up = up;
	if (!up)
		return n;
	if (!(up->n & (up->n + 1)))
		up->entries = xrealloc_array(up->entries, 2 * up->n + 2, sizeof *up->entries);
	return up->entries[up->n++] = n;
}

void node_free(struct node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		node_free(n->entries[i]);
	free(n->entries);
	free(n->name);
	free(n->target);
	free(n);
}

struct node *node_find(struct node *n, const char *path, struct err *e)
{
	const char *p = path + strspn(path, "/");

	while (*p) {
		size_t len = strcspn(p, "/"), i = 0;
		while (i < n->n && (strlen(n->entries[i]->name) != len || memcmp(n->entries[i]->name, p, len)))
			i++;
		if (i == n->n) {
			err_set(e, ERR_NOTFOUND, "path '%s' does not exist", path);
			return NULL;
		}
		n = n->entries[i];
		p += len + strspn(p + len, "/");
	}
	return n;
}

/* --- text --- */

static void add_line(struct buf *b, const struct node *n, const char *path, const struct listing_options *o)
{
	const char *mode = n->type == NAR_DIRECTORY ? "dr-xr-xr-x" :
			   n->type == NAR_SYMLINK   ? "lrwxrwxrwx" :
			   n->executable	    ? "-r-xr-xr-x" :
						      "-r--r--r--";

	if (o->details)
		buf_addf(b, "%s %20llu ", mode, (unsigned long long)n->size);
	buf_adds(b, path);
	if (o->details && n->type == NAR_SYMLINK)
		buf_addf(b, " -> %s", n->target);
	buf_addc(b, '\n');
}

static void add_entries(struct buf *b, const struct node *n, const char *path, const struct listing_options *o)
{
	for (size_t i = 0; i < n->n; i++) {
		struct buf below = BUF_INIT;
		buf_addf(&below, "%s/%s", path, n->entries[i]->name);
		add_line(b, n->entries[i], below.p, o);
		if (o->recursive && n->entries[i]->type == NAR_DIRECTORY)
			add_entries(b, n->entries[i], below.p, o);
		buf_release(&below);
	}
}

/* --- JSON --- */

static void add_json(struct buf *b, const struct node *n, const struct listing_options *o, int top)
{
	buf_addf(b, "{\"type\":\"%s\"", nar_type_name(n->type));
	if (n->type == NAR_REGULAR) {
		buf_addf(b, ",\"size\":%llu", (unsigned long long)n->size);
		buf_addf(b, ",\"executable\":%s", n->executable ? "true" : "false");
		if (n->nar_offset)
			buf_addf(b, ",\"narOffset\":%llu", (unsigned long long)n->nar_offset);
	} else if (n->type == NAR_SYMLINK) {
		buf_adds(b, ",\"target\":");
		output_json_string(b, n->target, strlen(n->target));
	} else if (n->type == NAR_DIRECTORY && !(top && o->directory)) {
		buf_adds(b, ",\"entries\":{");
		for (size_t i = 0; i < n->n; i++) {
			if (i)
				buf_addc(b, ',');
			output_json_string(b, n->entries[i]->name, strlen(n->entries[i]->name));
			buf_addc(b, ':');
			if (o->recursive)
				add_json(b, n->entries[i], o, 0);
			else
				buf_adds(b, "{}");
		}
		buf_addc(b, '}');
	}
	buf_addc(b, '}');
}

void listing_add(struct buf *b, const struct node *n, const char *name, const struct listing_options *o)
{
	if (o->json) {
		add_json(b, n, o, 1);
		buf_addc(b, '\n');
		return;
	}
	if (n->type != NAR_DIRECTORY || o->directory)
		add_line(b, n, n->type == NAR_DIRECTORY ? "." : name, o);
	if (n->type == NAR_DIRECTORY && (!o->directory || o->recursive))
		add_entries(b, n, ".", o);
}

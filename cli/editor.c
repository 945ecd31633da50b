/* SPDX-License-Identifier: MIT
 *
 * The editor's name may hold options, so a shell takes it apart; the file is a word of its own.
 */
#include "config.h"
#include "cli/editor.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/source.h"
#include "eval/attrs.h"
#include "eval/builtin.h"
#include "eval/eval.h"
#include "flake/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct editor_place place_of_pos(uint32_t pos)
{
	struct source_loc loc;
	struct editor_place p = { NULL, 0 };

	if (!source_locate(pos, &loc) && loc.src->path)
		p = (struct editor_place){ loc.src->path, loc.line };
	return p;
}

/* Where a file lies that is called by its store path. */
static const char *lies_at(const char *file)
{
	const struct flake_tree *t = source_tree_at(file, strlen(file));
	size_t n = strlen(eval_settings.store_dir) + 1;
	struct buf b = BUF_GC;

	if (!t || strlen(file) < n)
		return file;
	buf_addf(&b, "%s%s", t->place, file + n + strcspn(file + n, "/"));
	return b.p;
}

/* meta.position of a package: "FILE:LINE". */
static struct editor_place place_of_package(W set)
{
	struct editor_place p = { NULL, 0 };
	W *meta = attrs_find_c(set, "meta");
	W *position = meta && W_TAG(force_at(meta)) == TAG_ATTRS ? attrs_find_c(force_at(meta), "position") : NULL;

	if (!position)
		return p;
	struct str *s = want_string(*position, "the attribute 'meta.position'");
	const char *colon = strrchr(s->b, ':');
	char *end = NULL;
	unsigned long line = colon ? strtoul(colon + 1, &end, 10) : 0;
	if (!colon || end == colon + 1 || *end || line > UINT32_MAX)
		throw_error(EK_EVAL, "the attribute 'meta.position' is no 'FILE:LINE', but '%s'", s->b);
	struct buf file = BUF_GC;
	buf_add(&file, s->b, (size_t)(colon - s->b));
	return (struct editor_place){ lies_at(buf_str(&file)), (uint32_t)line };
}

static struct editor_place place_of_set(W set)
{
	struct editor_place p = place_of_package(set);

	if (!p.file && attrs_count(set))
		p = place_of_pos(shape_pos(attrs_of(set)->sh, attrs_order(attrs_of(set))[0]));
	return p;
}

struct editor_place editor_place_of(W v)
{
	uint32_t pos = 0;

	if (w_is_path(v))
		return (struct editor_place){ lies_at(w_path_text(v)->b), 1 };
	if (w_is_str(v))
		return (struct editor_place){ lies_at(w_get_str(v)->b), 1 };
	if (W_TAG(v) == TAG_ATTRS)
		return place_of_set(v);
	if (w_is_function(v))
		function_name(v, &pos);
	return place_of_pos(pos);
}

/* Editors that take "+LINE" before the file. */
static int takes_line(const char *editor)
{
	static const char *const names[] = { "vi", "vim", "nvim", "nano", "emacs", "kak", "micro", "joe", NULL };
	size_t n = strcspn(editor, " ");
	const char *base = memrchr(editor, '/', n);

	base = base ? base + 1 : editor;
	for (size_t i = 0; names[i]; i++)
		if (!strncmp(base, names[i], strlen(names[i])) && strchr(" ", base[strlen(names[i])]))
			return 1;
	return 0;
}

char **editor_words(const struct editor_place *at)
{
	const char *editor = getenv("VISUAL") ? getenv("VISUAL") : getenv("EDITOR");
	struct buf file = BUF_INIT, line = BUF_INIT;
	char **words = xcalloc(7, sizeof *words);
	size_t n = 0;

	if (!editor || !*editor)
		editor = "vi";
	setenv("EDITOR_NAMED", editor, 1);
	buf_adds(&file, at->file);
	source_show_places(&file);
	buf_addf(&line, "+%u", at->line);
	words[n++] = (char *)"sh";
	words[n++] = (char *)"-c";
	words[n++] = (char *)"eval \"$EDITOR_NAMED\" '\"$@\"'";
	words[n++] = (char *)"sh";
	if (takes_line(editor))
		words[n++] = buf_detach(&line, NULL);
	words[n] = buf_detach(&file, NULL);
	buf_release(&line);
	return words;
}

/* SPDX-License-Identifier: MIT
 *
 * The language of man(7) is lines: those that begin with a dot or a quote are requests, all others text.  Manual pages show
 * '-', '^', '~', '`' and quotes as typographers' ones unless they are written as names, so that what is copied out of a page is
 * what was meant.  Pages have no date: what is built twice is the same.
 */
#include "config.h"
#include "cli/manual.h"
#include "base/fdio.h"
#include "cli/eval_main.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/settings_int.h"
#include "cli/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* --- text --- */

static void add_char(struct buf *b, char c, int first)
{
	switch (c) {
	case '\\': buf_adds(b, "\\e"); return;
	case '-': buf_adds(b, "\\-"); return;
	case '^': buf_adds(b, "\\(ha"); return;
	case '~': buf_adds(b, "\\(ti"); return;
	case '`': buf_adds(b, "\\(ga"); return;
	case '\'': buf_adds(b, "\\(aq"); return;
	case '"': buf_adds(b, "\\(dq"); return;
	case '.': buf_adds(b, first ? "\\&." : "."); return;
	}
	buf_addc(b, c);
}

static void add_text(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_char(b, text[i], !b->len || b->p[b->len - 1] == '\n');
}

static void add_bold(struct buf *b, const char *text, size_t n)
{
	buf_adds(b, "\\fB");
	add_text(b, text, n);
	buf_adds(b, "\\fR");
}

/* Words in capitals are what somebody puts there. */
static int is_placeholder(const char *word, size_t n)
{
	size_t capitals = 0;

	for (size_t i = 0; i < n; i++) {
		if (word[i] >= 'a' && word[i] <= 'z')
			return 0;
		capitals += word[i] >= 'A' && word[i] <= 'Z';
	}
	return capitals > 1;
}

/* A line of usage: the program bold, placeholders in italics. */
static void add_usage(struct buf *b, const char *line, size_t n, const char *name)
{
	size_t k = strlen(name);

	if (n >= k && !memcmp(line, name, k))
		add_bold(b, line, k);
	else
		k = 0;
	while (k < n) {
		size_t word = 0;
		while (k + word < n && ((line[k + word] | 32) >= 'a' && (line[k + word] | 32) <= 'z'))
			word++;
		if (is_placeholder(line + k, word)) {
			buf_adds(b, "\\fI");
			add_text(b, line + k, word);
			buf_adds(b, "\\fR");
		} else {
			add_text(b, line + k, word = word ? word : 1);
		}
		k += word;
	}
}

/* Lines as they are, each broken where it is. */
static void add_lines(struct buf *b, const char *text, const char *name)
{
	buf_adds(b, ".nf\n");
	while (*text) {
		size_t n = strcspn(text, "\n");
		while (n && *text == ' ')
			text++, n--;
		add_usage(b, text, n, name);
		buf_addc(b, '\n');
		text += n + (text[n] == '\n');
	}
	buf_adds(b, ".fi\n");
}

/* Paragraphs; lines that begin with blanks are examples. */
static void add_about(struct buf *b, const char *text)
{
	int example = 0, ended = 0;

	for (size_t n; *text; text += n + (text[n] == '\n')) {
		size_t blanks = strspn(text, " ");
		n = strcspn(text, "\n");
		if (!n) {
			ended = 1;
			continue;
		}
		if (example && !blanks)
			buf_adds(b, ".fi\n.RE\n");
		if (ended || example != (blanks > 0))
			buf_adds(b, ".PP\n");
		if (!example && blanks)
			buf_adds(b, ".RS 4\n.nf\n");
		example = blanks > 0;
		ended = 0;
		add_text(b, text + blanks, n - blanks);
		buf_addc(b, '\n');
	}
	if (example)
		buf_adds(b, ".fi\n.RE\n");
}

/* --- pages --- */

/* "gx store gc" is the page gx-store-gc. */
static void add_page_name(struct buf *b, const char *title, int bold)
{
	struct buf name = BUF_INIT;

	for (const char *p = title; *p; p++)
		buf_addc(&name, *p == ' ' ? '-' : *p);
	(bold ? add_bold : add_text)(b, name.p, name.len);
	buf_release(&name);
}

static void add_head(struct buf *b, const char *title, const char *summary, int section)
{
	buf_adds(b, ".TH \"");
	for (const char *p = title; *p; p++)
		add_char(b, *p == ' ' ? '-' : *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p, 0);
	buf_addf(b, "\" %d \"\" \"" PACKAGE_NAME " " PACKAGE_VERSION "\" \"gx\"\n.nh\n.ad l\n.SH NAME\n", section);
	add_page_name(b, title, 0);
	buf_adds(b, " \\- ");
	add_text(b, summary, strlen(summary));
	buf_addc(b, '\n');
}

static void add_option(struct buf *b, const struct option *o)
{
	char letter[3] = { '-', o->letter, 0 };

	buf_adds(b, ".TP\n");
	if (o->letter)
		add_bold(b, letter, 2);
	if (o->letter && o->name)
		buf_adds(b, ", ");
	if (o->name) {
		struct buf name = BUF_INIT;
		buf_addf(&name, "--%s", o->name);
		add_bold(b, name.p, name.len);
		buf_release(&name);
	}
	if (o->value) {
		buf_adds(b, " \\fI");
		add_text(b, o->value, strlen(o->value));
		buf_adds(b, "\\fR");
	}
	buf_addc(b, '\n');
	add_text(b, o->doc, strlen(o->doc));
	buf_addc(b, '\n');
}

static void add_options(struct buf *b, const struct option_group *groups)
{
	buf_adds(b, ".SH OPTIONS\n");
	for (const struct option_group *g = groups; g->title; g++) {
		if (!g->options[0].id || !g->title[0])
			continue;
		if (strcmp(g->title, "Options")) {
			buf_adds(b, ".SS ");
			add_text(b, g->title, strlen(g->title));
			buf_addc(b, '\n');
		}
		for (const struct option *o = g->options; o->id; o++)
			if (o->doc)
				add_option(b, o);
	}
}

static void add_page(struct buf *b, const char *title, const struct program *p)
{
	add_head(b, title, p->summary, 1);
	buf_adds(b, ".SH SYNOPSIS\n");
	add_lines(b, p->usage, p->name);
	if (p->about) {
		buf_adds(b, ".SH DESCRIPTION\n");
		add_about(b, p->about);
	}
	add_options(b, p->groups);
	buf_adds(b, ".SH \"SEE ALSO\"\n.BR gx (1),\n.BR gxeval (1),\n.BR gx\\-settings (7)\n");
}

void manual_add_program(struct buf *b, const struct program *p)
{
	add_page(b, p->name, p);
}

/* What is said of gx as a whole. */
static const char about_gx[] =
	".SH FILES\n"
	".TP\n\\fBflake.gx\\fR, \\fBflake.nix\\fR\nThe flake of a folder and those below; \\fBflake.lock\\fR beside it is what "
	"its inputs are locked to.\n"
	".TP\n\\fB/nix/store\\fR\nThe store of root, and of whoever owns it.\n"
	".TP\n\\fB$XDG_DATA_HOME/gx\\fR (\\fB\\(ti/.local/share/gx\\fR)\nThe store of everybody else.\n"
	".TP\n\\fB$XDG_STATE_HOME/gx\\fR (\\fB\\(ti/.local/state/gx\\fR)\nLinks that keep shells from being collected.\n"
	".TP\n\\fB$XDG_CACHE_HOME/gx\\fR (\\fB\\(ti/.cache/gx\\fR)\nWhat was fetched and parsed; may be removed.\n"
	".SH ENVIRONMENT\n"
	".TP\n\\fBNIX_PATH\\fR\nWhere <name> is looked up when no flake is evaluated.\n"
	".TP\n\\fBGOPROXY\\fR, \\fBGOPRIVATE\\fR, \\fBGONOPROXY\\fR\nWhere Go modules come from, as for the go command.\n"
	"What comes straight from a repository is brought by the go command of the toolchain, which runs as you do.\n"
	".TP\n\\fBGOAUTH\\fR, \\fBNETRC\\fR (\\fB\\(ti/.netrc\\fR)\nNames and passwords for where they come from, as for the go "
	"command; the netrc for everything that is fetched.\n"
	".TP\n\\fBhttps_proxy\\fR, \\fBhttp_proxy\\fR, \\fBall_proxy\\fR, \\fBno_proxy\\fR\nProxies, as for curl.\n"
	".TP\n\\fBNIX_SSL_CERT_FILE\\fR, \\fBSSL_CERT_FILE\\fR\nThe certificates to trust.\n"
	".TP\n\\fBNO_COLOR\\fR\nWhen set: neither colours nor progress drawn in place.\n"
	".TP\n\\fBGX_COMPILE_CACHE\\fR\n0: what is parsed is not kept.\n"
	".TP\n\\fBGX_EVAL_CACHE\\fR\n0: what is evaluated is not kept.\n"
	".TP\n\\fBGX_SHELL\\fR, \\fBSHELL\\fR\nThe shell that gx develop starts.\n"
	".SH \"EXIT STATUS\"\n"
	"0 done; 1 it failed; 2 the command line is wrong; 100 to 104 a build failed (see \\fBgx\\-build\\fR(1)); "
	"102 also what is fetched is not what its hash says; 130 interrupted.\n"
	".SH \"SEE ALSO\"\n.BR gxeval (1),\n.BR gx\\-settings (7)\n";

static void add_group(struct buf *b, const struct verb_found *f)
{
	struct buf page = BUF_INIT;

	add_head(b, f->title, f->verb.summary, 1);
	buf_adds(b, ".SH SYNOPSIS\n");
	add_bold(b, f->title, strlen(f->title));
	buf_adds(b, " \\fIVERB\\fR [options] ...\n.SH VERBS\n");
	for (const struct verb *v = f->verb.verbs; v->name; v++) {
		if (!v->summary)
			continue;
		page.len = 0;
		buf_addf(&page, "%s %s", f->title, v->name);
		buf_adds(b, ".TP\n");
		add_page_name(b, page.p, 1);
		buf_adds(b, "(1)\n");
		add_text(b, v->summary, strlen(v->summary));
		buf_addc(b, '\n');
	}
	buf_release(&page);
	if (f->verb.verbs == verb_root()->verbs)
		buf_adds(b, about_gx);
	else
		buf_adds(b, ".SH \"SEE ALSO\"\n.BR gx (1)\n");
}

void manual_add(struct buf *b, const struct verb_found *f)
{
	if (f->verb.verbs)
		add_group(b, f);
	else
		add_page(b, f->title, options_program(f->verb.run, f->verb.name));
}

static void add_settings_without_effect(struct buf *b)
{
	buf_adds(b, ".SH \"SETTINGS WITHOUT EFFECT\"\n");
	for (size_t i = 0; known_setting_at(i); i++) {
		buf_adds(b, ".TP\n");
		add_bold(b, known_setting_at(i)->name, strlen(known_setting_at(i)->name));
		buf_adds(b, "\n");
		add_text(b, known_setting_at(i)->why, strlen(known_setting_at(i)->why));
		buf_addc(b, '\n');
	}
}

static void add_settings(struct buf *b)
{
	struct setting_info s;

	add_head(b, "gx settings", "what can be set for every command of gx", 7);
	buf_adds(b, ".SH SYNOPSIS\n");
	add_lines(b, "gx VERB --option NAME VALUE\ngx VERB --NAME VALUE\ngx VERB --NAME\ngx VERB --no-NAME\n", "gx");
	buf_adds(b, ".SH DESCRIPTION\n");
	add_about(b, "Their names are those of nix.conf. The last two forms are for those that are true or false. "
		     "'extra-NAME' adds to a setting that is a list. Of nix.conf's other settings it is said that they have no "
		     "effect. 'gx config show' prints what they are, and where that was set.\n");
	buf_adds(b, ".SH FILES\n");
	add_about(b, "Settings are read from these files, what is read later wins: /etc/nix/nix.conf and /etc/gx/gx.conf (or "
		     "nix.conf and gx.conf in NIX_CONF_DIR); nix/nix.conf and gx/gx.conf below each folder of XDG_CONFIG_DIRS, "
		     "the last first, and below XDG_CONFIG_HOME or ~/.config (or, instead of these, the files that "
		     "NIX_USER_CONF_FILES names, the last first); the text of NIX_CONFIG. A line is 'name = value', 'include "
		     "FILE' or '!include FILE' for one that may be missing; '#' begins a comment. What is wrong in a line is a "
		     "warning, and the line counts for nothing. NIX_PATH comes before nix-path of a file.\n");
	buf_adds(b, ".SH SETTINGS\n");
	for (size_t i = 0; settings_info(i, &s); i++) {
		buf_adds(b, ".TP\n");
		add_bold(b, s.name, strlen(s.name));
		buf_adds(b, "\n");
		add_text(b, s.doc, strlen(s.doc));
		buf_addf(b, "\n.br\n");
		add_text(b, s.kind, strlen(s.kind));
		buf_adds(b, "; default: ");
		add_text(b, s.usual, strlen(s.usual));
		buf_addc(b, '\n');
	}
	add_settings_without_effect(b);
	buf_adds(b, ".SH \"SEE ALSO\"\n.BR gx (1),\n.BR gx\\-config\\-show (1)\n");
}

/* --- files --- */

static int write_page(const char *dir, const char *title, int section, const struct buf *page, struct err *e)
{
	struct buf path = BUF_INIT;
	int fd, rc = 0;

	buf_addf(&path, "%s/", dir);
	for (const char *p = title; *p; p++)
		buf_addc(&path, *p == ' ' ? '-' : *p);
	buf_addf(&path, ".%d", section);
	fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || fd_write_all(fd, page->p, page->len) < 0)
		rc = err_set(e, ERR_IO, "cannot write '%s': %s", path.p, strerror(errno));
	if (fd >= 0 && close(fd) < 0 && !rc)
		rc = err_set(e, ERR_IO, "cannot write '%s': %s", path.p, strerror(errno));
	buf_release(&path);
	return rc;
}

static int write_verbs(const char *dir, const struct verb_found *f, struct err *e)
{
	struct buf page = BUF_INIT;
	struct verb_found below;
	int rc;

	manual_add(&page, f);
	rc = write_page(dir, f->title, 1, &page, e);
	buf_release(&page);
	for (const struct verb *v = f->verb.verbs; !rc && v && v->name; v++) {
		if (!v->summary)
			continue;
		below = *f;
		verb_descend(&below, v);
		rc = write_verbs(dir, &below, e);
	}
	return rc;
}

int manual_write_all(const char *dir, struct err *e)
{
	struct verb_found gx;
	struct buf page = BUF_INIT;
	int rc;

	verb_find(&gx, NULL, 0);
	rc = write_verbs(dir, &gx, e);
	manual_add_program(&page, options_program(gxeval_main, "gxeval"));
	rc = rc ? rc : write_page(dir, "gxeval", 1, &page, e);
	page.len = 0;
	add_settings(&page);
	rc = rc ? rc : write_page(dir, "gx settings", 7, &page, e);
	buf_release(&page);
	return rc;
}

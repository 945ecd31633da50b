/* SPDX-License-Identifier: MIT
 *
 * The form internal-json, as Nix prints it for the programs that show its builds: "@nix " and an object a line.
 *
 *     {"action":"start","id":N,"level":L,"parent":N,"type":T,"text":S,"fields":[...]}
 *     {"action":"result","id":N,"type":T,"fields":[...]}
 *     {"action":"stop","id":N}
 *     {"action":"msg","level":L,"msg":S}
 *
 * A builder of ours that fetches is one activity of a build and, below it, one of a transfer, as with Nix.  The numbers
 * of activities are twice the task's, plus one for the transfer.
 *
 * A file of it (json-log-path) has the objects alone.
 */
#include "config.h"
#include "cli/progress_int.h"

#include "cli/output.h"

enum { LEVEL_NOTICE = 2, LEVEL_INFO = 3, LEVEL_TALKATIVE = 4, LEVEL_CHATTY = 5 };
enum { TYPE_COPY_PATH = 100, TYPE_TRANSFER = 101, TYPE_BUILDS = 104, TYPE_BUILD = 105, TYPE_WAITING = 111 };
enum { RESULT_LINE = 101, RESULT_PHASE = 104, RESULT_PROGRESS = 105 };
enum { ID_BUILDS = 1 }; /* free: tasks begin at 1, activities at 2 */

static const struct {
	int type, level;
	const char *text;
} kinds[] = {
	[TASK_FETCH] = { TYPE_TRANSFER, LEVEL_TALKATIVE, "downloading" },
	[TASK_BUILD] = { TYPE_BUILD, LEVEL_INFO, "building" },
	[TASK_COPY] = { TYPE_COPY_PATH, LEVEL_INFO, "copying" },
	[TASK_WAIT] = { TYPE_WAITING, LEVEL_INFO, "waiting for a lock on" },
};

static void add_string(struct buf *b, const char *s)
{
	output_json_string(b, s, strlen(s));
}

static void start(struct progress *p, unsigned id, unsigned parent, enum task_kind kind, const char *name, const char *machine)
{
	struct buf text = BUF_INIT, *b = &p->out;

	buf_addf(&text, "%s '%s'", kinds[kind].text, name);
	buf_addf(b, "@nix {\"action\":\"start\",\"fields\":[");
	add_string(b, name);
	/* A build's machine, and which of how many rounds; what is copied from and to. */
	if (kind == TASK_BUILD) {
		buf_addc(b, ',');
		add_string(b, machine ? machine : "");
		buf_adds(b, ",1,1");
	} else if (kind == TASK_COPY) {
		buf_adds(b, ",\"\",\"\"");
	}
	buf_addf(b, "],\"id\":%u,\"level\":%d,\"parent\":%u,\"text\":", id, kinds[kind].level, parent);
	add_string(b, text.p);
	buf_addf(b, ",\"type\":%d}\n", kinds[kind].type);
	buf_release(&text);
}

static void begin(struct progress *p, const struct task *t)
{
	if (t->drv && t->kind == TASK_FETCH)
		start(p, 2 * t->id, 0, TASK_BUILD, t->drv, NULL);
	if (t->kind == TASK_FETCH)
		start(p, 2 * t->id + 1, t->drv ? 2 * t->id : 0, TASK_FETCH, t->name, NULL);
	else
		start(p, 2 * t->id, 0, t->kind, t->drv ? t->drv : t->name, t->machine);
}

static void stop(struct progress *p, unsigned id)
{
	buf_addf(&p->out, "@nix {\"action\":\"stop\",\"id\":%u}\n", id);
}

static void end(struct progress *p, const struct task *t)
{
	if (t->kind == TASK_FETCH)
		stop(p, 2 * t->id + 1);
	if (t->drv || t->kind != TASK_FETCH)
		stop(p, 2 * t->id);
}

static void result(struct progress *p, unsigned id, int type, struct slice text)
{
	buf_adds(&p->out, "@nix {\"action\":\"result\",\"fields\":[");
	output_json_string(&p->out, text.p, text.n);
	buf_addf(&p->out, "],\"id\":%u,\"type\":%d}\n", id, type);
}

/* Done, expected, running, failed. */
static void counts(struct progress *p, unsigned id, uint64_t done, uint64_t all, size_t running, size_t failed)
{
	buf_addf(&p->out, "@nix {\"action\":\"result\",\"fields\":[%llu,%llu,%zu,%zu],\"id\":%u,\"type\":%d}\n",
		 (unsigned long long)done, (unsigned long long)all, running, failed, id, RESULT_PROGRESS);
}

static void all_builds(struct progress *p, const struct task *ended)
{
	size_t running = 0;

	for (size_t i = 0; i < p->n; i++)
		running += p->v[i].drv && p->v[i].kind != TASK_WAIT && &p->v[i] != ended;
	counts(p, ID_BUILDS, p->built + p->fetched, p->builds + p->fetches, running, p->failed);
}

static void message(struct progress *p, int level, struct slice text)
{
	buf_addf(&p->out, "@nix {\"action\":\"msg\",\"level\":%d,\"msg\":", level);
	output_json_string(&p->out, text.p, text.n);
	buf_adds(&p->out, "}\n");
}

static void nix_change(struct progress *p, enum change c, const struct task *t, struct slice text)
{
	/* These are no activities there. */
	if (t && (t->kind == TASK_EVALUATE || t->kind == TASK_HASH))
		return;
	switch (c) {
	case CHANGE_BEGIN: begin(p, t); break;
	case CHANGE_LINE: result(p, 2 * t->id, RESULT_LINE, text); break;
	case CHANGE_PHASE: result(p, 2 * t->id, RESULT_PHASE, text); break;
	case CHANGE_MOVE: counts(p, 2 * t->id + (t->kind == TASK_FETCH), t->now, t->all, 0, 0); break;
	case CHANGE_END:
	case CHANGE_FAIL: end(p, t); break;
	case CHANGE_NOTE: message(p, LEVEL_NOTICE, text); break;
	case CHANGE_PLAN:
		if (!p->planned)
			buf_addf(&p->out,
				 "@nix {\"action\":\"start\",\"id\":%d,\"level\":0,\"parent\":0,\"text\":\"\",\"type\":%d}\n",
				 ID_BUILDS, TYPE_BUILDS);
		p->planned = 1;
		break;
	case CHANGE_OVER:
		if (p->planned)
			stop(p, ID_BUILDS);
		return;
	}
	if (p->planned && (c == CHANGE_PLAN || (t && t->drv && (c == CHANGE_BEGIN || c == CHANGE_END || c == CHANGE_FAIL))))
		all_builds(p, c == CHANGE_BEGIN ? NULL : t);
}

const struct log_form form_nix = { nix_change, NULL };

void nix_log_change(struct progress *p, enum change c, const struct task *t, struct slice text, struct buf *out)
{
	const size_t mark = strlen("@nix ");
	struct buf shown = p->out;

	p->out = (struct buf)BUF_INIT;
	if (c == CHANGE_BEGIN && t->kind == TASK_BUILD) {
		struct buf msg = BUF_INIT;

		buf_addf(&msg, "executing builder of '%s'", t->drv ? t->drv : t->name);
		message(p, LEVEL_CHATTY, (struct slice){ msg.p, msg.len });
		buf_release(&msg);
	}
	nix_change(p, c, t, text);
	for (struct slice rest = { p->out.p, p->out.len }; rest.n;) {
		struct slice line = slice_cut(&rest, '\n');

		buf_add(out, line.p + mark, line.n - mark);
		buf_addc(out, '\n');
	}
	buf_release(&p->out);
	p->out = shown;
}

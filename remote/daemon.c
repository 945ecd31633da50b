/* SPDX-License-Identifier: MIT
 *
 * A client's connection: the greeting, its operations one after the other, and what it is told meanwhile.
 *
 * An error while the arguments are read ends the connection, since nobody knows where the next operation begins; one that comes up
 * afterwards is the operation's answer, and the next may follow.  Frames are read to their end also when their contents are
 * of no use, for the same reason.
 */
#include "config.h"
#include "remote/daemon_int.h"
#include "base/alloc.h"
#include "base/fdio.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- messages --- */

/* Sends what a message was put together in, or keeps it until messages may be sent. */
static void send_message(struct client *c, struct wire *m)
{
	if (c->working) {
		wire_put(&c->w, m->later.p, m->later.len);
		wire_flush(&c->w, NULL);
	} else {
		buf_add(&c->pending, m->later.p, m->later.len);
	}
	wire_release(m);
}

static void message_begin(struct wire *m, uint64_t kind)
{
	*m = (struct wire){ .in = -1, .out = -1, .peer = "the client" };
	wire_put_number(m, kind);
}

void client_say(struct client *c, struct slice line)
{
	struct buf b = BUF_INIT;
	struct wire m;

	buf_add(&b, line.p, line.n);
	buf_addc(&b, '\n');
	if (c->serves) {
		fd_write_all(STDERR_FILENO, b.p, b.len);
		buf_release(&b);
		return;
	}
	message_begin(&m, MESSAGE_NEXT);
	wire_put_text(&m, (struct slice){ b.p, b.len });
	send_message(c, &m);
	buf_release(&b);
}

void client_note(void *user, const char *text)
{
	client_say(user, slice_of(text));
}

static void say_start(struct client *c, uint64_t id, enum activity_type type, const char *text, const char *path,
		      const char *machine)
{
	struct wire m;

	message_begin(&m, MESSAGE_START_ACTIVITY);
	wire_put_number(&m, id);
	wire_put_number(&m, LEVEL_INFO);
	wire_put_number(&m, type);
	wire_put_string(&m, text);
	/* What a client knows of a build: derivation, machine, round, of how many. */
	wire_put_number(&m, path ? 4 : 0);
	if (path) {
		wire_put_number(&m, 1);
		wire_put_string(&m, path);
		wire_put_number(&m, 1);
		wire_put_string(&m, machine);
		for (int i = 0; i < 2; i++) {
			wire_put_number(&m, 0);
			wire_put_number(&m, 1);
		}
	}
	wire_put_number(&m, 0);
	send_message(c, &m);
}

static void say_stop(struct client *c, uint64_t id)
{
	struct wire m;

	message_begin(&m, MESSAGE_STOP_ACTIVITY);
	wire_put_number(&m, id);
	send_message(c, &m);
}

static void say_result(struct client *c, uint64_t id, enum result_type type, struct slice text)
{
	struct wire m;

	message_begin(&m, MESSAGE_RESULT);
	wire_put_number(&m, id);
	wire_put_number(&m, type);
	wire_put_number(&m, 1);
	wire_put_number(&m, 1);
	wire_put_text(&m, text);
	send_message(c, &m);
}

/* --- builds --- */

static struct told_activity *activity_of(struct client *c, const struct store_path *drv)
{
	for (size_t i = 0; i < c->ntold; i++)
		if (!store_path_cmp(&c->told[i].drv, drv))
			return &c->told[i];
	return NULL;
}

static void build_starts(struct client *c, const struct build_event *ev)
{
	struct buf path = BUF_INIT, text = BUF_INIT;

	if (!activity_of(c, ev->drv)) {
		ARRAY_GROW(c->told, c->ntold + 1, c->captold);
		c->told[c->ntold++] = (struct told_activity){ *ev->drv, ++c->last_id };
		store_path_add(&path, c->dir, ev->drv);
		buf_addf(&text, "building '%s'", path.p);
		if (ev->machine)
			buf_addf(&text, " on '%s'", ev->machine);
		say_start(c, c->last_id, ACT_BUILD, text.p, path.p, ev->machine);
	}
	buf_release(&path);
	buf_release(&text);
}

static void build_ends(struct client *c, const struct store_path *drv)
{
	struct told_activity *t = activity_of(c, drv);

	if (!t)
		return;
	say_stop(c, t->id);
	*t = c->told[--c->ntold];
}

void client_build_event(void *user, const struct build_event *ev)
{
	struct client *c = user;
	const struct told_activity *t = ev->drv && !c->serves ? activity_of(c, ev->drv) : NULL;

	if (c->serves) {
		if (ev->kind == BUILD_LINE || ev->kind == BUILD_NOTE)
			client_say(c, ev->text);
		return;
	}

	switch (ev->kind) {
	case BUILD_START: build_starts(c, ev); break;
	case BUILD_LINE:
		if (t)
			say_result(c, t->id, RESULT_LOG_LINE, ev->text);
		break;
	case BUILD_PHASE:
		if (t)
			say_result(c, t->id, RESULT_PHASE, ev->text);
		break;
	case BUILD_FOUND:
	case BUILD_AGAIN:
	case BUILD_DONE:
	case BUILD_FAILED: build_ends(c, ev->drv); break;
	case BUILD_NOTE: client_say(c, ev->text); break;
	case BUILD_PLAN:
	case BUILD_NEXT:
	case BUILD_PROGRESS:
	case BUILD_WAIT: break;
	}
}

/* --- an operation's frame --- */

void client_begin(struct client *c)
{
	c->working = 1;
	wire_put(&c->w, c->pending.p, c->pending.len);
	buf_trim(&c->pending, 0);
	wire_flush(&c->w, NULL);
}

int client_done(struct client *c, struct err *e)
{
	int rc = store_sync_all(e);

	if (rc)
		return rc;
	c->working = 0;
	if (!c->serves)
		wire_put_number(&c->w, MESSAGE_LAST);
	return 0;
}

int client_done_well(struct client *c, int rc, struct err *e)
{
	rc = rc ? rc : client_done(c, e);
	if (!rc)
		wire_put_number(&c->w, 1);
	return rc;
}

static void put_error(struct client *c, const struct err *e)
{
	wire_put_number(&c->w, MESSAGE_ERROR);
	if (c->minor >= 26) {
		wire_put_string(&c->w, "Error");
		wire_put_number(&c->w, LEVEL_ERROR);
		wire_put_string(&c->w, "Error");
		wire_put_string(&c->w, e->msg);
		wire_put_number(&c->w, 0); /* no position, */
		wire_put_number(&c->w, 0); /* and no trace: what there is to say is in the text */
	} else {
		wire_put_string(&c->w, e->msg);
		wire_put_number(&c->w, build_is_failure(e->code) ? 100 : 1);
	}
}

int client_want_trust(const struct client *c, const char *what, struct err *e)
{
	return c->o->trusted ? 0 : err_set(e, ERR_DENIED, "%s: you are not one of the 'trusted-users'", what);
}

static const struct {
	enum operation op;
	operation_fn run;
} operations[] = {
	{ OP_IS_VALID_PATH, op_is_valid_path },
	{ OP_QUERY_REFERRERS, op_query_paths },
	{ OP_QUERY_VALID_DERIVERS, op_query_paths },
	{ OP_QUERY_DERIVATION_OUTPUTS, op_query_paths },
	{ OP_QUERY_DERIVATION_OUTPUT_NAMES, op_query_outputs },
	{ OP_QUERY_DERIVATION_OUTPUT_MAP, op_query_outputs },
	{ OP_QUERY_DERIVER, op_query_deriver },
	{ OP_QUERY_PATH_INFO, op_query_path_info },
	{ OP_QUERY_ALL_VALID_PATHS, op_query_all },
	{ OP_QUERY_PATH_FROM_HASH_PART, op_query_hash_part },
	{ OP_QUERY_VALID_PATHS, op_query_valid_paths },
	{ OP_QUERY_SUBSTITUTABLE_PATHS, op_query_substitutable },
	{ OP_QUERY_SUBSTITUTABLE_PATH_INFO, op_query_substitutable_info },
	{ OP_QUERY_SUBSTITUTABLE_PATH_INFOS, op_query_substitutable_infos },
	{ OP_QUERY_REALISATION, op_query_realisation },
	{ OP_NAR_FROM_PATH, op_nar_from_path },
	{ OP_ADD_TO_STORE, op_add_to_store },
	{ OP_ADD_TEXT_TO_STORE, op_add_text },
	{ OP_ADD_TO_STORE_NAR, op_add_nar },
	{ OP_ADD_MULTIPLE_TO_STORE, op_add_multiple },
	{ OP_ADD_SIGNATURES, op_add_signatures },
	{ OP_ADD_BUILD_LOG, op_add_log },
	{ OP_REGISTER_DRV_OUTPUT, op_register_output },
	{ OP_BUILD_PATHS, op_build_paths },
	{ OP_BUILD_PATHS_WITH_RESULTS, op_build_with_results },
	{ OP_BUILD_DERIVATION, op_build_derivation },
	{ OP_ENSURE_PATH, op_ensure_path },
	{ OP_QUERY_MISSING, op_query_missing },
	{ OP_ADD_TEMP_ROOT, op_temp_root },
	{ OP_ADD_PERM_ROOT, op_perm_root },
	{ OP_ADD_INDIRECT_ROOT, op_indirect_root },
	{ OP_SYNC_WITH_GC, op_sync_with_gc },
	{ OP_FIND_ROOTS, op_find_roots },
	{ OP_COLLECT_GARBAGE, op_collect_garbage },
	{ OP_SET_OPTIONS, op_set_options },
	{ OP_OPTIMISE_STORE, op_optimise },
	{ OP_VERIFY_STORE, op_verify },
};

static operation_fn find_operation(uint64_t op)
{
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
		if (operations[i].op == op)
			return operations[i].run;
	return NULL;
}

/* Tells the client of an error.  Returns 0 when the next operation may follow. */
static int answer_error(struct client *c, struct err *failed, struct err *e)
{
	int lost = !c->working || c->raw || c->w.broken;

	while (c->ntold)
		build_ends(c, &c->told[0].drv);
	if (!c->raw)
		put_error(c, failed);
	c->working = 0;
	if (wire_flush(&c->w, NULL) || lost) {
		err_set(e, failed->code, "%s", failed->msg);
		err_release(failed);
		return e->code;
	}
	err_release(failed);
	return 0;
}

static int serve_one(struct client *c, struct err *e)
{
	struct err failed = ERR_INIT;
	operation_fn run;
	uint64_t op;
	int rc = wire_get_number(&c->w, &op, e);

	if (rc)
		return rc;
	run = find_operation(op);
	if (run)
		rc = run(c, (enum operation)op, &failed);
	else
		rc = err_set(&failed, ERR_INVALID, "operation %llu is not known here", (unsigned long long)op);
	if (rc)
		return answer_error(c, &failed, e);
	return wire_flush(&c->w, e);
}

/* --- the greeting --- */

static int greet(struct client *c, struct err *e)
{
	struct buf features = BUF_INIT;
	uint64_t magic = 0, version = 0;
	int rc = wire_get_number(&c->w, &magic, e);

	if (!rc && magic != WORKER_MAGIC_1)
		return err_set(e, ERR_INVALID, "the client does not speak the protocol of Nix's daemon");
	wire_put_number(&c->w, WORKER_MAGIC_2);
	wire_put_number(&c->w, PROTOCOL_VERSION(PROTOCOL_NEWEST));
	rc = rc ? rc : wire_flush(&c->w, e);
	rc = rc ? rc : wire_get_number(&c->w, &version, e);
	if (!rc && (version >> 8 != PROTOCOL_MAJOR || version < PROTOCOL_VERSION(PROTOCOL_OLDEST)))
		return err_set(
			e, ERR_INVALID, "the client speaks version %llu.%llu of the protocol; from %d.%d on it is understood",
			(unsigned long long)(version >> 8), (unsigned long long)(version & 255), PROTOCOL_MAJOR, PROTOCOL_OLDEST);
	c->minor = version < PROTOCOL_VERSION(PROTOCOL_NEWEST) ? (int)(version & 255) : PROTOCOL_NEWEST;
	if (!rc && c->minor >= 38) {
		rc = wire_get_words(&c->w, &features, e);
		wire_put_number(&c->w, 0);
		rc = rc ? rc : wire_flush(&c->w, e);
	}
	buf_release(&features);
	return rc;
}

static int introduce(struct client *c, struct err *e)
{
	uint64_t affinity = 0, reserve;
	int rc = wire_get_number(&c->w, &affinity, e);

	rc = rc || !affinity ? rc : wire_get_number(&c->w, &affinity, e);
	rc = rc ? rc : wire_get_number(&c->w, &reserve, e);
	if (rc)
		return rc;
	if (c->minor >= 33)
		wire_put_string(&c->w, c->o->version);
	if (c->minor >= 35)
		wire_put_number(&c->w, c->o->trusted ? 1 : 2);
	client_begin(c);
	rc = client_done(c, e);
	return rc ? rc : wire_flush(&c->w, e);
}

int daemon_serve(struct store *s, int in, int out, const struct daemon_options *o, struct err *e)
{
	struct client c = { .s = s, .dir = store_dir(s), .o = o, .use_substitutes = 1 };
	int rc;

	wire_init(&c.w, in, out, "the client");
	store_set_notice(s, client_note, &c);
	rc = greet(&c, e);
	rc = rc ? rc : introduce(&c, e);
	while (!rc && !(rc = wire_at_end(&c.w, e)))
		rc = serve_one(&c, e);
	store_set_notice(s, NULL, NULL);
	wire_release(&c.w);
	buf_release(&c.pending);
	free(c.told);
	return rc < 0 ? rc : 0;
}

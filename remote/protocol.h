/* SPDX-License-Identifier: MIT
 *
 * The protocol that Nix's daemon speaks, as both sides of it need it.
 *
 *     client                            daemon
 *     MAGIC_1 version                   MAGIC_2 version       the smaller of the two counts; of client first since 1.38
 *     { list of features                list of features }    since 1.38; those that both name count
 *     0 0                                                     once an affinity, and space to reserve
 *                                       { text of a version }         since 1.33
 *                                       { 0 unknown 1 trusted 2 not } since 1.35
 *                                       messages, MESSAGE_LAST
 *     then, again and again:
 *     number of an operation, arguments
 *                                       messages, then MESSAGE_ERROR, or MESSAGE_LAST and results
 *
 * Operations are as of 1.21 (Nix 2.4 and older) to 1.38.  gx names no features: those that exist are about derivations whose
 * outputs have no path before they are built, and about builders that talk to a daemon.
 */
#ifndef REMOTE_PROTOCOL_H
#define REMOTE_PROTOCOL_H

#include "remote/wire.h"
#include "store/db.h"

enum {
	WORKER_MAGIC_1 = 0x6e697863,
	WORKER_MAGIC_2 = 0x6478696f,
	PROTOCOL_MAJOR = 1,
	PROTOCOL_OLDEST = 21,
	PROTOCOL_NEWEST = 38
};

#define PROTOCOL_VERSION(minor) (PROTOCOL_MAJOR << 8 | (minor))

enum message {
	MESSAGE_NEXT = 0x6f6c6d67,  /* text: a line for people */
	MESSAGE_READ = 0x64617461,  /* n: the daemon wants at most so many bytes, as a text */
	MESSAGE_WRITE = 0x64617416, /* text: bytes that were asked for */
	MESSAGE_LAST = 0x616c7473,
	MESSAGE_ERROR = 0x63787470,
	MESSAGE_START_ACTIVITY = 0x53545254, /* id level type text fields parent */
	MESSAGE_STOP_ACTIVITY = 0x53544f50,  /* id */
	MESSAGE_RESULT = 0x52534c54	     /* id type fields */
};

enum activity_type { ACT_COPY_PATH = 100, ACT_REALISE = 102, ACT_BUILDS = 104, ACT_BUILD = 105, ACT_SUBSTITUTE = 108 };
enum result_type { RESULT_LOG_LINE = 101, RESULT_PHASE = 104, RESULT_PROGRESS = 105, RESULT_EXPECTED = 106 };

/* Of activities and settings. */
enum { LEVEL_ERROR, LEVEL_WARN, LEVEL_NOTICE, LEVEL_INFO, LEVEL_TALKATIVE };

enum operation {
	OP_IS_VALID_PATH = 1,
	OP_QUERY_REFERRERS = 6,
	OP_ADD_TO_STORE = 7,
	OP_ADD_TEXT_TO_STORE = 8,
	OP_BUILD_PATHS = 9,
	OP_ENSURE_PATH = 10,
	OP_ADD_TEMP_ROOT = 11,
	OP_ADD_INDIRECT_ROOT = 12,
	OP_SYNC_WITH_GC = 13,
	OP_FIND_ROOTS = 14,
	OP_QUERY_DERIVER = 18,
	OP_SET_OPTIONS = 19,
	OP_COLLECT_GARBAGE = 20,
	OP_QUERY_SUBSTITUTABLE_PATH_INFO = 21,
	OP_QUERY_DERIVATION_OUTPUTS = 22,
	OP_QUERY_ALL_VALID_PATHS = 23,
	OP_QUERY_PATH_INFO = 26,
	OP_QUERY_DERIVATION_OUTPUT_NAMES = 28,
	OP_QUERY_PATH_FROM_HASH_PART = 29,
	OP_QUERY_SUBSTITUTABLE_PATH_INFOS = 30,
	OP_QUERY_VALID_PATHS = 31,
	OP_QUERY_SUBSTITUTABLE_PATHS = 32,
	OP_QUERY_VALID_DERIVERS = 33,
	OP_OPTIMISE_STORE = 34,
	OP_VERIFY_STORE = 35,
	OP_BUILD_DERIVATION = 36,
	OP_ADD_SIGNATURES = 37,
	OP_NAR_FROM_PATH = 38,
	OP_ADD_TO_STORE_NAR = 39,
	OP_QUERY_MISSING = 40,
	OP_QUERY_DERIVATION_OUTPUT_MAP = 41,
	OP_REGISTER_DRV_OUTPUT = 42,
	OP_QUERY_REALISATION = 43,
	OP_ADD_MULTIPLE_TO_STORE = 44,
	OP_ADD_BUILD_LOG = 45,
	OP_BUILD_PATHS_WITH_RESULTS = 46,
	OP_ADD_PERM_ROOT = 47
};

/* How one build went, as a number. */
enum build_status {
	STATUS_BUILT,
	STATUS_SUBSTITUTED,
	STATUS_ALREADY_VALID,
	STATUS_PERMANENT_FAILURE,
	STATUS_INPUT_REJECTED,
	STATUS_OUTPUT_REJECTED,
	STATUS_TRANSIENT_FAILURE,
	STATUS_CACHED_FAILURE,
	STATUS_TIMED_OUT,
	STATUS_MISC_FAILURE,
	STATUS_DEPENDENCY_FAILED,
	STATUS_LOG_LIMIT,
	STATUS_NOT_DETERMINISTIC,
	STATUS_RESOLVES_TO_ALREADY_VALID,
	STATUS_NO_SUBSTITUTERS
};

static inline int status_is_success(uint64_t s)
{
	return s <= STATUS_ALREADY_VALID || s == STATUS_RESOLVES_TO_ALREADY_VALID;
}

/* What a store knows of an object, without its path: deriver hash references registered size, and (not `old`) ultimate sigs ca. */
void protocol_put_info(struct wire *w, struct slice dir, const struct path_info *i);

/* Reads that into *i, whose path stays; released by the caller in either case. */
int protocol_get_info(struct wire *w, struct slice dir, struct path_info *i, struct err *e);

/* What is wanted of a store: an object, or outputs of a derivation.  As text "PATH", "PATH!*", "PATH!out,dev"; before 1.30 a
 * derivation alone meant its outputs. */
struct wanted {
	struct store_path path;
	int outputs; /* not the object, its outputs */
	char *names; /* with commas between, owned; NULL: all */
};

void wanted_release(struct wanted *w);
int wanted_parse(struct slice dir, struct slice text, int minor, struct wanted *out, struct err *e);

/* Appends its text. */
void wanted_add(struct buf *b, struct slice dir, const struct wanted *w, int minor);

/* "fixed:r:sha256", "text:sha256": how an object is addressed by its contents. */
int protocol_parse_method(struct slice text, enum ca_method *m, enum hash_algo *a, struct err *e);
void protocol_add_method(struct buf *b, enum ca_method m, enum hash_algo a);

#endif

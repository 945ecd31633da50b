/* SPDX-License-Identifier: MIT
 *
 * The parts of a run of build_realise, shared by the build_*.c files.
 *
 *     struct build    the run: settings, graph, what is going on
 *     struct node     a derivation of the graph
 *     struct job      one build that is running
 */
#ifndef BUILD_BUILD_INT_H
#define BUILD_BUILD_INT_H

#include "base/arena.h"
#include "build/build.h"
#include "cache/fill.h"
#include "cache/substitute.h"
#include "format/drv_options.h"
#include "store/lock.h"
#include "store/object.h"
#include "build/log.h"
#include "build/sandbox.h"

enum {
	SANDBOX_UID = 1000, /* as Nix has it */
	SANDBOX_GID = 100,
	BUILD_PROCS_LEAST = 4096, /* processes of a builder; a fork bomb of as many costs some hundred MB */
	BUILD_LOG_LINES = 25,
	BUILD_LINE_MAX = 65536, /* a longer line is shown in pieces */
	BUILD_CLOSED_TIME = 2, /* seconds that a builder has after it closed its output, which means that it is done */
	BUILD_WAITING = 64, /* builds whose outputs wait for the disk before no more are started; each has some descriptors */
	BUILD_SEAT_TIME = 1, /* seconds after which a machine is asked again whether others have left it */
	BUILD_FETCHES = 16 /* at once: they wait for servers and not for this machine; each is a process with a connection */
};

/* Where builders work, inside. */
#define BUILD_TOP "/build"

enum node_state {
	NODE_WAITING, /* for its inputs */
	NODE_READY,
	NODE_RUNNING,
	NODE_DONE,
	NODE_FAILED
};

struct node {
	struct store_path path;
	struct drv drv;
	int loaded;
	int given; /* somebody else's, as struct build_target has it */
	int asked; /* by the caller, not as an input */
	int fetch; /* its builder is one of ours, and fetches */
	enum node_state state;
	int expanded;		  /* inputs are in the graph */
	unsigned char *wanted;	  /* by output */
	struct store_path *paths; /* by output */
	size_t pending;		  /* inputs that are not done */
	struct node **users;	  /* nodes that wait for it */
	size_t nusers, capusers;
	struct job *job;
	double retry_at; /* when its lock is tried again, 0 when it was not taken */
	int waits_for_seat; /* until then at another machine */
	int substitute;	    /* its outputs come from binary caches */
	int no_substitute;  /* none has them */
	struct claim *claim;
};

/* The folder of one build, private to this user:
 *     lock    held as long as somebody works here
 *     root/   where / of the builder is mounted; empty
 *     build/  /build, its working directory
 *     store/  the store directory: mount points of inputs, and what it makes
 *     tmp/    /tmp */
struct build_dir {
	char *path, *name;
	int fd, lock, build, store;
};

/* Who a builder is outside. */
struct build_user {
	uid_t uid;
	gid_t gid;
	int lock; /* of the slot, -1 when it is the caller's own user */
};

/* The last lines of a log. */
struct tail {
	char **v;
	size_t max, n, at;
	struct buf line; /* the unfinished one */
};

/* An output that is made under another name. */
struct moved {
	struct store_path from, to;
};

/* What a build made, on its way into the store. */
struct made {
	struct new_object *v;	  /* by output; without a name: it was not made now */
	struct new_object *fresh; /* those that were */
	struct stage *stage;	  /* where they lie, when it is one of their own; else the run's */
	struct commit *commit;
};

enum job_end { JOB_RUNS, JOB_TIMEOUT, JOB_SILENT, JOB_LOG_LIMIT, JOB_CLOSED };

struct job {
	struct build *b;
	struct node *node;
	struct drv_options opt;
	struct path_locks locks;
	struct path_set inputs; /* the closure it may see and refer to */
	unsigned char *skip;	/* by output: valid already */
	struct moved *moved;	/* by output: what the builder takes for its path, when another lies there, and what it becomes; */
	struct rewrite *renamed; /* and their digests */
	size_t nmoved;
	struct build_dir dir;
	struct build_user user;
	struct sandbox box;
	struct sandbox_bind *binds;
	size_t nbinds, capbinds;
	struct sandbox_entry *entries;
	size_t nentries, capentries;
	struct arena arena;
	char **argv, **envp;
	const char *top; /* its working directory as it sees it */
	int fixed;	 /* has a fixed output: may use the network */
	int bare;
	int output; /* what it prints, -1 once closed */
	struct build_log *log;
	struct tail tail;
	int seat;		     /* at another machine, -1: it is done here */
	struct elsewhere *elsewhere; /* with a seat: what comes from there */
	uint64_t printed;
	int warned_of_line; /* what the builder told the program was not to be understood */
	uint64_t counted, to_count; /* lines of this phase that stand for a unit of work; of how many, 0: none do */
	struct made made;
	double started, last_output, closed; /* closed: when nobody could print any more; 0: not yet */
	enum job_end end;
};

/* A list of nodes. */
struct work {
	struct node **v;
	size_t n, cap;
};

/* For struct fixed_output: whose contents they are to be. */
struct content_check {
	struct build *b;
	const struct node *n;
};

struct build {
	struct store *s;
	const struct build_settings *set;
	struct node **nodes; /* in order of discovery */
	size_t n, cap;
	struct node **table; /* by digest */
	size_t table_cap;
	struct job **jobs;
	size_t njobs, started;
	struct job **made; /* jobs whose outputs wait for the disk, no longer among those that run */
	size_t nmade;
	double made_since; /* when the first of them began to wait */
	struct stage *stage; /* where outputs lie until then; NULL before the first */
	struct placing *placing; /* those that a thread puts into the store now */
	size_t builds, fetches; /* to do and done in all */
	struct err err; /* the first failure */
	struct buf told; /* variables whose refusal was told, each between blanks */
	struct build_result *result;
	struct work todo; /* to be looked at by graph_walk */
	struct substituter *sub;
	int no_sub; /* there is nobody to ask */
	int left_seat; /* a build elsewhere ended: those that wait for a seat may try */
	struct secret_keys keys; /* sign what is built */
	struct space *space;	 /* NULL: no garbage is collected meanwhile */
};

/* --- build.c --- */
double build_now(void);
void build_event(struct build *b, const struct build_event *ev);
void build_note(struct build *b, const struct node *n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void build_add_drv(const struct build *b, struct buf *out, const struct node *n);

/* What people know a derivation by: its name; of a Go module path and version, whose derivation's name is both with other
 * signs. */
void build_add_title(struct buf *b, const struct drv *d);

/* The end of a build, rc being how it went. */
void build_node_ended(struct build *b, struct node *n, int rc, struct err *e);

/* --- build_commit.c --- */

/* Takes over a job whose builder has ended well and whose outputs may go into the store. */
void commit_add(struct build *b, struct job *j);

/* Whether there may be more. */
int commit_has_room(const struct build *b);

/* Puts what waits into the store once that is due; idle: there is nothing else to do meanwhile.  1: it is done already. */
int commit_start(struct build *b, int idle);

/* When it is due by itself. */
double commit_time(const struct build *b);

/* Readable when a thread is done with it, -1 without one; and what is to be done then. */
int commit_fd(const struct build *b);
void commit_done(struct build *b);

/* Waits until nothing waits. */
void commit_all(struct build *b);

/* --- build_graph.c --- */

/* Adds a derivation; outputs as in struct build_target. */
int graph_want(struct build *b, const struct store_path *drv, const struct slice *outputs, size_t n, int asked,
	       struct err *e);

/* Copies an object of the eval store that is not here, with all it refers to: 1, 0 when it is not there either, or negative. */
int graph_borrow(struct build *b, const struct store_path *p, struct err *e);

/* Before graph_want: it is this one, which stays the caller's. */
int graph_give(struct build *b, const struct store_path *drv, const struct drv *given, struct err *e);

/* One that is in the graph is to be looked at again. */
void graph_again(struct build *b, struct node *n);

/* Looks at all that was added, and adds what they need. */
int graph_walk(struct build *b, struct err *e);

/* For struct fixed_output; user is a struct content_check. */
int graph_contents(void *user, int dirfd, const char *name, struct hash *out, struct err *e);

/* The closure of all inputs of a node whose inputs are done. */
int graph_inputs(struct build *b, const struct node *n, struct path_set *out, struct err *e);

/* Once all is in the graph: counts what each node waits for, and says which are ready. */
void graph_settle(struct build *b);

/* Says that a node is done, or that it failed: what waits for it goes on, or fails too. */
void graph_finish(struct node *n, int failed);

/* 1 when the wanted (or all) outputs are valid, 0 when not, negative on failure. */
int graph_outputs_valid(struct build *b, const struct node *n, int all, struct err *e);

/* The same of one output, by index.  ERR_INVALID when its place is taken by what this derivation does not make. */
int graph_output_valid(struct build *b, const struct node *n, size_t i, struct err *e);
void graph_release(struct build *b);

/* --- build_substitute.c --- */

/* 1 when its outputs may come from binary caches and nobody was asked yet. */
int substitute_may(struct build *b, const struct node *n, struct err *e);

/* Asks for the outputs of nodes: `substitute` of each says whether they can be had, no_substitute whether they cannot. */
int substitute_ask(struct build *b, struct node *const *v, size_t n, struct err *e);

/* Fetches for all nodes.  Those that have to be built after all are to be looked at again. */
int substitute_run(struct build *b, struct err *e);

/* Only says what would be fetched. */
int substitute_plan(struct build *b, struct err *e);
void substitute_release(struct build *b);

/* --- build_job.c --- */

/* Starts the build of a ready node, here (seat -1) or with a seat at a machine, which it leaves at its end.  0: it runs; 1: another
 * process builds it, try later; 2: it turned out valid; negative: it failed (error filled in). */
int job_start(struct build *b, struct node *n, int seat, struct err *e);

/* Whether this machine can do it: ERR_BUILD when it cannot. */
int job_check_system(const struct build *b, const struct node *n, const struct drv_options *o, struct err *e);

/* Takes what the builder printed. */
void job_read(struct job *j);

/* Kills it for a limit it passed. */
void job_stop(struct job *j, enum job_end why);

/* Once the builder has ended: looks at the outputs and registers them, or says why not.  1: they wait for commit_add; 2: it
 * is to be started again. */
int job_finish(struct job *j, struct err *e);

/* Gives up what only a builder that runs needs. */
void job_rest(struct job *j);

/* Appends the last lines that it printed, and how to see all. */
void job_add_log(const struct job *j, struct buf *b);

/* Kills what runs and frees all. */
void job_free(struct job *j, int failed);

/* --- build_elsewhere.c --- */

/* As job_begin and job_finish of a job with a seat; the second gets the status of the process, as of waitpid. */
int elsewhere_begin(struct job *j, struct err *e);
int elsewhere_finish(struct job *j, int status, struct err *e);

/* Leaves its seat too; nothing to do for one that has none. */
void elsewhere_free(struct job *j);

/* --- build_env.c --- */

/* Fills argv and envp, and writes the files the derivation asks for into its folder. */
int build_env_make(struct job *j, struct err *e);

/* The cores of this machine that this process may use. */
unsigned build_cores(void);

/* --- build_rewrite.c --- */

/* Without the sandbox a builder that is to make what is valid already works under another name: decides which.  Needs skip. */
int build_move_outputs(struct job *j, struct err *e);

/* Where the builder makes output i. */
const struct store_path *build_made_path(const struct job *j, size_t i);

/* Removes what a builder left without the sandbox: failed, all; else what lies under other names. */
void build_moved_remove(struct job *j, int failed);

/* Replaces placeholders of outputs by their paths; in the job's arena. */
struct slice build_placeholders(struct job *j, struct slice s);

/* Replaces placeholders of outputs, and paths of those that are made under another name; in the job's arena. */
struct slice build_rewrite(struct job *j, struct slice s);

/* --- build_files.c --- */

/* .attrs.json and .attrs.sh; the two appended. */
int build_structured(struct job *j, struct buf *json, struct buf *sh, struct err *e);

/* The text of exportReferencesGraph in the plain form. */
int build_export_graph(struct job *j, const struct export_graph *g, struct buf *out, struct err *e);

/* --- build_dir.c --- */

/* Makes the folder of a build, removing those of dead processes first. */
int build_dir_open(struct job *j, struct err *e);

/* Removes it; keep: leaves the working directory and says where. */
void build_dir_close(struct job *j, int keep);

/* Lists what is seen inside. */
int build_root_make(struct job *j, struct err *e);

/* --- build_user.c --- */
int build_user_take(struct build_user *u, struct store *s, struct err *e);
void build_user_release(struct build_user *u);

/* --- build_hook.c --- */

/* Runs the program of post-build-hook, if there is one, once the outputs are valid.  ERR_BUILD: it failed. */
int build_hook_run(struct job *j, struct err *e);

/* --- build_output.c --- */

/* Copies, checks and registers what the builder made; 1: what is left to do is in j->made. */
int build_outputs(struct job *j, struct err *e);

/* Once that was placed: makes it valid. */
int build_outputs_end(struct job *j, struct err *e);

/* That output i, which another machine made and which is staged as n, is what a fixed output has to be; hash: of its contents. */
int build_check_brought(struct job *j, size_t i, const struct hash *hash, struct new_object *n, struct err *e);

/* As build_outputs, of what is in j->made; rc: how it went so far. */
int build_brought(struct job *j, int rc, struct err *e);

/* The derivation's outputHashMode when it is none that this library knows, else NULL. */
const struct slice *build_foreign_mode(const struct drv *d);

/* The hash by that mode of the fixed output dirfd/name, from the hooks.  Returns 1 when nobody knows the mode. */
int build_foreign_hash(struct build *b, const struct node *n, int dirfd, const char *name, struct hash *out, struct err *e);

/* --- build_check.c --- */

/* Whether the outputs v[0..n) (new ones, by output; name NULL for those that were valid) may be as they are. */
int build_check_outputs(struct job *j, const struct new_object *v, struct err *e);

#endif

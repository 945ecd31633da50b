/* SPDX-License-Identifier: MIT
 *
 * Module proxies: which ones the user has chosen, and getting a module's files from them.
 *
 *     GOPROXY = proxy { ("," | "|") proxy }      proxy = address | "direct" | "off"
 *
 * After "," the next is asked only when the one before has no such module (404, 410, no such file), after "|" whatever went
 * wrong.  "off" forbids what has not been found so far.  "direct" is the module's own repository, which needs version control:
 * whoever has that says how it is asked, and where nobody does it ends the list with an error that says so.
 */
#ifndef GOLANG_GOPROXY_H
#define GOLANG_GOPROXY_H

#include "golang/goauth.h"
#include "golang/modpath.h"
#include "fetch/transfer.h"

/* The user's choices, malloc'd; NULL: not set.  Zeroed is empty. */
struct go_settings {
	char *proxy;	/* GOPROXY */
	char *no_proxy; /* GONOPROXY, or GOPRIVATE when that is not set */
	char *auth;	/* GOAUTH */
	int asked;	/* the go command of this machine was */

	/* Asks the programs that GOAUTH names, as go_auth_ask; NULL: they are not asked. */
	void (*credentials)(enum go_auth_step step, struct slice url, struct slice refusal, struct buf *headers,
			    struct buf *failed);

	/* Brings a file of a module from its own repository, into the request's sink; NULL: nobody can. */
	int (*direct)(const struct module_version *m, const char *ending, const struct transfer_request *request, struct err *e);
};

/* Reads them as the go command does: the environment, then the file of `go env -w` ($GOENV, or go/env in the user's
 * configuration folder). */
int go_settings_load(struct go_settings *s, struct err *e);
void go_settings_release(struct go_settings *s);

/* What they do not say: asks the go command of this machine, which knows what the go.env of its GOROOT says.  Nothing changes when
 * there is none, or when it fails. */
void go_settings_ask(struct go_settings *s);

/* The value of a variable in the text of such a file (or of a toolchain's go.env): 1 when it is there and not empty. */
int go_env_find(struct slice text, const char *name, struct slice *value);

/* The list of proxies for a module: the user's; else for toolchains their publisher's; else what go_env (the text of the
 * toolchain's go.env, may be empty) says.  An empty list when nothing says. */
struct slice go_proxy_list(const struct go_settings *s, const struct module_version *m, struct slice go_env);

/* Gets module/@v/version.ENDING ("zip", "mod", "info") from the first proxy of the list that has it.  Where
 * the user has chosen none, an error says where that was looked for.  Of the request, sink and limits count; a sink that cannot
 * restart must have written nothing.  ERR_NOTFOUND when no proxy has it; ERR_DENIED when the list forbids to look; what went wrong
 * otherwise. */
int go_proxy_get(struct transfer_engine *g, const struct go_settings *s, struct slice list,
		 const struct module_version *m, const char *ending, const struct transfer_request *request,
		 struct transfer_result *out, struct err *e);

#endif

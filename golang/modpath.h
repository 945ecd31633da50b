/* SPDX-License-Identifier: MIT
 *
 * Names of Go modules: paths, versions, file paths inside modules; what they may look like, and how they are
 * written in the addresses of a module proxy.  The rules are those of golang.org/x/mod/module and semver.
 *
 * Everything here looks at text only.  ERR_INVALID with a message that says which rule was broken.
 */
#ifndef GOLANG_MODPATH_H
#define GOLANG_MODPATH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* A module at a version. */
struct module_version {
	struct slice path, version;
};

/* --- paths --- */

/* A module path: elements of ASCII letters, digits and "-._~", the first of them like a host name in lower
 * case with a dot, nothing Windows could not store, and a major version at the end only where there may be one. */
int modpath_check(struct slice path, struct err *e);

/* The path of a file in a module: as above, but any Unicode letter and most ASCII punctuation may occur. */
int modpath_check_file(struct slice path, struct err *e);

/* Splits "example.com/m/v2" into "example.com/m" and "/v2", "gopkg.in/yaml.v2" into "gopkg.in/yaml" and ".v2"; without a major
 * version *major is empty.  Returns 0 when what looks like one is none ("/v1", "/v02"). */
int modpath_split_major(struct slice path, struct slice *prefix, struct slice *major);

/* --- versions --- */

/* 1 for "v1.2.3" with or without "-pre" and "+build"; short forms ("v1", "v1.2") only when `shorts`. */
int modver_is_semver(struct slice v, int shorts);

/* 1 when it is written in the one form that go.mod and go.sum use: complete, and without a build part but "+incompatible". */
int modver_is_canonical(struct slice v);

/* 1 for a version made from a revision: "v0.0.0-20060102150405-abcdefabcdef" and its two other forms. */
int modver_is_pseudo(struct slice v);

/* Order of versions: less, equal or greater than 0; build parts do not count; what is no version is less than any. */
int modver_cmp(struct slice a, struct slice b);

/* --- both --- */

/* A valid path, a valid canonical version, and a major version that agrees with the path. */
int modpath_check_module(const struct module_version *m, struct err *e);

/* Appends the form for addresses and file systems that know no case: "!x" for "X".  The path (or version) must be
 * valid, else ERR_INVALID. */
int modpath_escape(struct buf *b, struct slice path, struct err *e);
int modver_escape(struct buf *b, struct slice version, struct err *e);

/* And back. */
int modpath_unescape(struct buf *b, struct slice escaped, struct err *e);

/* 1 when some prefix of the path, in whole elements, matches one of the glob patterns (comma-separated, as in GOPRIVATE). */
int modpath_matches(struct slice globs, struct slice path);

#endif

/* SPDX-License-Identifier: MIT
 *
 * What an image is to be: the description that std.buildImage (stdlib/image/) writes into the store, as JSON.
 *
 *     gxImage        1
 *     name, tag      how it is called; the tag may be null
 *     architecture, os, variant
 *     form           "runnable" or "tools"
 *     compression    "zstd" or "gzip"
 *     layers         of objects, at most about so many
 *     config         entrypoint and the like, by the names of OCI
 *     annotations    of the manifest
 *     created        a time, or null
 *     shell          what mkShell made, whose variables are the image's, or null
 *     root           an object whose contents are put at the root, or null
 *     folders        [ { path, mode, uid, gid } … ], at the root
 *     base           another description's path, or "REGISTRY/REPOSITORY@sha256:…", or null
 *     images         instead of all but the name: descriptions' paths, one a platform
 *
 * All objects that the description refers to are in the image with all they need, but for the base and what is only put at the
 * root.
 */
#ifndef IMAGE_SPEC_H
#define IMAGE_SPEC_H

#include "base/json_tree.h"
#include "image/layer.h"
#include "format/pathset.h"

enum { LIMIT_SPEC = 1 << 20, LIMIT_FOLDERS = 1000 };

/* Everything is in the arena. */
struct image_spec {
	struct arena a;
	struct slice name, tag;	 /* n 0: none */
	struct slice architecture, os, variant, created;
	enum image_form form;
	enum compression compression;
	size_t layers;
	struct jnode *config, *annotations; /* objects */
	struct layer_folder *folders;
	size_t nfolders;
	struct store_path root, base, shell; /* len 0: none */
	struct slice base_ref;	      /* n 0: none */
	struct store_path *images;
	size_t nimages;
};

/* An image without a description, of the machine's own kind. */
void image_spec_init(struct image_spec *s);
void image_spec_release(struct image_spec *s);

/* Reads one; ERR_INVALID for what is none, or asks for what cannot be.  Released in any case. */
int image_spec_parse(struct image_spec *s, struct slice store_dir, struct slice text, struct err *e);

/* Parses a JSON document that others wrote: an object of bounded size, with few enough members that it costs no time.  what: its
 * name in messages. */
int image_json(struct arena *a, struct slice text, const char *what, struct jnode **out, struct err *e);

/* The text of a member; n 0 when it is missing, null or something else. */
struct slice image_text(const struct jnode *o, const char *name);

#endif

/* SPDX-License-Identifier: MIT
 *
 * Values as XML, for toXML and for `gxeval --xml`.
 */
#ifndef BUILTINS_XML_H
#define BUILTINS_XML_H

#include "base/buf.h"
#include "eval/builtin.h"

enum xml_flags {
	XML_FORCE = 1,	 /* force what is not evaluated; else it is written as <unevaluated /> */
	XML_LOCATION = 2 /* with the positions of attributes and functions */
};

/* Appends the document for w to b, a collected buffer; the contexts of its strings go to ctx.  Throws. */
void value_to_xml(struct buf *b, W w, unsigned flags, struct ctx_acc *ctx);

extern const struct builtin *const builtins_xml[];

#endif

/* SPDX-License-Identifier: MIT
 *
 * YAML documents as JSON text, for the files of people around Kubernetes.
 */
#ifndef KUBE_YAML_H
#define KUBE_YAML_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* How words without quotes are read: as what YAML 1.2 says they are (true, 12, null); or as text, but for null. */
enum yaml_words { YAML_TYPED, YAML_TEXT };

/* Appends the one document of the text.  ERR_INVALID with the line; ERR_LIMIT. */
int yaml_to_json(struct slice text, enum yaml_words words, struct buf *out, struct err *e);

#endif

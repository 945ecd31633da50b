/* SPDX-License-Identifier: MIT
 *
 * Putting a derivation into a store.
 */
#ifndef CLI_DRV_ADD_H
#define CLI_DRV_ADD_H

#include "format/drv.h"
#include "store/store.h"

/* drv_finish with what the store knows of inputs; the text is appended, path that of the .drv. */
int drv_finish_in(struct store *s, struct drv *d, struct buf *text, struct store_path *path, struct err *e);

/* Registers the text of a finished derivation, with its inputs as references. */
int drv_add(struct store *s, const struct drv *d, struct slice text, struct store_path *path, struct err *e);

#endif

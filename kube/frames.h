/* SPDX-License-Identifier: MIT
 *
 * Frames of WebSocket (RFC 6455), from the client's side.
 */
#ifndef KUBE_FRAMES_H
#define KUBE_FRAMES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

enum frame_kind { FRAME_MORE = 0, FRAME_TEXT = 1, FRAME_BINARY = 2, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10 };

struct frame {
	enum frame_kind kind;
	int last; /* of its message */
	struct slice payload;
};

/* Takes one frame off the front of *in: 1; 0 when it is not whole yet; ERR_NETWORK for what no server sends, ERR_LIMIT. */
int frame_take(struct slice *in, struct frame *f, struct err *e);

/* Appends a frame that is a whole message. */
void frame_add(struct buf *out, enum frame_kind kind, struct slice payload, const uint8_t mask[4]);

/* What Sec-WebSocket-Accept has to be for a key: 28 characters and a NUL. */
void frame_accept(const char *key, char out[29]);

#endif

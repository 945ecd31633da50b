/* SPDX-License-Identifier: MIT
 *
 * A server masks nothing, uses no extension that was not asked for, and sends control frames whole: anything else ends the
 * connection.
 */
#include "config.h"
#include "kube/frames.h"
#include "format/basen.h"
#include "format/hash.h"

#include <string.h>

enum { MAX_FRAME = 4 << 20, MAX_CONTROL = 125 };

static uint64_t big_endian(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static int is_known(unsigned kind)
{
	return kind <= FRAME_BINARY || (kind >= FRAME_CLOSE && kind <= FRAME_PONG);
}

int frame_take(struct slice *in, struct frame *f, struct err *e)
{
	const uint8_t *p = (const uint8_t *)in->p;
	size_t head = 2;
	uint64_t n;

	if (in->n < 2)
		return 0;
	f->kind = (enum frame_kind)(p[0] & 15);
	f->last = p[0] >> 7;
	n = p[1] & 127;
	if (p[0] & 0x70 || p[1] & 0x80 || !is_known(p[0] & 15) || (f->kind >= FRAME_CLOSE && (!f->last || n > MAX_CONTROL)))
		return err_set(e, ERR_NETWORK, "the cluster sends what is no frame of a WebSocket");
	if (n >= 126) {
		size_t more = n == 126 ? 2 : 8;

		if (in->n < head + more)
			return 0;
		n = big_endian(p + head, more);
		head += more;
	}
	if (n > MAX_FRAME)
		return err_set(e, ERR_LIMIT, "the cluster sends a frame of more than %d MiB", MAX_FRAME >> 20);
	if (in->n - head < n)
		return 0;
	f->payload = (struct slice){ in->p + head, (size_t)n };
	*in = (struct slice){ in->p + head + n, in->n - head - (size_t)n };
	return 1;
}

void frame_add(struct buf *out, enum frame_kind kind, struct slice payload, const uint8_t mask[4])
{
	buf_addc(out, (char)(0x80 | kind));
	if (payload.n < 126) {
		buf_addc(out, (char)(0x80 | payload.n));
	} else {
		int bytes = payload.n < 65536 ? 2 : 8;

		buf_addc(out, (char)(0x80 | (bytes == 2 ? 126 : 127)));
		for (int i = bytes - 1; i >= 0; i--)
			buf_addc(out, (char)((uint64_t)payload.n >> (8 * i)));
	}
	buf_add(out, mask, 4);
	for (size_t i = 0; i < payload.n; i++)
		buf_addc(out, (char)((uint8_t)payload.p[i] ^ mask[i % 4]));
}

void frame_accept(const char *key, char out[29])
{
	struct hash_ctx c;
	struct hash h;

	hash_init(&c, HASH_SHA1);
	hash_update(&c, key, strlen(key));
	hash_update(&c, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
	hash_final(&c, &h);
	base64_encode(h.b, h.len, out);
	out[28] = 0;
}

/* SPDX-License-Identifier: MIT
 *
 * Byte by byte, so that they can be wrong in any way.
 */
#include "config.h"
#include "tests/unit/zip_make.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void le(struct buf *b, uint64_t v, int n)
{
	for (int i = 0; i < n; i++)
		buf_addc(b, (char)(v >> 8 * i));
}

static void packed(struct buf *b, const struct zip_member *m)
{
	size_t n = strlen(m->text);

	if (!m->deflate) {
		buf_adds(b, m->text);
		return;
	}
	z_stream z = { .next_in = (Bytef *)(uintptr_t)m->text, .avail_in = (uInt)n };
	unsigned char out[4096];

	deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	z.next_out = out;
	z.avail_out = sizeof out;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	buf_add(b, out, sizeof out - z.avail_out);
	deflateEnd(&z);
}

void zip_make(struct buf *b, const struct zip_member *v, size_t n)
{
	struct buf dir = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		const struct zip_member *m = &v[i];
		const char *local = m->local_name ? m->local_name : m->name;
		uint32_t crc = m->crc ? m->crc : (uint32_t)crc32(0, (const Bytef *)m->text, (uInt)strlen(m->text));
		uint64_t size = m->size ? m->size : strlen(m->text), at = b->len;
		struct buf data = BUF_INIT;
		int method = m->method ? m->method : m->deflate ? 8 : 0;

		packed(&data, m);
		buf_add(b, "PK\3\4", 4);
		le(b, 20, 2), le(b, m->flags, 2), le(b, (uint64_t)method, 2), le(b, 0, 4), le(b, crc, 4);
		le(b, data.len, 4), le(b, size, 4), le(b, strlen(local), 2), le(b, 0, 2);
		buf_adds(b, local);
		buf_add(b, data.p, data.len);

		buf_add(&dir, "PK\1\2", 4);
		le(&dir, m->mode ? 0x314 : 20, 2), le(&dir, 20, 2), le(&dir, m->flags, 2), le(&dir, (uint64_t)method, 2);
		le(&dir, 0, 4), le(&dir, crc, 4), le(&dir, m->wide ? UINT32_MAX : data.len, 4);
		le(&dir, m->wide ? UINT32_MAX : size, 4), le(&dir, strlen(m->name), 2), le(&dir, m->wide ? 28 : 0, 2);
		le(&dir, 0, 2), le(&dir, 0, 2), le(&dir, 0, 2), le(&dir, (uint64_t)m->mode << 16, 4);
		le(&dir, m->wide ? UINT32_MAX : at, 4);
		buf_adds(&dir, m->name);
		if (m->wide)
			le(&dir, 1, 2), le(&dir, 24, 2), le(&dir, size, 8), le(&dir, data.len, 8), le(&dir, at, 8);
		buf_release(&data);
	}
	uint64_t at = b->len;

	if (dir.len)
		buf_add(b, dir.p, dir.len);
	buf_add(b, "PK\5\6", 4);
	le(b, 0, 4), le(b, n, 2), le(b, n, 2), le(b, dir.len, 4), le(b, at, 4), le(b, 0, 2);
	buf_release(&dir);
}

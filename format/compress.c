/* SPDX-License-Identifier: MIT
 *
 * Each library has the same shape: a stream that takes input and gives output until it has eaten all of it.  A method here is three
 * functions around that; codec_feed and codec_end are the loops.  The libraries are loaded when used, but for zlib and bzip2, which
 * are part of the program anyway.
 *
 * Several streams one behind the other are one, for those formats that are made so (xz, gzip, bzip2, zstd); not for brotli and
 * lzma.
 */
#include "config.h"
#include "format/compress.h"
#include "base/alloc.h"
#include "base/late.h"

#include <stdlib.h>
#include <string.h>

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define LZMA_CALLS(X)                                                                                             \
	X(alone_decoder) X(alone_encoder) X(code) X(easy_encoder) X(end) X(lzma_preset) X(stream_decoder)         \
	X(stream_encoder_mt)
#define LZMA_POINTER(f) __typeof__(lzma_##f) *f;
LATE_LIBRARY(xz, GX_LZMA_LIBRARY, "lzma_", LZMA_CALLS, LZMA_POINTER);

#define ZSTD_CALLS(X)                                                                                             \
	X(CCtx_setParameter) X(compressStream2) X(createCCtx) X(createDCtx) X(decompressStream) X(freeCCtx)       \
	X(freeDCtx) X(getErrorName) X(isError) X(versionString)
#define ZSTD_POINTER(f) __typeof__(ZSTD_##f) *f;
LATE_LIBRARY(zst, GX_ZSTD_LIBRARY, "ZSTD_", ZSTD_CALLS, ZSTD_POINTER);

#define BROTLI_DEC_CALLS(X) X(CreateInstance) X(DecompressStream) X(DestroyInstance)
#define BROTLI_DEC_POINTER(f) __typeof__(BrotliDecoder##f) *f;
LATE_LIBRARY(brd, GX_BROTLIDEC_LIBRARY, "BrotliDecoder", BROTLI_DEC_CALLS, BROTLI_DEC_POINTER);

#define BROTLI_ENC_CALLS(X) X(CompressStream) X(CreateInstance) X(DestroyInstance) X(IsFinished) X(SetParameter)
#define BROTLI_ENC_POINTER(f) __typeof__(BrotliEncoder##f) *f;
LATE_LIBRARY(bre, GX_BROTLIENC_LIBRARY, "BrotliEncoder", BROTLI_ENC_CALLS, BROTLI_ENC_POINTER);

enum {
	OUT_SIZE = 1 << 16,
	XZ_MEMORY = 256 << 20, /* xz -9 needs 65 MiB to decompress */
	BROTLI_USUAL = 6       /* the library's own, 11, takes ten times as long for a tenth less */
};

/* The bytes of one step: what is left of the input, where output goes. */
struct piece {
	const uint8_t *in;
	size_t nin;
	uint8_t *out;
	size_t nout;
};

enum step { STEP_MORE, STEP_END, STEP_BAD };

struct method {
	int (*open)(struct codec *c, struct err *e);
	/* Moves on; last: no input comes after this.  STEP_END: a stream is complete. */
	enum step (*step)(struct codec *c, struct piece *p, int last);
	void (*close)(struct codec *c);
	int chained; /* another stream may follow one that is complete */
};

struct codec {
	const struct nar_sink *sink;
	const struct method *m;
	const char *name;
	int level, parallel, unpacks;
	int complete; /* a stream ended, and nothing of another was seen */
	int failed;
	union {
		lzma_stream lzma;
		z_stream z;
		bz_stream bz;
		ZSTD_CCtx *zc;
		ZSTD_DCtx *zd;
		BrotliEncoderState *be;
		BrotliDecoderState *bd;
	} u;
	uint8_t out[OUT_SIZE];
};

/* --- xz --- */

static int xz_open(struct codec *c, struct err *e)
{
	uint32_t preset = c->level < 0 ? LZMA_PRESET_DEFAULT : (uint32_t)(c->level > 9 ? 9 : c->level);
	lzma_mt mt = { .threads = 0, .preset = preset, .check = LZMA_CHECK_CRC64 };
	lzma_ret r;

	if (late_load(&xz_library, e))
		return ERR_IO;
	c->u.lzma = (lzma_stream)LZMA_STREAM_INIT;
	mt.threads = 4;
	if (c->unpacks)
		r = xz.stream_decoder(&c->u.lzma, XZ_MEMORY, 0);
	else if (c->parallel)
		r = xz.stream_encoder_mt(&c->u.lzma, &mt);
	else
		r = xz.easy_encoder(&c->u.lzma, preset, LZMA_CHECK_CRC64);
	return r == LZMA_OK ? 0 : err_set(e, ERR_IO, "liblzma cannot begin (%d)", (int)r);
}

static enum step xz_step(struct codec *c, struct piece *p, int last)
{
	lzma_stream *s = &c->u.lzma;

	s->next_in = p->in, s->avail_in = p->nin;
	s->next_out = p->out, s->avail_out = p->nout;
	lzma_ret r = xz.code(s, last && !c->unpacks ? LZMA_FINISH : LZMA_RUN);

	*p = (struct piece){ s->next_in, s->avail_in, s->next_out, s->avail_out };
	return r == LZMA_STREAM_END ? STEP_END : r == LZMA_OK || r == LZMA_BUF_ERROR ? STEP_MORE : STEP_BAD;
}

static void xz_close(struct codec *c)
{
	xz.end(&c->u.lzma);
}

/* What xz was before it had sums and an end: caches of long ago have it. */
static int lzma_open(struct codec *c, struct err *e)
{
	uint32_t preset = c->level < 0 ? LZMA_PRESET_DEFAULT : (uint32_t)(c->level > 9 ? 9 : c->level);
	lzma_options_lzma o;
	lzma_ret r;

	if (late_load(&xz_library, e))
		return ERR_IO;
	c->u.lzma = (lzma_stream)LZMA_STREAM_INIT;
	if (c->unpacks)
		r = xz.alone_decoder(&c->u.lzma, XZ_MEMORY);
	else
		r = xz.lzma_preset(&o, preset) ? LZMA_OPTIONS_ERROR : xz.alone_encoder(&c->u.lzma, &o);
	return r == LZMA_OK ? 0 : err_set(e, ERR_IO, "liblzma cannot begin (%d)", (int)r);
}

/* --- zstd --- */

static int zstd_open(struct codec *c, struct err *e)
{
	if (late_load(&zst_library, e))
		return ERR_IO;
	c->u.zc = zst.createCCtx();
	if (!c->u.zc)
		out_of_memory();
	zst.CCtx_setParameter(c->u.zc, ZSTD_c_compressionLevel, c->level < 0 ? ZSTD_CLEVEL_DEFAULT : c->level);
	zst.CCtx_setParameter(c->u.zc, ZSTD_c_checksumFlag, 1);
	if (c->parallel)
		zst.CCtx_setParameter(c->u.zc, ZSTD_c_nbWorkers, 4); /* refused where the library has no threads */
	return 0;
}

static enum step zstd_step(struct codec *c, struct piece *p, int last)
{
	ZSTD_inBuffer in = { p->in, p->nin, 0 };
	ZSTD_outBuffer out = { p->out, p->nout, 0 };
	size_t r = zst.compressStream2(c->u.zc, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);

	*p = (struct piece){ p->in + in.pos, p->nin - in.pos, p->out + out.pos, p->nout - out.pos };
	return zst.isError(r) ? STEP_BAD : last && !r ? STEP_END : STEP_MORE;
}

static void zstd_close(struct codec *c)
{
	zst.freeCCtx(c->u.zc);
}

/* A context of the library goes on with the next frame by itself. */
static int unzstd_open(struct codec *c, struct err *e)
{
	if (late_load(&zst_library, e))
		return ERR_IO;
	c->u.zd = zst.createDCtx();
	if (!c->u.zd)
		out_of_memory();
	return 0;
}

static enum step unzstd_step(struct codec *c, struct piece *p, int last)
{
	ZSTD_inBuffer in = { p->in, p->nin, 0 };
	ZSTD_outBuffer out = { p->out, p->nout, 0 };
	size_t r = zst.decompressStream(c->u.zd, &out, &in);

	(void)last;
	*p = (struct piece){ p->in + in.pos, p->nin - in.pos, p->out + out.pos, p->nout - out.pos };
	return zst.isError(r) ? STEP_BAD : !r ? STEP_END : STEP_MORE;
}

static void unzstd_close(struct codec *c)
{
	zst.freeDCtx(c->u.zd);
}

/* --- gzip --- */

static int gzip_open(struct codec *c, struct err *e)
{
	int r;

	memset(&c->u.z, 0, sizeof c->u.z);
	/* 15 bits of window; 16 more: with gzip's header. */
	r = c->unpacks ? inflateInit2(&c->u.z, 15 + 16)
		       : deflateInit2(&c->u.z,
				      c->level < 0   ? Z_DEFAULT_COMPRESSION
				      : c->level > 9 ? 9
						     : c->level,
				      Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	return r == Z_OK ? 0 : err_set(e, ERR_IO, "zlib cannot begin (%d)", r);
}

static enum step gzip_step(struct codec *c, struct piece *p, int last)
{
	z_stream *s = &c->u.z;
	uInt in = p->nin > 1 << 30 ? 1 << 30 : (uInt)p->nin;

	s->next_in = (Bytef *)(uintptr_t)p->in, s->avail_in = in;
	s->next_out = p->out, s->avail_out = (uInt)p->nout;
	int r = c->unpacks ? inflate(s, Z_NO_FLUSH) : deflate(s, last ? Z_FINISH : Z_NO_FLUSH);

	*p = (struct piece){ s->next_in, p->nin - in + s->avail_in, s->next_out, s->avail_out };
	return r == Z_STREAM_END ? STEP_END : r == Z_OK || r == Z_BUF_ERROR ? STEP_MORE : STEP_BAD;
}

static void gzip_close(struct codec *c)
{
	if (c->unpacks)
		inflateEnd(&c->u.z);
	else
		deflateEnd(&c->u.z);
}

/* --- bzip2 --- */

static int bzip2_open(struct codec *c, struct err *e)
{
	int r;

	memset(&c->u.bz, 0, sizeof c->u.bz);
	r = c->unpacks ? BZ2_bzDecompressInit(&c->u.bz, 0, 0) :
			 BZ2_bzCompressInit(&c->u.bz, c->level < 1 || c->level > 9 ? 9 : c->level, 0, 0);
	return r == BZ_OK ? 0 : err_set(e, ERR_IO, "libbz2 cannot begin (%d)", r);
}

static enum step bzip2_step(struct codec *c, struct piece *p, int last)
{
	bz_stream *s = &c->u.bz;
	unsigned in = p->nin > 1 << 30 ? 1 << 30 : (unsigned)p->nin;
	int r;

	s->next_in = (char *)(uintptr_t)p->in, s->avail_in = in;
	s->next_out = (char *)p->out, s->avail_out = (unsigned)p->nout;
	/* Running without input is a mistake to this library. */
	if (c->unpacks)
		r = BZ2_bzDecompress(s);
	else
		r = last ? BZ2_bzCompress(s, BZ_FINISH) : in ? BZ2_bzCompress(s, BZ_RUN) : BZ_RUN_OK;
	*p = (struct piece){ (uint8_t *)s->next_in, p->nin - in + s->avail_in, (uint8_t *)s->next_out, s->avail_out };
	return r == BZ_STREAM_END ? STEP_END : r == BZ_OK || r == BZ_RUN_OK || r == BZ_FINISH_OK ? STEP_MORE : STEP_BAD;
}

static void bzip2_close(struct codec *c)
{
	if (c->unpacks)
		BZ2_bzDecompressEnd(&c->u.bz);
	else
		BZ2_bzCompressEnd(&c->u.bz);
}

/* --- brotli --- */

static int brotli_open(struct codec *c, struct err *e)
{
	if (late_load(&bre_library, e))
		return ERR_IO;
	c->u.be = bre.CreateInstance(NULL, NULL, NULL);
	if (!c->u.be)
		out_of_memory();
	bre.SetParameter(c->u.be, BROTLI_PARAM_QUALITY, (uint32_t)(c->level < 0 ? BROTLI_USUAL : c->level > 11 ? 11 : c->level));
	return 0;
}

static enum step brotli_step(struct codec *c, struct piece *p, int last)
{
	BrotliEncoderOperation op = last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS;

	if (!bre.CompressStream(c->u.be, op, &p->nin, &p->in, &p->nout, &p->out, NULL))
		return STEP_BAD;
	return bre.IsFinished(c->u.be) ? STEP_END : STEP_MORE;
}

static void brotli_close(struct codec *c)
{
	bre.DestroyInstance(c->u.be);
}

static int unbrotli_open(struct codec *c, struct err *e)
{
	if (late_load(&brd_library, e))
		return ERR_IO;
	c->u.bd = brd.CreateInstance(NULL, NULL, NULL);
	if (!c->u.bd)
		out_of_memory();
	return 0;
}

static enum step unbrotli_step(struct codec *c, struct piece *p, int last)
{
	BrotliDecoderResult r = brd.DecompressStream(c->u.bd, &p->nin, &p->in, &p->nout, &p->out, NULL);

	(void)last;
	return r == BROTLI_DECODER_RESULT_SUCCESS ? STEP_END : r == BROTLI_DECODER_RESULT_ERROR ? STEP_BAD : STEP_MORE;
}

static void unbrotli_close(struct codec *c)
{
	brd.DestroyInstance(c->u.bd);
}

/* --- all of them --- */

static const struct kind {
	const char *name, *suffix;
	struct method pack, unpack;
} kinds[] = {
	[COMPRESS_NONE] = { .name = "none", .suffix = "" },
	[COMPRESS_XZ] = { "xz", ".xz", { xz_open, xz_step, xz_close, 0 }, { xz_open, xz_step, xz_close, 1 } },
	[COMPRESS_ZSTD] = { "zstd",
			    ".zst",
			    { zstd_open, zstd_step, zstd_close, 0 },
			    { unzstd_open, unzstd_step, unzstd_close, 1 } },
	[COMPRESS_BZIP2] = { "bzip2",
			     ".bz2",
			     { bzip2_open, bzip2_step, bzip2_close, 0 },
			     { bzip2_open, bzip2_step, bzip2_close, 1 } },
	[COMPRESS_GZIP] = { "gzip", ".gz", { gzip_open, gzip_step, gzip_close, 0 }, { gzip_open, gzip_step, gzip_close, 1 } },
	[COMPRESS_BR] = { "br",
			  ".br",
			  { brotli_open, brotli_step, brotli_close, 0 },
			  { unbrotli_open, unbrotli_step, unbrotli_close, 0 } },
	[COMPRESS_LZMA] = { "lzma", "", { lzma_open, xz_step, xz_close, 0 }, { lzma_open, xz_step, xz_close, 0 } },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

int compression_parse(struct slice word, enum compression *out, struct err *e)
{
	for (unsigned i = 0; i < KINDS; i++)
		if (slice_eq(word, slice_of(kinds[i].name))) {
			*out = (enum compression)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "the compression '%.*s' is not known; it is none, xz, zstd, bzip2, gzip, br or lzma",
		       (int)(word.n < 40 ? word.n : 40), word.p);
}

const char *compression_name(enum compression c)
{
	return kinds[c].name;
}

const char *compression_suffix(enum compression c)
{
	return kinds[c].suffix;
}

const char *compression_version(enum compression c)
{
	switch (c) {
	case COMPRESS_ZSTD: return late_load(&zst_library, NULL) ? "" : zst.versionString();
	case COMPRESS_GZIP: return zlibVersion();
	default: return "";
	}
}

static int open_codec(struct codec **out, struct codec c, const struct method *m, struct err *e)
{
	struct codec *made = xcalloc(1, sizeof *made);
	int rc = 0;

	*made = c;
	if (m->open) {
		made->m = m;
		rc = m->open(made, e);
	}
	if (rc)
		free(made);
	*out = rc ? NULL : made;
	return rc;
}

int compress_open(struct codec **out, enum compression c, int level, int parallel, const struct nar_sink *sink, struct err *e)
{
	const struct codec new = { .sink = sink, .name = kinds[c].name, .level = level, .parallel = parallel };

	return open_codec(out, new, &kinds[c].pack, e);
}

int decompress_open(struct codec **out, enum compression c, const struct nar_sink *sink, struct err *e)
{
	const struct codec new = { .sink = sink, .name = kinds[c].name, .unpacks = 1 };

	return open_codec(out, new, &kinds[c].unpack, e);
}

int decompress_load(enum compression c, struct err *e)
{
	struct codec *unused;
	int rc = decompress_open(&unused, c, NULL, e);

	if (!rc)
		codec_free(unused);
	return rc;
}

static int damaged(struct codec *c, struct err *e)
{
	c->failed = 1;
	return err_set(e, ERR_INVALID, c->unpacks ? "the %s data is damaged" : "cannot compress by %s", c->name);
}

/* A stream is complete and there is more: the next one, where that may be. */
static int begin_next(struct codec *c, struct err *e)
{
	if (!c->m->chained) {
		c->failed = 1;
		return err_set(e, ERR_INVALID, "something follows the %s data", c->name);
	}
	if (c->m->open == unzstd_open)
		return 0;
	c->m->close(c);
	int rc = c->m->open(c, e);

	if (rc)
		c->m = NULL; /* nothing to close */
	return rc;
}

/* One step, and its output to the sink. Returns a step, or a negative code. */
static int move(struct codec *c, struct piece *in, int last, struct err *e)
{
	struct piece p = { in->in, in->nin, c->out, OUT_SIZE };
	enum step s = c->m->step(c, &p, last);
	size_t n = OUT_SIZE - p.nout;

	in->in = p.in, in->nin = p.nin, in->nout = p.nout;
	if (s == STEP_BAD)
		return damaged(c, e);
	if (n && c->sink->write(c->sink->user, c->out, n, e)) {
		c->failed = 1;
		return e->code ? e->code : ERR_IO;
	}
	return s;
}

int codec_feed(struct codec *c, const void *data, size_t n, struct err *e)
{
	struct piece in = { data, n, NULL, 0 };

	if (c->failed)
		return err_set(e, ERR_INVALID, "reading on after an error");
	if (!c->m)
		return n ? c->sink->write(c->sink->user, data, n, e) : 0;
	/* A full output may hide more. */
	for (int full = 0; in.nin || full;) {
		size_t before = in.nin;
		int rc = c->complete ? begin_next(c, e) : 0;

		rc = rc ? rc : move(c, &in, 0, e);
		if (rc < 0)
			return rc;
		c->complete = rc == STEP_END;
		full = !c->complete && !in.nout;
		if (!full && !c->complete && in.nin && in.nin == before)
			return damaged(c, e);
	}
	return 0;
}

int codec_end(struct codec *c, struct err *e)
{
	struct piece none = { (const uint8_t *)"", 0, NULL, 0 };
	int rc = STEP_MORE;

	if (c->failed)
		return ERR_INVALID;
	if (!c->m)
		return 0;
	if (c->unpacks)
		return c->complete ? 0 : err_set(e, ERR_INVALID, "the %s data is cut off", c->name);
	while (rc == STEP_MORE)
		rc = move(c, &none, 1, e);
	return rc < 0 ? rc : 0;
}

void codec_free(struct codec *c)
{
	if (!c)
		return;
	if (c->m)
		c->m->close(c);
	free(c);
}

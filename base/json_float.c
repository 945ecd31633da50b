/* SPDX-License-Identifier: MIT
 *
 * Doubles in JSON.  Nix prints them with Grisu2 (Loitsch, "Printing Floating-Point Numbers Quickly and
 * Accurately with Integers", 2010), whose digits always read back as the same double but are, for one number in a
 * thousand, one digit longer than the shortest.  These bytes end up in store paths, so a better
 * algorithm would be wrong: this is Grisu2 with the same choices (powers of ten every eighth exponent,
 * scaled exponent between -60 and -32).
 *
 * The shape of the text: fixed between 1e-5 and 1e15, with ".0" for whole numbers, else d.ddde+XX.
 *
 *   diy_fp    f * 2^e, f of 64 bits
 *   power(i)  10^(-300 + 8 i), rounded to nearest
 */
#include "config.h"
#include "base/json.h"

#include <math.h>
#include <string.h>

struct diy_fp {
	uint64_t f;
	int e;
};

enum { POWER_MIN = -300, POWER_STEP = 8, ALPHA = -60 };

static const uint64_t power_f[79] = {
	0xab70fe17c79ac6ca, 0xff77b1fcbebcdc4f, 0xbe5691ef416bd60c, 0x8dd01fad907ffc3c,
	0xd3515c2831559a83, 0x9d71ac8fada6c9b5, 0xea9c227723ee8bcb, 0xaecc49914078536d,
	0x823c12795db6ce57, 0xc21094364dfb5637, 0x9096ea6f3848984f, 0xd77485cb25823ac7,
	0xa086cfcd97bf97f4, 0xef340a98172aace5, 0xb23867fb2a35b28e, 0x84c8d4dfd2c63f3b,
	0xc5dd44271ad3cdba, 0x936b9fcebb25c996, 0xdbac6c247d62a584, 0xa3ab66580d5fdaf6,
	0xf3e2f893dec3f126, 0xb5b5ada8aaff80b8, 0x87625f056c7c4a8b, 0xc9bcff6034c13053,
	0x964e858c91ba2655, 0xdff9772470297ebd, 0xa6dfbd9fb8e5b88f, 0xf8a95fcf88747d94,
	0xb94470938fa89bcf, 0x8a08f0f8bf0f156b, 0xcdb02555653131b6, 0x993fe2c6d07b7fac,
	0xe45c10c42a2b3b06, 0xaa242499697392d3, 0xfd87b5f28300ca0e, 0xbce5086492111aeb,
	0x8cbccc096f5088cc, 0xd1b71758e219652c, 0x9c40000000000000, 0xe8d4a51000000000,
	0xad78ebc5ac620000, 0x813f3978f8940984, 0xc097ce7bc90715b3, 0x8f7e32ce7bea5c70,
	0xd5d238a4abe98068, 0x9f4f2726179a2245, 0xed63a231d4c4fb27, 0xb0de65388cc8ada8,
	0x83c7088e1aab65db, 0xc45d1df942711d9a, 0x924d692ca61be758, 0xda01ee641a708dea,
	0xa26da3999aef774a, 0xf209787bb47d6b85, 0xb454e4a179dd1877, 0x865b86925b9bc5c2,
	0xc83553c5c8965d3d, 0x952ab45cfa97a0b3, 0xde469fbd99a05fe3, 0xa59bc234db398c25,
	0xf6c69a72a3989f5c, 0xb7dcbf5354e9bece, 0x88fcf317f22241e2, 0xcc20ce9bd35c78a5,
	0x98165af37b2153df, 0xe2a0b5dc971f303a, 0xa8d9d1535ce3b396, 0xfb9b7cd9a4a7443c,
	0xbb764c4ca7a44410, 0x8bab8eefb6409c1a, 0xd01fef10a657842c, 0x9b10a4e5e9913129,
	0xe7109bfba19c0c9d, 0xac2820d9623bf429, 0x80444b5e7aa7cf85, 0xbf21e44003acdd2d,
	0x8e679c2f5e44ff8f, 0xd433179d9c8cb841, 0x9e19db92b4e31ba9,
};

static struct diy_fp power(int i)
{
	int k = POWER_MIN + POWER_STEP * i;

	/* 217706 / 2^16 is log2(10), close enough for these exponents. */
	return (struct diy_fp){ power_f[i], (k * 217706 >> 16) - 63 };
}

static struct diy_fp multiply(struct diy_fp x, struct diy_fp y)
{
	unsigned __int128 p = (unsigned __int128)x.f * y.f + ((unsigned __int128)1 << 63);

	return (struct diy_fp){ (uint64_t)(p >> 64), x.e + y.e + 64 };
}

static struct diy_fp normalise(struct diy_fp x)
{
	int shift = __builtin_clzll(x.f);

	return (struct diy_fp){ x.f << shift, x.e - shift };
}

/* v and the midpoints to its neighbours, all with the exponent of the upper one. */
static void boundaries(double d, struct diy_fp *v, struct diy_fp *low, struct diy_fp *high)
{
	uint64_t bits, fraction;

	memcpy(&bits, &d, sizeof bits);
	fraction = bits & (((uint64_t)1 << 52) - 1);
	int e = (int)(bits >> 52);
	struct diy_fp x = e ? (struct diy_fp){ fraction | (uint64_t)1 << 52, e - 1075 }
			    : (struct diy_fp){ fraction, -1074 };
	/* Below a power of two the neighbour is only half as far. */
	int narrow = fraction == 0 && e > 1;
	struct diy_fp m = narrow ? (struct diy_fp){ 4 * x.f - 1, x.e - 2 } : (struct diy_fp){ 2 * x.f - 1, x.e - 1 };
	*high = normalise((struct diy_fp){ 2 * x.f + 1, x.e - 1 });
	*low = (struct diy_fp){ m.f << (m.e - high->e), high->e };
	*v = normalise(x);
}

/* The power that brings a number with binary exponent e into the range; *k is minus its decimal exponent. */
static struct diy_fp scale(int e, int *k)
{
	int f = ALPHA - e - 1;
	int least = f * 78913 / (1 << 18) + (f > 0); /* ceil(f * log10(2)) */
	int i = (-POWER_MIN + least + POWER_STEP - 1) / POWER_STEP;

	*k = -(POWER_MIN + POWER_STEP * i);
	return power(i);
}

/* Lowers the last digit while that brings the number closer to v and stays inside the interval. */
static void round_last(char *last, uint64_t dist, uint64_t delta, uint64_t rest, uint64_t unit)
{
	while (rest < dist && delta - rest >= unit && (rest + unit < dist || dist - rest > rest + unit - dist)) {
		(*last)--;
		rest += unit;
	}
}

/* The digits of the part before the point, which fits 32 bits; returns 1 when they are enough. */
static int whole_digits(uint32_t p1, uint64_t p2, int shift, uint64_t dist, uint64_t delta, char *out, int *len,
			int *exponent)
{
	uint32_t unit = 1;
	int n = 1;

	for (; p1 / unit >= 10; n++)
		unit *= 10;
	for (; n > 0; unit /= 10) {
		out[(*len)++] = (char)('0' + p1 / unit);
		p1 %= unit;
		n--;
		uint64_t rest = ((uint64_t)p1 << shift) + p2;
		if (rest <= delta) {
			*exponent += n;
			round_last(out + *len - 1, dist, delta, rest, (uint64_t)unit << shift);
			return 1;
		}
	}
	return 0;
}

static void generate(struct diy_fp low, struct diy_fp w, struct diy_fp high, char *out, int *len, int *exponent)
{
	uint64_t delta = high.f - low.f, dist = high.f - w.f;
	int shift = -high.e;
	uint64_t mask = ((uint64_t)1 << shift) - 1, p2 = high.f & mask;

	if (whole_digits((uint32_t)(high.f >> shift), p2, shift, dist, delta, out, len, exponent))
		return;
	do {
		p2 *= 10;
		delta *= 10;
		dist *= 10;
		out[(*len)++] = (char)('0' + (p2 >> shift));
		p2 &= mask;
		(*exponent)--;
	} while (p2 > delta);
	round_last(out + *len - 1, dist, delta, p2, mask + 1);
}

/* Digits of d > 0 and the power of ten they are to be multiplied by. */
static int digits_of(double d, char out[20], int *exponent)
{
	struct diy_fp v, low, high;
	int len = 0;

	boundaries(d, &v, &low, &high);
	struct diy_fp c = scale(high.e, exponent);
	struct diy_fp w = multiply(v, c), l = multiply(low, c), h = multiply(high, c);
	/* One unit inwards covers the error of the products. */
	l.f++;
	h.f--;
	generate(l, w, h, out, &len, exponent);
	return len;
}

static void add_exponent(struct buf *b, const char *digits, int len, int point)
{
	buf_addc(b, digits[0]);
	if (len > 1) {
		buf_addc(b, '.');
		buf_add(b, digits + 1, (size_t)len - 1);
	}
	buf_addf(b, "e%c%02d", point < 1 ? '-' : '+', point < 1 ? 1 - point : point - 1);
}

static void add_zeros(struct buf *b, int n)
{
	while (n-- > 0)
		buf_addc(b, '0');
}

void json_add_double(struct buf *b, double d)
{
	char digits[20];
	int exponent;

	if (!isfinite(d)) {
		buf_adds(b, "null");
		return;
	}
	if (signbit(d))
		buf_addc(b, '-');
	if (d == 0) {
		buf_adds(b, "0.0");
		return;
	}
	int len = digits_of(fabs(d), digits, &exponent);
	int point = len + exponent; /* digits before the decimal point */
	if (len <= point && point <= 15) {
		buf_add(b, digits, (size_t)len);
		add_zeros(b, point - len);
		buf_adds(b, ".0");
	} else if (0 < point && point <= 15) {
		buf_add(b, digits, (size_t)point);
		buf_addc(b, '.');
		buf_add(b, digits + point, (size_t)(len - point));
	} else if (-4 < point && point <= 0) {
		buf_adds(b, "0.");
		add_zeros(b, -point);
		buf_add(b, digits, (size_t)len);
	} else {
		add_exponent(b, digits, len, point);
	}
}

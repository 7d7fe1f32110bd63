/*
 * query/format.c - the format pipe.
 * One job: a text made of others' values, each by its option.
 * Floor: 3 (uses logsql, record, base).
 */
#include <wctype.h>

#include "base/utf8.h"
#include "logsql/value.h"
#include "query/pipe_stage.h"

static void
put_case(struct buf *out, struct str s, bool upper)
{
	uint8_t text[4];
	uint32_t c;
	size_t i = 0, n;

	while (i < s.n) {
		c = utf8_decode(s.p + i, s.n - i, &n);
		if (c < 0x80)
			c = upper ? (c >= 'a' && c <= 'z' ? c - 32 : c)
			          : str_lower_byte((uint8_t)c);
		else if (c >= 0xe0 && c <= 0xfe && c != 0xf7)
			c = upper ? c - 32 : c;
		else if (c >= 0xc0 && c <= 0xde && c != 0xd7)
			c = upper ? c : c + 32;
		else if (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2)
			c = upper ? c - 32 : c;
		else if (c >= 0x391 && c <= 0x3a9)
			c = upper ? c : c + 32;
		else if (c >= 0x430 && c <= 0x44f)
			c = upper ? c - 32 : c;
		else if (c >= 0x410 && c <= 0x42f)
			c = upper ? c : c + 32;
		else if (c >= 0x450 && c <= 0x45f)
			c = upper ? c - 80 : c;
		else if (c >= 0x400 && c <= 0x40f)
			c = upper ? c : c + 80;
		else if (c >= 0x100 && c <= 0x17f && c != 0x130 && c != 0x131 && c != 0x138 &&
		    c != 0x149 && c != 0x178 && c != 0x17f)
			c = upper ? (uint32_t)towupper((wint_t)c) : (uint32_t)towlower((wint_t)c);
		buf_put(out, text, utf8_encode(text, c));
		i += n;
	}
}

static const char hex_digits[] = "0123456789ABCDEF";

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = str_lower_byte(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
put_hex(struct buf *out, uint8_t c)
{
	buf_byte(out, (uint8_t)hex_digits[c >> 4]);
	buf_byte(out, (uint8_t)hex_digits[c & 15]);
}

static void
url_encode(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		uint8_t c = s.p[i], low = str_lower_byte(c);

		if ((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		    c == '_')
			buf_byte(out, c);
		else if (c == ' ')
			buf_byte(out, '+');
		else {
			buf_byte(out, '%');
			put_hex(out, c);
		}
	}
}

static void
url_decode(struct buf *out, struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		if (s.p[i] == '%' && i + 2 < s.n && hex_value(s.p[i + 1]) >= 0 &&
		    hex_value(s.p[i + 2]) >= 0) {
			buf_byte(out,
			    (uint8_t)(hex_value(s.p[i + 1]) * 16 + hex_value(s.p[i + 2])));
			i += 3;
			continue;
		}
		buf_byte(out, s.p[i] == '+' ? ' ' : s.p[i]);
		i++;
	}
}

static void
hex_encode(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		put_hex(out, s.p[i]);
}

static void
hex_decode(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i + 1 < s.n; i += 2) {
		if (hex_value(s.p[i]) >= 0 && hex_value(s.p[i + 1]) >= 0)
			buf_byte(out, (uint8_t)(hex_value(s.p[i]) * 16 + hex_value(s.p[i + 1])));
		else
			buf_put(out, s.p + i, 2);
	}
	buf_str(out, str_sub(s, i, s.n));
}

static void
hex_num_encode(struct buf *out, struct str s)
{
	uint64_t v;
	int shift;

	if (!value_uint(s, &v)) {
		buf_str(out, s);
		return;
	}
	for (shift = 60; shift >= 0; shift -= 4)
		buf_byte(out, (uint8_t)hex_digits[(v >> shift) & 15]);
}

static void
hex_num_decode(struct buf *out, struct str s)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < s.n && s.n <= 16 && hex_value(s.p[i]) >= 0; i++)
		v = v << 4 | (uint64_t)hex_value(s.p[i]);
	if (i < s.n || s.n > 16)
		buf_str(out, s);
	else
		buf_uint(out, v);
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
base64_encode(struct buf *out, struct str s)
{
	size_t i, k;

	for (i = 0; i < s.n; i += 3) {
		uint32_t v = 0;

		for (k = 0; k < 3; k++)
			v = v << 8 | (i + k < s.n ? s.p[i + k] : 0U);
		for (k = 0; k < 4; k++)
			buf_byte(out,
			    i + k > s.n ? '=' : (uint8_t)base64_digits[(v >> (18 - 6 * k)) & 63]);
	}
}

/* False, with nothing appended, when ${s} is no whole base64 text. */
static bool
base64_decode(struct buf *out, struct str s)
{
	size_t start = out->n, i, k, pad;

	if (s.n % 4 != 0)
		return false;
	for (i = 0; i < s.n; i += 4) {
		uint32_t v = 0;

		for (k = 0, pad = 0; k < 4; k++) {
			const char *at = memchr(base64_digits, s.p[i + k], 64);

			if (s.p[i + k] == '=' && i + 4 == s.n && k >= 2)
				pad++;
			else if (at == NULL || pad > 0)
				break;
			v = v << 6 | (at == NULL ? 0U : (uint32_t)(at - base64_digits));
		}
		if (k < 4) {
			out->n = start;
			return false;
		}
		for (k = 0; k < 3 - pad; k++)
			buf_byte(out, (uint8_t)(v >> (16 - 8 * k)));
	}
	return true;
}

static void
put_base64_decoded(struct buf *out, struct str s)
{
	if (!base64_decode(out, s))
		buf_str(out, s);
}

static void
put_duration(struct buf *out, struct str s)
{
	char text[SPAN_TEXT_MAX];
	struct span d;

	if (value_int(s, &d.ns))
		buf_put(out, text, span_format(text, d));
	else
		buf_str(out, s);
}

static void
put_duration_seconds(struct buf *out, struct str s)
{
	int64_t ns;

	if (value_duration(s, &ns))
		value_format_float(out, (double)ns / 1e9);
	else
		buf_str(out, s);
}

static void
put_ipv4(struct buf *out, struct str s)
{
	uint64_t v;

	if (value_uint(s, &v) && v <= UINT32_MAX)
		buf_printf(out, "%u.%u.%u.%u", (unsigned)(v >> 24), (unsigned)(v >> 16 & 255),
		    (unsigned)(v >> 8 & 255), (unsigned)(v & 255));
	else
		buf_str(out, s);
}

/* A number since the epoch: s, ms, us or ns, by its size. */
static void
put_time(struct buf *out, struct str s)
{
	static const int64_t units[] = { NS_PER_S, NS_PER_MS, NS_PER_US, 1 };
	char text[WALL_TEXT_MAX];
	struct wall t;
	uint64_t size;
	double v;
	size_t k;

	if (value_int(s, &t.ns)) {
		size = t.ns < 0 ? 0 - (uint64_t)t.ns : (uint64_t)t.ns;
		k = size < UINT64_C(1) << 32               ? 0
		    : size < (UINT64_C(1) << 32) * 1000    ? 1
		    : size < (UINT64_C(1) << 32) * 1000000 ? 2
		                                           : 3;
		t.ns *= units[k];
	} else if (value_float(s, &v) && v > -9e9 && v < 9e9) {
		t.ns = (int64_t)(v * 1e9);
	} else {
		buf_str(out, s);
		return;
	}
	buf_put(out, text, wall_format(text, t));
}

static void
put_upper(struct buf *out, struct str s)
{
	put_case(out, s, true);
}

static void
put_lower(struct buf *out, struct str s)
{
	put_case(out, s, false);
}

static const struct {
	const char *name;
	void (*put)(struct buf *out, struct str s);
} options[] = {
	{ "base64decode", put_base64_decoded },
	{ "base64encode", base64_encode },
	{ "duration", put_duration },
	{ "duration_seconds", put_duration_seconds },
	{ "hexdecode", hex_decode },
	{ "hexencode", hex_encode },
	{ "hexnumdecode", hex_num_decode },
	{ "hexnumencode", hex_num_encode },
	{ "ipv4", put_ipv4 },
	{ "lc", put_lower },
	{ "q", buf_json },
	{ "time", put_time },
	{ "uc", put_upper },
	{ "urldecode", url_decode },
	{ "urlencode", url_encode },
};

static void
put_value(struct buf *out, const struct pattern_step *step, struct str v)
{
	size_t i;

	for (i = 0; step->option.n != 0 && i < ARRAY_LEN(options); i++) {
		if (str_eq_c(step->option, options[i].name)) {
			options[i].put(out, v);
			return;
		}
	}
	buf_str(out, v);
}

static int
format_rows(const struct pipe *p, struct batch *b, const uint64_t *rows, const struct str **values,
    const struct str *old, struct str *out)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i, k;

	pipe_text_limit(b, &text);
	for (i = 0; i < b->n_rows; i++) {
		out[i] = old[i];
		if (rows != NULL && !bits_get(rows, i))
			continue;
		buf_clear(&text);
		for (k = 0; k < p->n_steps; k++) {
			buf_str(&text, p->steps[k].text);
			if (values[k] != NULL)
				put_value(&text, &p->steps[k], values[k][i]);
		}
		if (text.failed)
			return buf_err(&text);
		out[i] = arena_dup(&b->arena, buf_view(&text));
		if (out[i].p == NULL)
			return err_origin(-ENOMEM);
		out[i] = pipe_keep_old(p, out[i], old[i]);
	}
	return 0;
}

int
pipe_format_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	const struct str **values, *old;
	const uint64_t *rows;
	struct str *out;
	size_t k;
	int r;

	r = pipe_rows(p->filter, env, b, &rows);
	if (r != 0)
		return r;
	values = arena_zalloc(&b->arena, p->n_steps + 1, sizeof(*values));
	out = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*out));
	old = batch_strs(b, p->to);
	if (values == NULL || out == NULL || old == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	for (k = 0; k < p->n_steps; k++) {
		if (p->steps[k].field.n == 0)
			continue;
		values[k] = batch_strs(b, p->steps[k].field);
		if (values[k] == NULL)
			return b->err;
	}
	r = format_rows(p, b, rows, values, old, out);
	return r != 0 ? r : batch_set_strs(b, p->to, out);
}

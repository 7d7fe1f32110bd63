/*
 * alerts/label.c - label sets.
 * One job: the names and values that tell one alert from another.
 * Floor: 4 (uses base).
 */
#include "alerts/label.h"

#include <inttypes.h>
#include <stdlib.h>

static int
label_order(const void *a, const void *b)
{
	const struct label *x = a, *y = b;

	return str_cmp(x->name, y->name);
}

/* Sorted sets are small: a look through is quicker than a map. */
static void
labels_put(struct labels *l, const struct label *one)
{
	size_t i;

	for (i = 0; i < l->n && !str_eq(l->p[i].name, one->name); i++)
		;
	l->p[i] = *one;
	l->n += i == l->n;
}

static void
labels_tidy(struct labels *l)
{
	size_t i, n = 0;

	for (i = 0; i < l->n; i++)
		if (l->p[i].value.n > 0)
			l->p[n++] = l->p[i];
	l->n = n;
	if (n > 1)
		qsort(l->p, n, sizeof(*l->p), label_order);
}

int
labels_with(struct arena *arena, const struct labels *l, const struct label *more, size_t n,
    struct labels *ret)
{
	struct labels all = { arena_zalloc(arena, l->n + n + 1, sizeof(*all.p)), 0 };
	size_t i;

	if (all.p == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < l->n; i++)
		labels_put(&all, &l->p[i]);
	for (i = 0; i < n; i++)
		labels_put(&all, &more[i]);
	labels_tidy(&all);
	*ret = all;
	return 0;
}

int
labels_make(struct arena *arena, const struct label *in, size_t n, struct labels *ret)
{
	static const struct labels none = { NULL, 0 };

	return labels_with(arena, &none, in, n, ret);
}

int
labels_dup(struct arena *arena, const struct labels *l, struct labels *ret)
{
	struct labels all = { arena_zalloc(arena, l->n + 1, sizeof(*all.p)), l->n };
	size_t i;

	if (all.p == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < l->n; i++) {
		all.p[i].name = arena_dup(arena, l->p[i].name);
		all.p[i].value = arena_dup(arena, l->p[i].value);
		if (all.p[i].name.p == NULL || all.p[i].value.p == NULL)
			return err_origin(-ENOMEM);
	}
	*ret = all;
	return 0;
}

struct str
labels_get(const struct labels *l, struct str name)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (str_eq(l->p[i].name, name))
			return l->p[i].value;
	return STR("");
}

bool
labels_equal(const struct labels *a, const struct labels *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (!str_eq(a->p[i].name, b->p[i].name) || !str_eq(a->p[i].value, b->p[i].value))
			return false;
	return true;
}

static uint64_t
fnv1a(uint64_t h, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 1099511628211u;
	return (h ^ 0xff) * 1099511628211u;
}

uint64_t
labels_fingerprint(const struct labels *l)
{
	uint64_t h = 14695981039346656037u;
	size_t i;

	for (i = 0; i < l->n; i++)
		h = fnv1a(fnv1a(h, l->p[i].name), l->p[i].value);
	return h;
}

static void
quote(struct buf *out, struct str s)
{
	size_t i;

	buf_byte(out, '"');
	for (i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '\n')
			buf_str(out, STR("\\n"));
		else if (c == '\t')
			buf_str(out, STR("\\t"));
		else if (c == '\r')
			buf_str(out, STR("\\r"));
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_str(out, str_of(&s.p[i], 1));
	}
	buf_byte(out, '"');
}

void
labels_format(struct buf *out, const struct labels *l)
{
	size_t i;

	buf_str(out, STR("{"));
	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_str(out, STR(", "));
		buf_str(out, l->p[i].name);
		buf_str(out, STR("="));
		quote(out, l->p[i].value);
	}
	buf_str(out, STR("}"));
}

/* ---- reading ---- */

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* One character of a quoted text behind its backslash; how many bytes it took, 0: none such. */
static size_t
unquote_escape(struct str s, uint8_t *ret)
{
	static const char from[] = "\"\\ntr", to[] = "\"\\\n\t\r";
	const char *at = s.n > 0 && s.p[0] != '\0' ? strchr(from, s.p[0]) : NULL;

	if (at != NULL) {
		*ret = (uint8_t)to[at - from];
		return 1;
	}
	if (s.n < 3 || s.p[0] != 'x' || hex_digit(s.p[1]) < 0 || hex_digit(s.p[2]) < 0)
		return 0;
	*ret = (uint8_t)(hex_digit(s.p[1]) * 16 + hex_digit(s.p[2]));
	return 3;
}

/* "…" at the start of ${s}; how many bytes it took, 0: it is none. */
static size_t
unquote(struct str s, struct arena *arena, struct str *ret)
{
	uint8_t *p = arena_alloc(arena, s.n);
	size_t i, n = 0, took;

	if (p == NULL || s.n == 0 || s.p[0] != '"')
		return 0;
	for (i = 1; i < s.n && s.p[i] != '"'; i++) {
		p[n] = s.p[i];
		if (s.p[i] == '\\') {
			took = unquote_escape(str_of(s.p + i + 1, s.n - i - 1), &p[n]);
			if (took == 0)
				return 0;
			i += took;
		}
		n++;
	}
	*ret = str_of(p, n);
	return i < s.n ? i + 1 : 0;
}

/* name="value"; how many bytes it took, 0: it is none. */
static size_t
label_parse(struct str s, struct arena *arena, struct label *ret)
{
	const uint8_t *eq = s.n > 0 ? memchr(s.p, '=', s.n) : NULL;
	size_t n, took;

	if (eq == NULL || eq == s.p)
		return 0;
	n = (size_t)(eq - s.p);
	ret->name = arena_dup(arena, str_of(s.p, n));
	took = unquote(str_of(s.p + n + 1, s.n - n - 1), arena, &ret->value);
	return took > 0 && ret->name.p != NULL ? n + 1 + took : 0;
}

int
labels_parse(struct str text, struct arena *arena, struct labels *ret)
{
	struct labels all = { NULL, 0 };
	size_t i = 1, took;

	if (text.n < 2 || text.p[0] != '{' || text.p[text.n - 1] != '}')
		return LABELS_E_BAD;
	all.p = arena_zalloc(arena, text.n / 4 + 1, sizeof(*all.p)); /* x="", at the least */
	if (all.p == NULL)
		return err_origin(-ENOMEM);
	while (i < text.n - 1) {
		took = label_parse(str_of(text.p + i, text.n - 1 - i), arena, &all.p[all.n]);
		if (took == 0)
			return LABELS_E_BAD;
		all.n++;
		i += took;
		if (i < text.n - 1 && (text.n - i < 3 || text.p[i] != ',' || text.p[i + 1] != ' '))
			return LABELS_E_BAD;
		i += i < text.n - 1 ? 2 : 0;
	}
	return labels_make(arena, all.p, all.n, ret);
}

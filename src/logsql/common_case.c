/*
 * logsql/common_case.c - the cases that people write words in.
 * One job: for contains_common_case and equals_common_case, the forms of each value.
 * Floor: 2 (uses record, base).
 */
#include "base/utf8.h"
#include "logsql/filter_internal.h"
#include "logsql/letter_internal.h"

/* Each capital doubles the forms. */
enum { CAPITALS_MAX = 10 };

static int
add_form(struct str_list *ret, struct arena *arena, struct buf *form)
{
	struct str s;

	if (buf_err(form) != 0)
		return buf_err(form);
	s = arena_dup(arena, buf_view(form));
	if (s.p == NULL)
		return err_origin(-ENOMEM);
	buf_clear(form);
	return err_trace(str_list_add(ret, arena, s));
}

/* ${s} with its i-th capital lowered where bit i of ${mask} is set; all in upper case where ${upper}. */
static size_t
put_form(struct buf *out, struct str s, unsigned mask, bool upper)
{
	size_t i, n, capitals = 0;
	uint32_t c, low;
	uint8_t text[4];

	for (i = 0; i < s.n; i += n) {
		c = utf8_decode(s.p + i, s.n - i, &n);
		if (utf8_len(s.p + i, s.n - i) == 0) {
			buf_byte(out, s.p[i]);
			continue;
		}
		low = letter_lower(c);
		if (low != c) {
			if (capitals < CAPITALS_MAX && (mask >> capitals & 1))
				c = low;
			capitals++;
		}
		if (upper)
			c = letter_upper(c);
		buf_put(out, text, utf8_encode(text, c));
	}
	return capitals;
}

int
common_cases(const struct str_list *values, struct arena *arena, struct str_list *ret)
{
	struct buf form = BUF_INIT;
	size_t i, capitals;
	unsigned mask;
	int r = 0;

	for (i = 0; i < values->n && r == 0; i++) {
		capitals = put_form(&form, values->p[i], 0, true);
		r = add_form(ret, arena, &form);
		if (capitals > CAPITALS_MAX)
			capitals = CAPITALS_MAX;
		for (mask = 0; mask < 1u << capitals && r == 0; mask++) {
			(void)put_form(&form, values->p[i], mask, false);
			r = add_form(ret, arena, &form);
		}
	}
	buf_fini(&form);
	return r;
}

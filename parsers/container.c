/*
 * parsers/container.c - what container engines write around a line.
 * One job: open the wrapping of Docker's json-file and of CRI.
 * Floor: 2 (uses record, base).
 *
 *   Docker  {"log":"text\n","stream":"stdout","time":"2026-11-21T02:14:13.1Z"}; a part has no \n
 *   CRI     2026-11-21T02:14:13.1Z stdout F text; F is whole, P is a part (tags are parted by ':')
 */
#include "parsers/container.h"

static struct str
stream_name(struct str s)
{
	return str_eq(s, STR("stdout")) ? STR("stdout")
	    : str_eq(s, STR("stderr"))  ? STR("stderr")
	                                : STR_NONE;
}

/* log, stream and time of the fields, and the rest apart; false when one of the three is not there. */
static bool
pick_docker(struct context *c, struct field *f, size_t n, struct unwrapped *ret)
{
	unsigned seen = 0;
	size_t i, k = 0;

	for (i = 0; i < n; i++) {
		if (str_eq(f[i].name, STR("log")) && f[i].kind == VALUE_STRING) {
			ret->inner = f[i].value;
			seen |= 1;
		} else if (str_eq(f[i].name, STR("stream"))) {
			ret->where = stream_name(f[i].value);
			seen |= ret->where.n != 0 ? 2 : 0;
		} else if (str_eq(f[i].name, STR("time"))) {
			ret->timed = moment_parse(&c->moment, f[i].value, &ret->time);
			seen |= ret->timed ? 4 : 0;
		} else {
			f[k++] = f[i];
		}
	}
	ret->extra = f;
	ret->n_extra = k;
	return seen == 7;
}

int
container_docker(struct context *c, struct str line, struct arena *arena, struct unwrapped *ret)
{
	struct unwrapped u = { 0 };
	struct field *f = NULL;
	size_t n = 0;
	bool bare = c->g.bare;
	int r;

	gather_begin(&c->g, arena);
	/* The wrapping's names have no roles. */
	c->g.bare = true;
	r = json_gather(&c->json, line, &c->g);
	if (r == 0)
		r = gather_fields(&c->g, &f, &n);
	c->g.bare = bare;
	if (r < 0)
		return r;
	if (r != 0 || !pick_docker(c, f, n, &u))
		return CONTAINER_E_NONE;
	u.whole = str_ends(u.inner, STR("\n"));
	if (u.whole)
		u.inner.n--;
	*ret = u;
	return 0;
}

int
container_cri(struct context *c, struct str line, struct unwrapped *ret)
{
	struct unwrapped u = { .timed = true };
	size_t at, n;

	/* The time's length varies; 'T' is where it always is. */
	if (line.n < 30 || line.p[10] != 'T')
		return CONTAINER_E_NONE;
	at = moment_prefix(&c->moment, str_sub(line, 0, 40), &u.time);
	if (at == 0 || at + 9 > line.n || line.p[at] != ' ' || line.p[at + 7] != ' ')
		return CONTAINER_E_NONE;
	u.where = stream_name(str_sub(line, at + 1, at + 7));
	n = str_find_byte(str_sub(line, at + 8, line.n), ' ');
	if (n == SIZE_MAX)
		n = line.n - at - 8;
	if (u.where.n == 0 || n == 0 || (line.p[at + 8] != 'F' && line.p[at + 8] != 'P') ||
	    (n > 1 && line.p[at + 9] != ':'))
		return CONTAINER_E_NONE;
	u.whole = line.p[at + 8] == 'F';
	u.inner = str_sub(line, at + 8 + n + 1, line.n);
	*ret = u;
	return 0;
}

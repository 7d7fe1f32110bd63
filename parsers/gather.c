/*
 * parsers/gather.c - the fields of one line while it is read.
 * One job: collect named values, note duplicates and roles, and make the record of them.
 * Floor: 2 (uses record, base).
 */
#include "parsers/gather.h"

#include <stdio.h>

#include "base/hash.h"
#include "parsers/parser.h"

void
gather_init(struct gather *g, struct moment *moment, struct field *small, size_t n_small)
{
	*g = (struct gather){ .f = small,
		.small = small,
		.cap = n_small,
		.n_small = n_small,
		.moment = moment };
}

void
gather_fini(struct gather *g)
{
	free(g->more);
	free(g->slots);
	*g = (struct gather){ 0 };
}

void
gather_begin(struct gather *g, struct arena *arena)
{
	g->arena = arena;
	g->room = NULL;
	g->f = g->small;
	g->cap = g->n_small;
	if (g->place != NULL)
		g->room = arena_room(g->place, (GATHER_SMALL + GATHER_EXTRAS) * sizeof(*g->room));
	if (LIKELY(g->room != NULL)) {
		g->f = g->room;
		g->cap = GATHER_SMALL;
	}
	g->n = 0;
	g->reserved = g->traceparent = g->timed = false;
	g->n_dups = g->time_seen = g->msg_seen = 0;
	g->usual_n = 0;
	g->n_escaped = 0;
	g->known = NULL;
	memset(g->seen, 0, sizeof(g->seen));
	/* One by one: a copy of what was just written would wait for it. */
	g->rest = STR_NONE;
	g->error = STR_NONE;
	g->where = STR_NONE;
}

int
gather_grow(struct gather *g)
{
	size_t cap = g->cap * 2 < 64 ? 64 : g->cap * 2;
	struct field *more;

	if (g->n >= GATHER_FIELDS_MAX)
		return GATHER_E_FULL;
	if (cap > GATHER_FIELDS_MAX)
		cap = GATHER_FIELDS_MAX;
	if (cap > g->n_more) {
		more = reallocarray(g->more, cap, sizeof(*more));
		if (more == NULL)
			return err_origin(-ENOMEM);
		if (g->f == g->more)
			g->f = more;
		g->more = more;
		g->n_more = cap;
	}
	if (g->f != g->more && g->n != 0)
		memcpy(g->more, g->f, g->n * sizeof(*g->f));
	g->f = g->more;
	g->cap = g->n_more;
	g->room = NULL;
	return 0;
}

static void
slot_put(struct gather *g, size_t at)
{
	size_t i = hash64(g->f[at].name) % GATHER_SLOTS;

	while (g->slots[i] != 0)
		i = (i + 1) % GATHER_SLOTS;
	g->slots[i] = (uint16_t)(at + 1);
}

void
gather_slot(struct gather *g, size_t at)
{
	size_t i;

	if (at == GATHER_SMALL) {
		if (g->slots == NULL)
			g->slots = malloc(GATHER_SLOTS * sizeof(*g->slots));
		if (g->slots != NULL) {
			memset(g->slots, 0, GATHER_SLOTS * sizeof(*g->slots));
			for (i = 0; i < at; i++)
				slot_put(g, i);
		}
	}
	/* Without memory for the table the list is searched: slower, and the same. */
	if (g->slots != NULL)
		slot_put(g, at);
}

/* The field of that name among those gathered, or SIZE_MAX. */
static size_t
find(const struct gather *g, struct str name)
{
	size_t i;

	if (g->n > GATHER_SMALL && g->slots != NULL) {
		for (i = hash64(name) % GATHER_SLOTS; g->slots[i] != 0; i = (i + 1) % GATHER_SLOTS)
			if (str_eq(g->f[g->slots[i] - 1].name, name))
				return g->slots[i] - 1;
		return SIZE_MAX;
	}
	for (i = 0; i < g->n; i++)
		if (str_eq(g->f[i].name, name))
			return i;
	return SIZE_MAX;
}

bool
gather_replace(struct gather *g, struct str name, struct str value, enum value_kind kind)
{
	size_t at = find(g, name), i;

	if (at == SIZE_MAX)
		return false;
	g->f[at].value = value;
	g->f[at].kind = kind;
	for (i = 0; i < g->n_dups; i++)
		if (g->dups[i] == at)
			return true;
	if (g->n_dups < GATHER_DUPS_MAX)
		g->dups[g->n_dups++] = (uint16_t)at;
	return true;
}

void
gather_role(struct gather *g, size_t at)
{
	int rank = 0;
	enum name_role role = names_role(g->f[at].name, &rank);

	gather_take_role(g, at, role, rank);
}

void
gather_take_role(struct gather *g, size_t at, enum name_role role, int rank)
{
	if (g->bare)
		return;
	switch (role) {
	case NAME_PLAIN:
		break;
	case NAME_TIME:
		g->time_seen |= (uint16_t)(1u << rank);
		g->time_at[rank] = (uint16_t)at;
		g->reserved |= g->f[at].name.p[0] == '_';
		break;
	case NAME_MSG:
		g->msg_seen |= (uint16_t)(1u << rank);
		g->msg_at[rank] = (uint16_t)at;
		g->reserved |= g->f[at].name.p[0] == '_';
		break;
	case NAME_RESERVED:
		g->reserved = true;
		break;
	case NAME_TRACEPARENT:
		g->traceparent = true;
		break;
	}
}

int
gather_fail(struct gather *g, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	g->error = arena_dup(g->arena, str_of(text, (size_t)n));
	return g->error.p != NULL ? PARSE_E_SYNTAX : err_origin(-ENOMEM);
}

/* The first of the time keys, in the order of their list, whose value is a time; or SIZE_MAX. */
static size_t
choose_time(struct gather *g)
{
	unsigned left = g->time_seen;
	size_t at;

	for (; left != 0; left &= left - 1) {
		at = g->time_at[__builtin_ctz(left)];
		if (moment_parse(g->moment, g->f[at].value, &g->time)) {
			g->timed = true;
			return at;
		}
	}
	return SIZE_MAX;
}

/* The first of the message keys that says something, or SIZE_MAX. */
static size_t
choose_msg(const struct gather *g)
{
	unsigned left = g->msg_seen;
	size_t at;

	for (; left != 0; left &= left - 1) {
		at = g->msg_at[__builtin_ctz(left)];
		if (g->f[at].value.n != 0)
			return at;
	}
	return SIZE_MAX;
}

/* name with as many '_' behind it as it takes to be no field's name. */
static int
free_name(struct gather *g, struct str name, struct str *ret)
{
	size_t n = name.n;
	uint8_t *p;

	if (find(g, name) == SIZE_MAX) {
		*ret = name;
		return 0;
	}
	p = arena_alloc(g->arena, name.n + GATHER_FIELDS_MAX + 8);
	if (p == NULL)
		return err_origin(-ENOMEM);
	memcpy(p, name.p, name.n);
	do
		p[n++] = '_';
	while (find(g, str_of(p, n)) != SIZE_MAX);
	*ret = str_of(p, n);
	return 0;
}

int
gather_add_free(struct gather *g, struct str name, struct str value, enum value_kind kind)
{
	struct str unused = name;
	int r = free_name(g, name, &unused);

	return r != 0 ? r : gather_add(g, unused, value, kind);
}

static bool
is_ours(struct str name)
{
	int rank = 0;

	switch (names_role(name, &rank)) {
	case NAME_TIME:
	case NAME_MSG:
		return name.p[0] == '_';
	case NAME_RESERVED:
		return true;
	case NAME_PLAIN:
	case NAME_TRACEPARENT:
		return false;
	}
	return false;
}

/* Outside fields under our names get a '_' behind, but for those that become the time and _msg. */
static int
rename_ours(struct gather *g, size_t time, size_t msg)
{
	struct str name;
	size_t i;
	int r;

	if (g->slots != NULL && g->n > GATHER_SMALL) {
		/* The table knows only the names of the line; the search has to see new ones. */
		free(g->slots);
		g->slots = NULL;
	}
	for (i = 0; i < g->n; i++) {
		if (i == time || i == msg || !is_ours(g->f[i].name))
			continue;
		r = free_name(g, g->f[i].name, &name);
		if (r != 0)
			return r;
		g->f[i].name = name;
	}
	return 0;
}

static int
dup_names(struct gather *g, struct str *ret)
{
	size_t i, n = 0;
	uint8_t *p;

	for (i = 0; i < g->n_dups; i++)
		n += g->f[g->dups[i]].name.n + 1;
	p = arena_alloc(g->arena, n);
	if (p == NULL)
		return err_origin(-ENOMEM);
	*ret = str_of(p, n - 1);
	for (i = 0; i < g->n_dups; i++) {
		memcpy(p, g->f[g->dups[i]].name.p, g->f[g->dups[i]].name.n);
		p += g->f[g->dups[i]].name.n;
		*p++ = ',';
	}
	return 0;
}

/* The trace part of version-trace-parent-flags (W3C Trace Context, 3.2), or nothing. */
static struct str
trace_part(struct str s)
{
	if (s.n < 55 || s.p[2] != '-' || s.p[35] != '-' || s.p[52] != '-')
		return STR_NONE;
	return str_sub(s, 3, 35);
}

static int
add_extra(struct gather *g, struct field *f, size_t *n, struct str name, struct str value)
{
	int r;

	if (value.n == 0)
		return 0;
	r = free_name(g, name, &f[*n].name);
	if (r != 0)
		return r;
	f[*n].value = value;
	f[*n].kind = VALUE_STRING;
	(*n)++;
	return 0;
}

static int
add_extras(struct gather *g, struct str dups, struct field *f, size_t *n)
{
	struct str trace = STR_NONE;
	int r;

	if (g->traceparent && find(g, STR("trace_id")) == SIZE_MAX)
		trace = trace_part(g->f[find(g, STR("traceparent"))].value);
	r = add_extra(g, f, n, STR("trace_id"), trace);
	if (r == 0)
		r = add_extra(g, f, n, STR("dup_keys"), dups);
	if (r == 0)
		r = add_extra(g, f, n, STR("stream"), g->where);
	if (r == 0)
		r = add_extra(g, f, n, STR("parse_error"), g->error);
	return r != 0 ? r : add_extra(g, f, n, STR("_rest"), g->rest);
}

/* The fields without number skip, with room for extras: where they are, or in the arena. */
static int
place_fields(struct gather *g, size_t skip, struct field **ret, size_t *ret_n)
{
	size_t n = g->n, before = skip < n ? skip : n;
	struct field *f = g->room;

	if (LIKELY(f != NULL)) {
		*ret = skip < n ? f + 1 : f;
		*ret_n = n - (skip < n);
		if (UNLIKELY(skip < n && skip != 0))
			memmove(f + 1, f, skip * sizeof(*f));
		return 0;
	}
	f = arena_alloc(g->arena, (n + GATHER_EXTRAS) * sizeof(*f));
	if (f == NULL)
		return err_origin(-ENOMEM);
	if (before != 0)
		memcpy(f, g->f, before * sizeof(*f));
	if (skip < n)
		memcpy(f + skip, g->f + skip + 1, (n - skip - 1) * sizeof(*f));
	*ret = f;
	*ret_n = n - (skip < n);
	return 0;
}

void
gather_keep(struct gather *g, const struct record *rec)
{
	if (g->room != NULL)
		arena_take(g->place,
		    (size_t)(rec->fields + rec->n_fields - g->room) * sizeof(*g->room));
	g->room = NULL;
}

void
gather_unknow(struct gather *g)
{
	size_t i;

	g->known = NULL;
	g->usual_n = 0;
	for (i = 0; i < g->n; i++) {
		gather_note(g, gather_hash(g->f[i].name));
		if (names_may_have_role(g->f[i].name))
			gather_role(g, i);
	}
}

/* Whether the line is what its layout says: the text of its time is one. */
static bool
is_as_known(struct gather *g)
{
	if (g->known->time == SIZE_MAX)
		return true;
	g->timed = moment_parse(g->moment, g->f[g->known->time].value, &g->time);
	if (!g->timed)
		gather_unknow(g);
	return g->timed;
}

int
gather_finish(struct gather *g, struct wall received, struct record *rec)
{
	size_t time = SIZE_MAX, msg = SIZE_MAX, at;
	struct str dups = STR_NONE;
	int r = 0;

	if (LIKELY(g->known != NULL) && is_as_known(g)) {
		time = g->known->time;
		msg = g->known->msg;
		if (msg != SIZE_MAX)
			g->f[msg].name = STR("_msg");
	} else if (g->bare) {
		at = find(g, STR("_time"));
		g->timed = g->timed ||
		    (at != SIZE_MAX && moment_parse(g->moment, g->f[at].value, &g->time));
	} else {
		if (!g->timed)
			time = choose_time(g);
		msg = choose_msg(g);
		/* Before any of them is ours: what stands there under these names is the line's. */
		if (g->reserved)
			r = rename_ours(g, time, msg);
		if (r == 0 && msg != SIZE_MAX)
			g->f[msg].name = STR("_msg");
	}
	g->time_form = time != SIZE_MAX ? g->moment->last_form : 0;
	g->time_text = time != SIZE_MAX ? g->f[time].value : STR_NONE;
	/* Before fields move: duplicates are known by their place. */
	if (r == 0 && UNLIKELY(g->n_dups != 0) && !g->bare)
		r = dup_names(g, &dups);
	if (r == 0)
		r = place_fields(g, time, &rec->fields, &rec->n_fields);
	if (r == 0 &&
	    (g->n_dups != 0 || g->traceparent || g->where.n != 0 || g->error.n != 0 ||
	        g->rest.n != 0))
		r = add_extras(g, dups, rec->fields, &rec->n_fields);
	g->time_field = time;
	g->msg_field = msg;
	rec->time = g->timed ? g->time : received;
	rec->flags = g->timed ? RECORD_HAS_TIME : 0;
	return r;
}

int
gather_fields(struct gather *g, struct field **ret, size_t *ret_n)
{
	int r;

	r = place_fields(g, SIZE_MAX, ret, ret_n);
	if (r == 0 && g->rest.n != 0)
		r = add_extra(g, *ret, ret_n, STR("_rest"), g->rest);
	return r;
}

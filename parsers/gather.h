/*
 * parsers/gather.h - the fields of one line while it is read.
 * One job: collect named values, note duplicates and roles, and make the record of them.
 * Floor: 2 (uses record, base).
 *
 * A format adds fields in the order of the line; renames wait for gather_finish, so that duplicates are
 * found by the line's own names.
 */
#pragma once

#include "parsers/moment.h"
#include "record/names.h"
#include "record/record.h"

enum {
	GATHER_FIELDS_MAX = 1000, /* of a record; what is more goes into one field, _rest */
	GATHER_SMALL = 64,        /* up to here a duplicate is searched in the list itself */
	GATHER_SLOTS = 4096,      /* beyond it in a table of so many slots */
	GATHER_DUPS_MAX = 32,     /* duplicates noted by name */
	/* What is added to the line's own fields: trace_id, dup_keys, stream, parse_error, _rest, and what parser_event adds: the
	 * container's time, and _msg for a group whose head has none. */
	GATHER_EXTRAS = 8,
};
/* Apart from PARSE_E_SYNTAX, since a format may meet both. */
enum { GATHER_E_FULL = 2 };

/* What lines of one path have in common.  Their names have no roles but the time's and the message's. */
struct gather_layout {
	uint64_t id; /* record.layout; 0: none */
	size_t n;
	size_t time,
	    msg; /* which field it is, or SIZE_MAX; the time's comes first of those that could be it */
	uint16_t path[GATHER_SMALL];
};

/*
 * Invariants: n <= cap, n <= GATHER_FIELDS_MAX; the first n names are distinct; bit h of seen is set for
 * each hash h of a name, unless the layout is known; slots holds all n names once n passes GATHER_SMALL; time_at[rank] and
 * msg_at[rank] hold where the rank's bit is set; f is room, small or more.
 */
struct gather {
	struct arena *arena; /* what is made for the record lives here; borrowed */
	struct arena *
	    place; /* NULL, or where the record's fields will be; nobody else takes of it meanwhile */
	struct field *room; /* NULL, or in place: the fields are where they stay */
	struct field *f;
	size_t n;
	size_t cap;
	bool bare; /* names have no roles: fields for pipes, or "as is" */
	bool reserved;
	bool traceparent;
	uint16_t n_dups;
	uint16_t time_seen; /* bit per rank */
	uint16_t msg_seen;
	uint64_t seen[4];
	/* The line is that of a path: its first usual_n bytes are these keys and values alone, or usual_n is 0. */
	size_t usual_n;
	uint32_t path_hash;
	uint16_t
	    path[GATHER_SMALL]; /* of each field a number of its key, and how it stands there */
	/* The path's layout, if it has one: then names and roles were not noted. */
	const struct gather_layout *known;
	size_t time_field,
	    msg_field;        /* gather_finish: which fields became time and message, or SIZE_MAX */
	struct str time_text; /* and what the time's was */
	uint64_t time_form;
	size_t n_escaped; /* record.n_escaped */
	struct wall time;
	bool timed;       /* the format itself knows the time, or one of the fields was it */
	struct str rest;  /* _rest, or empty */
	struct str error; /* parse_error, or empty */
	struct str where; /* the stream of a container, stdout or stderr, or empty */
	uint16_t time_at[NAMES_TIME_MAX];
	uint16_t msg_at[NAMES_MSG_MAX];
	uint16_t dups[GATHER_DUPS_MAX];
	uint16_t *slots; /* 0, or 1 + an index into f */
	struct moment *moment;
	struct field *small; /* the caller's first storage for f; not freed */
	size_t n_small;
	struct field *more; /* for lines with more fields */
	size_t n_more;
	const struct str *keep; /* names of objects that stay text */
	size_t n_keep;
};

/** gather_init(g, moment, small, n_small): an empty one on the caller's small[n_small]. */
void gather_init(struct gather *g, struct moment *moment, struct field *small, size_t n_small);
void gather_fini(struct gather *g);

/** gather_begin(g, arena): forget the last line. */
void gather_begin(struct gather *g, struct arena *arena);

/** gather_finish(g, received, rec): the record of what was gathered; roles become _msg and the time.  There is room for
 * GATHER_EXTRAS fields behind; gather_keep(g, rec) says that there are all that there will be. */
int gather_finish(struct gather *g, struct wall received, struct record *rec);
void gather_keep(struct gather *g, const struct record *rec);

/** gather_fields(g, ret, ret_n): the fields alone, in the arena. */
int gather_fields(struct gather *g, struct field **ret, size_t *ret_n);

/** gather_fail(g, fmt, …): why the line does not parse, as text in the arena; returns PARSE_E_SYNTAX, -ENOMEM. */
int gather_fail(struct gather *g, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The parts of gather_add that are rarely needed. */
int gather_grow(struct gather *g);
bool gather_replace(struct gather *g, struct str name, struct str value, enum value_kind kind);
void gather_role(struct gather *g, size_t at);
void gather_take_role(struct gather *g, size_t at, enum name_role role, int rank);
void gather_slot(struct gather *g, size_t at);

/** gather_unknow(g): note what its layout would have said, since the line is not like others of its path. */
void gather_unknow(struct gather *g);

static inline unsigned
gather_hash(struct str name)
{
	uint32_t h;

	h = (uint32_t)name.n * 0x9e3779b1u + name.p[0] * 0x85ebca6bu;
	h ^= name.p[name.n - 1] * 0xc2b2ae35u + name.p[name.n / 2] * 0x27d4eb2fu;
	return (h * 0x9e3779b1u) >> 24;
}

/** gather_met(g, hash): whether a name of this hash may be there.  gather_note(g, hash): from now on one is. */
static inline bool
gather_met(const struct gather *g, unsigned hash)
{
	return (g->seen[hash >> 6] >> (hash & 63) & 1) != 0;
}

static inline void
gather_note(struct gather *g, unsigned hash)
{
	g->seen[hash >> 6] |= UINT64_C(1) << (hash & 63);
}

/**
 * gather_add(g, name, value, kind):
 * One more field; a name that is there already keeps its place, takes the new value and is noted.
 * An empty name is "_".
 *
 * Errors: GATHER_E_FULL (the caller puts what is left into g->rest), -ENOMEM.
 */
static inline int
gather_add(struct gather *g, struct str name, struct str value, enum value_kind kind)
{
	unsigned h;
	int r;

	if (UNLIKELY(name.n == 0))
		name = STR("_");
	h = gather_hash(name);
	if (UNLIKELY(gather_met(g, h)) && gather_replace(g, name, value, kind))
		return 0;
	if (UNLIKELY(g->n == g->cap)) {
		r = gather_grow(g);
		if (r != 0)
			return r;
	}
	gather_note(g, h);
	g->f[g->n] = (struct field){ name, value, kind };
	if (UNLIKELY(names_may_have_role(name)))
		gather_role(g, g->n);
	if (UNLIKELY(g->n >= GATHER_SMALL))
		gather_slot(g, g->n);
	g->n++;
	return 0;
}

/** gather_add_free(g, name, value, kind): the same, but a name that is there already gets '_' behind. */
int gather_add_free(struct gather *g, struct str name, struct str value, enum value_kind kind);

/** gather_text(g, name, value): the same for a plain text value; an empty value is no field. */
static inline int
gather_text(struct gather *g, struct str name, struct str value)
{
	return value.n != 0 ? gather_add(g, name, value, VALUE_STRING) : 0;
}

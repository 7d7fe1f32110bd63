/*
 * record/names.c - fields with a meaning.
 * One job: say which names carry the time, the message, the level and IDs.
 * Floor: 1 (uses base).
 */
#include "record/names.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"

static const struct str time_names[] = {
	STR_INIT("timestamp"),
	STR_INIT("time"),
	STR_INIT("ts"),
	STR_INIT("@timestamp"),
	STR_INIT("datetime"),
	STR_INIT("time_local"),
	STR_INIT("time_iso8601"),
	STR_INIT("eventTime"),
	STR_INIT("event_time"),
	STR_INIT("Timestamp"),
	STR_INIT("asctime"),
	STR_INIT("__REALTIME_TIMESTAMP"),
	STR_INIT("_time"),
};

static const struct str msg_names[] = {
	STR_INIT("message"),
	STR_INIT("msg"),
	STR_INIT("log"),
	STR_INIT("MESSAGE"),
	STR_INIT("_msg"),
};

/* _time and _msg stand in the lists above. */
static const struct str reserved_names[] = {
	STR_INIT("_stream"),
	STR_INIT("_stream_id"),
	STR_INIT("weir"),
};

#define LEN(n) (UINT32_C(1) << (n))
const uint32_t names_lengths[256] = {
	['t'] = LEN(9) | LEN(4) | LEN(2) | LEN(10) | LEN(12) | LEN(11),
	['@'] = LEN(10),
	['a'] = LEN(7),
	['d'] = LEN(8),
	['e'] = LEN(9) | LEN(10),
	['T'] = LEN(9),
	['_'] = LEN(20) | LEN(5) | LEN(4) | LEN(7) | LEN(10),
	['m'] = LEN(7) | LEN(3),
	['l'] = LEN(3),
	['M'] = LEN(7),
	['w'] = LEN(4),
};

static_assert(sizeof(time_names) / sizeof(time_names[0]) <= NAMES_TIME_MAX, "ranks fit");
static_assert(sizeof(msg_names) / sizeof(msg_names[0]) <= NAMES_MSG_MAX, "ranks fit");

static const struct str level_names[] = {
	STR_INIT("level"),
	STR_INIT("severity"),
	STR_INIT("lvl"),
	STR_INIT("loglevel"),
	STR_INIT("log_level"),
	STR_INIT("log.level"),
	STR_INIT("levelname"),
	STR_INIT("level_name"),
	STR_INIT("severity_text"),
	STR_INIT("severitytext"),
};

/* In normal form: lower case, '_' for '-'. */
static const struct str id_names[] = {
	STR_INIT("request_id"),
	STR_INIT("trace_id"),
	STR_INIT("correlation_id"),
	STR_INIT("x_request_id"),
	STR_INIT("x_correlation_id"),
	STR_INIT("x_trace_id"),
	STR_INIT("req_id"),
	STR_INIT("reqid"),
	STR_INIT("requestid"),
	STR_INIT("traceid"),
	STR_INIT("correlationid"),
	STR_INIT("transaction_id"),
};

/*
 * The names that names_set_ids was given, in normal form; NULL: id_names hold.  Other threads may be reading a table when
 * another takes its place, so it is never changed, and stays: there are as many as settings that were changed.
 */
struct id_table {
	struct id_table *before;
	size_t n;
	struct str names[];
};
static struct id_table *_Atomic id_table;
static struct id_table *id_tables; /* all there were */

static int
rank_in(const struct str *names, size_t n, struct str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return (int)i;
	return -1;
}

static uint8_t
id_byte(uint8_t c)
{
	return c == '-' ? '_' : str_lower_byte(c);
}

static struct str
last_part(struct str name)
{
	size_t from = name.n;

	while (from > 0 && name.p[from - 1] != '.')
		from--;
	return str_sub(name, from, name.n);
}

static bool
id_equal(struct str name, struct str id)
{
	size_t i;

	if (name.n != id.n)
		return false;
	for (i = 0; i < name.n; i++)
		if (id_byte(name.p[i]) != id.p[i])
			return false;
	return true;
}

bool
names_is_id(struct str name)
{
	const struct str *ids;
	size_t n, i;

	ids = names_ids(&n);
	name = last_part(name);
	for (i = 0; i < n; i++)
		if (id_equal(name, ids[i]))
			return true;
	return false;
}

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

unsigned
names_id_dashes(struct str value)
{
	unsigned n = 0;
	uint8_t c;
	size_t i;

	for (i = 0; i < value.n && n < NAMES_DASHES_MAX; i++) {
		c = value.p[i];
		if (c == '-')
			n++;
		else if (c != '_' && !is_alnum(c))
			n = NAMES_DASHES_MAX;
	}
	return n;
}

unsigned
names_id_phrase(struct str text)
{
	if (text.n == 0 || text.p[0] == '-' || text.p[text.n - 1] == '-')
		return NAMES_DASHES_MAX;
	return names_id_dashes(text);
}

bool
names_same_id(struct str name, struct str id)
{
	return id_equal(last_part(name), id);
}

int
names_time_rank(struct str name)
{
	return rank_in(time_names, ARRAY_LEN(time_names), name);
}

int
names_msg_rank(struct str name)
{
	return rank_in(msg_names, ARRAY_LEN(msg_names), name);
}

enum name_role
names_role(struct str name, int *ret_rank)
{
	int rank;

	if (!names_may_have_role(name))
		return NAME_PLAIN;
	rank = names_time_rank(name);
	if (rank >= 0) {
		*ret_rank = rank;
		return NAME_TIME;
	}
	rank = names_msg_rank(name);
	if (rank >= 0) {
		*ret_rank = rank;
		return NAME_MSG;
	}
	if (rank_in(reserved_names, ARRAY_LEN(reserved_names), name) >= 0)
		return NAME_RESERVED;
	return str_eq(name, STR("traceparent")) ? NAME_TRACEPARENT : NAME_PLAIN;
}

bool
names_is_level(struct str name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(level_names); i++)
		if (str_eq_nocase(name, level_names[i]))
			return true;
	return false;
}

const struct str *
names_builtin_ids(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(id_names);
	return id_names;
}

const struct str *
names_ids(size_t *ret_n)
{
	const struct id_table *t = atomic_load(&id_table);

	*ret_n = t != NULL ? t->n : ARRAY_LEN(id_names);
	return t != NULL ? t->names : id_names;
}

int
names_set_ids(const struct str *names, size_t n)
{
	size_t i, k, bytes = n * sizeof(*names);
	struct id_table *t;
	struct str part;
	uint8_t *at;

	if (n == 0) {
		atomic_store(&id_table, NULL);
		return 0;
	}
	for (i = 0; i < n; i++)
		bytes += names[i].n;
	/* One piece of memory: the table, then the bytes of its names. */
	t = malloc(sizeof(*t) + bytes);
	if (t == NULL)
		return err_origin(-ENOMEM);
	at = (uint8_t *)(t->names + n);
	for (i = 0; i < n; i++) {
		part = last_part(names[i]);
		t->names[i] = str_of(at, part.n);
		for (k = 0; k < part.n; k++)
			*at++ = id_byte(part.p[k]);
	}
	t->n = n;
	t->before = id_tables;
	id_tables = t;
	atomic_store(&id_table, t);
	return 0;
}

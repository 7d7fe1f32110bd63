/*
 * ingest/journal_convert.c - from journal entry to record.
 * One job: parse MESSAGE, and keep all that the journal knows beside it.
 * Floor: 3 (uses parsers, record, base).
 *
 * The line's fields come first and win.  The journal's fields keep their names, a repeated one becomes a JSON array of its
 * values; unit, host and level are filled in where the line has none.  The stream is made of the journal's facts alone.
 */
#include "ingest/journal_convert.h"

#include "record/level.h"
#include "record/names.h"
#include "record/stream.h"

/* Room for what is added to an entry's own fields: unit, host, level, the entry's time, labels of --stream. */
enum { CONVERT_EXTRA = 8, CONVERT_LABEL_MAX = 255 /* bytes; longer ones are cut in the stream */ };

/* One entry while it is converted. */
struct entry {
	struct field *fields; /* in the arena; NAME and value of what is kept */
	size_t n;
	uint64_t names; /* a bit a name that has no number, to see repetitions quickly */
	uint64_t seen[JOURNAL_NAMES_MAX / 64]; /* a bit a number */
	struct journal_path path;
	uint64_t realtime;
	struct str message;
	bool has_message;
	struct str unit, user_unit, identifier, transport, host, priority, n_dropped, message_id;
};

static const struct str missed_kernel = STR_INIT("e9bf28e6e834481bb6f48f548ad13606");

/* A name, or the beginning of names when it ends in '*'. */
static int
exclude_add(struct journal_convert *cv, struct str name, struct buf *ret_error)
{
	struct str *prefix = &cv->exclude_prefixes[cv->n_prefixes];

	if (!str_ends(name, STR("*")))
		return map_put(&cv->exclude, name, NULL) != NULL ? 0 : err_origin(-ENOMEM);
	if (cv->n_prefixes == JOURNAL_PREFIXES_MAX) {
		buf_printf(ret_error, "exclude: expected at most %d names with '*'",
		    JOURNAL_PREFIXES_MAX);
		return JOURNAL_E_OPTION;
	}
	*prefix = arena_dup(&cv->exclude_texts, str_sub(name, 0, name.n - 1));
	if (prefix->p == NULL)
		return err_origin(-ENOMEM);
	cv->n_prefixes++;
	return 0;
}

static bool
exclude_has(const struct journal_convert *cv, struct str name)
{
	size_t i;

	for (i = 0; i < cv->n_prefixes; i++)
		if (str_starts(name, cv->exclude_prefixes[i]))
			return true;
	return cv->exclude.n != 0 && map_get(&cv->exclude, name) != NULL;
}

int
journal_convert_init(struct journal_convert *cv, const struct journal_source_options *opt,
    struct buf *ret_error)
{
	const struct shape_options *sh = &opt->shape;
	size_t i;
	int r;

	memset(cv, 0, sizeof(*cv));
	journal_names_init(&cv->names);
	r = parser_new(&cv->parser, &opt->parser, ret_error);
	if (r == 0 &&
	    (sh->n_stream != 0 || sh->n_fields != 0 || sh->drop.n != 0 || sh->n_redactions != 0))
		r = shape_new(&cv->shape, sh, ret_error);
	for (i = 0; r == 0 && i < opt->n_exclude; i++)
		r = exclude_add(cv, opt->exclude[i], ret_error);
	if (r != 0)
		journal_convert_fini(cv);
	return r > 0 ? JOURNAL_E_OPTION : r;
}

void
journal_convert_fini(struct journal_convert *cv)
{
	cv->parser = parser_free(cv->parser);
	cv->shape = shape_free(cv->shape);
	map_fini(&cv->exclude);
	arena_fini(&cv->exclude_texts);
	journal_names_fini(&cv->names);
	map_fini(&cv->streams);
	arena_fini(&cv->stream_texts);
	free(cv->stream_list);
	memset(cv, 0, sizeof(*cv));
}

/* What the journal itself knows of an entry. */
static const struct fact {
	struct str name;
	size_t at;
} facts[] = {
	{ STR_INIT("MESSAGE"), 0 },
	{ STR_INIT("_SYSTEMD_UNIT"), offsetof(struct entry, unit) },
	{ STR_INIT("_SYSTEMD_USER_UNIT"), offsetof(struct entry, user_unit) },
	{ STR_INIT("SYSLOG_IDENTIFIER"), offsetof(struct entry, identifier) },
	{ STR_INIT("_TRANSPORT"), offsetof(struct entry, transport) },
	{ STR_INIT("_HOSTNAME"), offsetof(struct entry, host) },
	{ STR_INIT("PRIORITY"), offsetof(struct entry, priority) },
	{ STR_INIT("N_DROPPED"), offsetof(struct entry, n_dropped) },
	{ STR_INIT("MESSAGE_ID"), offsetof(struct entry, message_id) },
};
enum { FACT_MESSAGE = 0, FACT_NONE = ARRAY_LEN(facts) };

static uint8_t
fact_of(struct str name)
{
	size_t i;

	for (i = 0; i < FACT_NONE; i++)
		if (str_eq(facts[i].name, name))
			break;
	return (uint8_t)i;
}

/* Another value of a name: all of them, in order, as a JSON array. */
static int
entry_join(struct field *f, struct str value, struct arena *arena)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	int r;

	if (f->kind == VALUE_JSON) {
		/* without its closing bracket */
		buf_put(&b, f->value.p, f->value.n - 1);
	} else {
		buf_byte(&b, '[');
		buf_json(&b, f->value);
	}
	buf_byte(&b, ',');
	buf_json(&b, value);
	buf_byte(&b, ']');
	r = buf_err(&b);
	if (r != 0)
		return r;
	f->value = arena_dup(arena, buf_view(&b));
	f->kind = VALUE_JSON;
	return f->value.p != NULL ? 0 : err_origin(-ENOMEM);
}

/* One field of an entry; ${number} is that of its name, or 0. */
struct entry_field {
	unsigned number;
	bool kept;
	uint8_t fact;
	struct str name, value;
};

/* Whether the entry has this name already; it is noted. */
static bool
entry_has(struct entry *e, const struct entry_field *f)
{
	struct str name = f->name;
	uint64_t *word = f->number != 0 ? &e->seen[f->number >> 6] : &e->names;
	unsigned bit = f->number != 0
	    ? f->number & 63
	    : (unsigned)(name.n * 7 + name.p[name.n - 1] + name.p[name.n / 2]) & 63;
	bool has = (*word >> bit & 1) != 0;

	*word |= UINT64_C(1) << bit;
	return has;
}

static int
entry_keep(struct entry *e, const struct entry_field *f, struct arena *arena)
{
	size_t i;

	if (UNLIKELY(entry_has(e, f)))
		for (i = 0; i < e->n; i++)
			if (str_eq(e->fields[i].name, f->name)) {
				e->path.none = true;
				return entry_join(&e->fields[i], f->value, arena);
			}
	if (!f->kept)
		return 0;
	e->fields[e->n++] =
	    (struct field){ .name = f->name, .value = f->value, .kind = VALUE_STRING };
	journal_path_step(&e->path, f->number);
	return 0;
}

/* A field whose name was not expected behind name ${last}; false when it has none. */
static bool
field_other(struct journal_convert *cv, unsigned last, struct str text, struct entry_field *f)
{
	size_t eq = str_find_byte(text, '=');

	if (eq == 0 || eq == SIZE_MAX)
		return false;
	f->name = str_sub(text, 0, eq);
	f->value = str_sub(text, eq + 1, text.n);
	f->number = journal_names_find(&cv->names, f->name);
	if (f->number == 0) {
		f->kept = !exclude_has(cv, f->name);
		f->fact = fact_of(f->name);
		f->number = journal_names_learn(&cv->names, f->name);
		if (f->number == 0)
			return true;
		cv->names.of[f->number].kept = f->kept;
		cv->names.of[f->number].fact = f->fact;
	}
	journal_names_came(&cv->names, last, f->number);
	return true;
}

static bool
field_read(struct journal_convert *cv, unsigned last, struct str text, struct entry_field *f)
{
	unsigned number = journal_names_expect(&cv->names, last, text);
	const struct journal_name *k;
	struct entry_field other;

	/* Nobody else has the address of *f, so that it need not be in memory. */
	if (UNLIKELY(number == 0)) {
		if (!field_other(cv, last, text, &other))
			return false;
		if (other.number == 0) {
			*f = other;
			return true;
		}
		number = other.number;
	}
	k = &cv->names.of[number];
	*f = (struct entry_field){ number, k->kept, k->fact, str_sub(text, 0, k->n - 1U),
		str_sub(text, k->n, text.n) };
	return true;
}

static int
entry_read(struct journal_convert *cv, struct journal_proto_batch *b, uint32_t n_fields,
    struct entry *e, struct arena *arena)
{
	struct entry_field f;
	unsigned last = 0;
	struct str text;
	uint32_t i;
	int r;

	e->fields = arena_alloc(arena, ((size_t)n_fields + CONVERT_EXTRA) * sizeof(*e->fields));
	if (e->fields == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_fields; i++) {
		if (!journal_proto_field(b, &text))
			return JOURNAL_PROTO_E_FORMAT;
		if (!field_read(cv, last, text, &f))
			continue;
		last = f.number;
		if (f.fact == FACT_MESSAGE && !e->has_message) {
			e->message = f.value;
			e->has_message = true;
			continue;
		}
		if (f.fact != FACT_MESSAGE && f.fact != FACT_NONE)
			*(struct str *)(void *)((uint8_t *)e + facts[f.fact].at) = f.value;
		if (f.value.n == 0)
			continue;
		r = entry_keep(e, &f, arena);
		if (r != 0)
			return r;
	}
	return 0;
}

static struct str
entry_unit(const struct entry *e)
{
	if (e->unit.n != 0)
		return e->unit;
	if (e->user_unit.n != 0)
		return e->user_unit;
	if (e->identifier.n != 0)
		return e->identifier;
	return str_eq(e->transport, STR("kernel")) ? STR("kernel") : STR_NONE;
}

static struct str
stream_make(struct journal_convert *cv, struct str host, struct str unit)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	struct label labels[2] = { { STR("host"), host }, { STR("unit"), unit } };

	stream_format(&b, labels, 2);
	return b.failed ? STR_NONE : arena_dup(&cv->stream_texts, buf_view(&b));
}

/* Few streams, many entries: the text of each is made once. */
static int
stream_of(struct journal_convert *cv, struct str host, struct str unit, struct str *ret)
{
	uint8_t key[2 * CONVERT_LABEL_MAX + 1];
	struct map_entry *m;
	bool is_new;

	host = str_sub(host, 0, CONVERT_LABEL_MAX);
	unit = str_sub(unit, 0, CONVERT_LABEL_MAX);
	if (host.n != 0)
		memcpy(key, host.p, host.n);
	key[host.n] = '\0';
	if (unit.n != 0)
		memcpy(key + host.n + 1, unit.p, unit.n);
	m = map_put(&cv->streams, str_of(key, host.n + unit.n + 1), &is_new);
	if (m == NULL)
		return err_origin(-ENOMEM);
	if (is_new) {
		m->value = cv->n_streams;
		cv->stream_list[cv->n_streams] = stream_make(cv, host, unit);
		if (cv->stream_list[cv->n_streams].p == NULL)
			return err_origin(-ENOMEM);
		cv->n_streams++;
	}
	*ret = cv->stream_list[m->value];
	return 0;
}

/* Room for the streams of a whole batch, so that texts in use never move; forgotten when there are too many. */
static int
stream_reserve(struct journal_convert *cv)
{
	if (cv->n_streams + RECORD_BATCH_MAX > 2 * JOURNAL_STREAMS_MAX ||
	    map_bytes(&cv->streams) > (4 << 20) || cv->stream_texts.total > (8 << 20)) {
		map_clear(&cv->streams);
		arena_clear(&cv->stream_texts);
		cv->n_streams = 0;
	}
	if (cv->stream_list == NULL)
		cv->stream_list = calloc(2 * JOURNAL_STREAMS_MAX, sizeof(*cv->stream_list));
	return cv->stream_list != NULL ? 0 : err_origin(-ENOMEM);
}

static struct line_facts
line_read(const struct record *rec)
{
	struct line_facts l = { 0 };
	size_t i;

	for (i = 0; i < rec->n_fields; i++) {
		struct str name = rec->fields[i].name;
		uint8_t c = name.p[0];

		if ((c >= 'A' && c <= 'Z') ||
		    (c == '_' && name.n > 1 && name.p[1] >= 'A' && name.p[1] <= '_'))
			l.upper = true;
		if (name.n == 4) {
			l.host |= memcmp(name.p, "host", 4) == 0;
			l.unit |= memcmp(name.p, "unit", 4) == 0;
			l.renamed |= memcmp(name.p, "weir", 4) == 0;
		}
		l.level = l.level || names_is_level(name);
	}
	return l;
}

/* The same for all lines of a layout. */
static struct line_facts
line_look(struct journal_convert *cv, struct record *rec)
{
	size_t at = rec->layout % ARRAY_LEN(cv->lines), i;
	struct line_facts l;

	if (LIKELY(rec->layout != 0 && cv->lines[at].layout == rec->layout))
		return cv->lines[at].facts;
	l = line_read(rec);
	for (i = 0; l.renamed && i < rec->n_fields; i++)
		if (str_eq(rec->fields[i].name, STR("weir")))
			rec->fields[i].name = STR("weir_");
	if (l.renamed)
		rec->layout = 0;
	if (rec->layout != 0) {
		cv->lines[at].layout = rec->layout;
		cv->lines[at].facts = l;
	}
	return l;
}

static struct field
extra(struct str name, struct str value)
{
	return (struct field){ .name = name, .value = value, .kind = VALUE_STRING };
}

static bool
has_field(const struct record *rec, struct str name)
{
	size_t i;

	for (i = 0; i < rec->n_fields; i++)
		if (str_eq(rec->fields[i].name, name))
			return true;
	return false;
}

static struct str
realtime_text(uint64_t us, struct arena *arena)
{
	char text[24];
	size_t n = sizeof(text);

	do
		text[--n] = (char)('0' + us % 10);
	while ((us /= 10) != 0);
	return arena_dup(arena, str_of(text + n, sizeof(text) - n));
}

/* What is added behind an entry's own fields. */
enum { ADDED_UNIT = 1, ADDED_HOST = 2, ADDED_LEVEL = 4, ADDED_TIME = 8 };

/* The line's fields, then the journal's. */
static int
record_fill(struct journal_convert *cv, struct record *rec, const struct entry *e,
    struct arena *arena)
{
	struct line_facts l = line_look(cv, rec);
	struct str unit = entry_unit(e);
	const char *level = NULL;
	unsigned added = 0;
	struct field *f;
	size_t n = rec->n_fields, i;

	f = arena_alloc(arena, (n + e->n + CONVERT_EXTRA) * sizeof(*f));
	if (f == NULL)
		return err_origin(-ENOMEM);
	if (n != 0)
		memcpy(f, rec->fields, n * sizeof(*f));
	for (i = 0; i < e->n; i++)
		if (!l.upper || !has_field(rec, e->fields[i].name))
			f[n++] = e->fields[i];
	if (!l.unit && unit.n != 0) {
		f[n++] = extra(STR("unit"), unit);
		added |= ADDED_UNIT;
	}
	if (!l.host && e->host.n != 0) {
		f[n++] = extra(STR("host"), e->host);
		added |= ADDED_HOST;
	}
	if (!l.level && e->priority.n == 1)
		level = level_priority_name(e->priority.p[0] - '0');
	if (level != NULL) {
		f[n++] = extra(STR("level"), str_c(level));
		added |= ADDED_LEVEL;
	}
	if ((rec->flags & RECORD_HAS_TIME) != 0 &&
	    !(l.upper && has_field(rec, STR("__REALTIME_TIMESTAMP")))) {
		f[n] = extra(STR("__REALTIME_TIMESTAMP"), realtime_text(e->realtime, arena));
		f[n].kind = VALUE_NUMBER;
		if (f[n++].value.p == NULL)
			return err_origin(-ENOMEM);
		added |= ADDED_TIME;
	}
	rec->n_beside += n - rec->n_fields;
	rec->fields = f;
	rec->n_fields = n;
	rec->layout = journal_names_layout(&cv->names, rec->layout, &e->path, added);
	rec->flags |= RECORD_HAS_TIME;
	return 0;
}

static int
entry_shape(struct journal_convert *cv, const struct entry *e, struct record_batch *out,
    size_t from)
{
	struct label labels[2] = { { STR("host"), e->host }, { STR("unit"), entry_unit(e) } };
	struct shape_facts known = { .labels = labels, .n_labels = 2 };
	size_t n = out->n - from;
	int r;

	r = shape_records(cv->shape, out->recs + from, &n, &known, &out->arena);
	out->n = from + n;
	return r;
}

/* journald's own words for lines that it did not take. */
static void
entry_dropped(struct journal_convert *cv, const struct entry *e, struct arena *arena)
{
	struct str digits = e->n_dropped;
	struct journal_dropped d = { 0 };
	size_t i;

	if (!str_eq(e->transport, STR("driver")) || cv->n_dropped == JOURNAL_DROPPED_MAX)
		return;
	/* "Missed 12 kernel messages" has its number in the text alone */
	if (digits.n == 0 && str_eq(e->message_id, missed_kernel) &&
	    str_starts(e->message, STR("Missed ")))
		digits = str_sub(e->message, 7, e->message.n);
	for (i = 0; i < digits.n && digits.p[i] >= '0' && digits.p[i] <= '9' && i < 18; i++)
		d.n = d.n * 10 + (uint64_t)(digits.p[i] - '0');
	if (i == 0)
		return;
	d.text = arena_dup(arena, e->message);
	if (d.text.p != NULL)
		cv->dropped[cv->n_dropped++] = d;
}

static int
convert_line(struct journal_convert *cv, const struct entry *e, struct record_batch *out)
{
	struct wall at = { (int64_t)(e->realtime % (INT64_MAX / 1000)) * NS_PER_US };
	size_t from = out->n;
	struct record *rec;
	int r = 0;

	if (e->has_message)
		r = parser_line(cv->parser, e->message, at, out);
	/* an entry is an event; lines of several are not joined */
	if (r == 0 && out->n == from && e->has_message)
		r = parser_flush(cv->parser, at, true, out);
	if (r == 0 && out->n == from) {
		rec = record_batch_add(out);
		if (rec == NULL)
			return err_origin(-ENOMEM);
		rec->time = at;
	}
	return r;
}

static int
convert_entry(struct journal_convert *cv, struct journal_proto_batch *b, struct record_batch *out)
{
	struct entry e = { 0 };
	size_t from = out->n, i;
	uint32_t n_fields;
	int r;

	if (!journal_proto_entry(b, &e.realtime, &n_fields))
		return JOURNAL_PROTO_E_FORMAT;
	r = entry_read(cv, b, n_fields, &e, &out->arena);
	if (r == 0)
		r = convert_line(cv, &e, out);
	for (i = from; r == 0 && i < out->n; i++)
		r = record_fill(cv, &out->recs[i], &e, &out->arena);
	if (r != 0)
		return r;
	entry_dropped(cv, &e, &out->arena);
	if (cv->shape != NULL)
		return entry_shape(cv, &e, out, from);
	for (i = from; r == 0 && i < out->n; i++)
		r = stream_of(cv, e.host, entry_unit(&e), &out->recs[i].stream);
	return r;
}

int
journal_convert_batch(struct journal_convert *cv, struct journal_proto_batch *b,
    struct record_batch *out)
{
	uint32_t i;
	int r;

	cv->n_dropped = 0;
	if (journal_names_full(&cv->names))
		journal_names_clear(&cv->names);
	r = stream_reserve(cv);
	for (i = 0; r == 0 && i < b->n_entries; i++) {
		if (cv->n_streams == 2 * JOURNAL_STREAMS_MAX)
			return JOURNAL_PROTO_E_FORMAT;
		r = convert_entry(cv, b, out);
	}
	return r;
}

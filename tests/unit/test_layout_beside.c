/*
 * tests/unit/test_layout_beside.c - layouts of records that have fields beside their line's.
 * One job: entries of the journal, and what a source adds to lines, are the same with layouts as without.
 *
 * Each entry is converted by one that remembers names and by one that has just begun.  Services have names in an order of their own,
 * of which now and then one is left out, new, empty, there twice, or like a name of the line.
 */
#include "ingest/journal_convert.h"
#include "ingest/shape.h"
#include "layout_check.h"

enum { ENTRIES = 3000 };

static void
put_field(struct buf *entries, uint32_t *n, const char *name, struct str value)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;

	buf_c(&b, name);
	buf_byte(&b, '=');
	buf_str(&b, value);
	buf_u32(entries, (uint32_t)b.n);
	buf_str(entries, buf_view(&b));
	++*n;
}

static void
put_message(struct buf *entries, uint32_t *n)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;

	if (below(3) == 0) {
		buf_printf(&b, "plain words 6 of %zu", below(1000));
	} else {
		buf_printf(&b, "{\"timestamp\":\"2026-03-01T10:11:%02zu.%03zuZ\",", below(60),
		    below(1000));
		if (below(4) == 0)
			buf_printf(&b, "\"%s\":\"6\",",
			    (const char *[]){ "PRIORITY", "host", "level", "weir",
			        "unit" }[below(5)]);
		buf_printf(&b, "\"n\":%zu,\"message\":\"6 m%s\"}", below(100),
		    below(9) == 0 ? "\\n" : "");
	}
	if (below(50) != 0)
		put_field(entries, n, "MESSAGE", buf_view(&b));
}

static void
make_entry(struct buf *entries, uint32_t *n, size_t n_names)
{
	static const char *const names[] = { "_HOSTNAME", "PRIORITY", "_SYSTEMD_UNIT", "_PID",
		"_TRANSPORT", "SYSLOG_IDENTIFIER", "_COMM", "LEFT_OUT" };
	size_t form = below(4), i, key;
	char text[16], name[16];

	for (i = 0; i < 6 + form; i++) {
		key = below(60) == 0 ? below(8) : (form + i) % 8;
		(void)snprintf(text, sizeof(text), key == 1 ? "%zu" : "v%zu", below(9));
		if (i == form)
			put_message(entries, n);
		if (below(40) == 0) {
			(void)snprintf(name, sizeof(name), "N%zu", below(n_names));
			put_field(entries, n, name, str_c(text));
		}
		if (below(40) != 0)
			put_field(entries, n, names[key], below(30) == 0 ? STR_NONE : str_c(text));
	}
}

static void
convert(struct journal_convert *cv, struct str entries, uint32_t n_fields, struct arena *arena,
    struct record_batch *out)
{
	AUTO_FINI(buf_fini) struct buf frame = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf all = BUF_INIT;
	enum journal_frame_type type;
	struct journal_proto_batch b;
	struct str payload;
	size_t size;

	buf_u64(&all, 1772359871123456);
	buf_u32(&all, n_fields);
	buf_str(&all, entries);
	journal_proto_put_batch(&frame, STR("p"), 1, 1, buf_view(&all));
	MUST(journal_proto_frame(arena_dup(arena, buf_view(&frame)), &type, &payload, &size) == 0);
	MUST(journal_proto_get_batch(payload, &b));
	MUST(journal_convert_batch(cv, &b, out) == 0);
}

static void
begin(struct journal_convert *cv)
{
	static const struct str exclude[] = { STR_INIT("LEFT_*") };
	struct journal_source_options opt = { .parser = { .keep_line = true, .zone_set = true },
		.exclude = exclude,
		.n_exclude = 1 };
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;

	MUST(journal_convert_init(cv, &opt, &error) == 0);
}

/* Facts as of a file, of which one is not always there. */
static void
shape_all(struct shape *s, struct record_batch *batch, size_t at)
{
	struct label labels[] = { { STR("host"), STR("here") },
		{ STR("file"), at % 5 != 0 ? STR("a.log") : STR_NONE } };
	struct shape_facts facts = { labels, ARRAY_LEN(labels), true };
	size_t n = batch->n - at;

	MUST(shape_records(s, batch->recs + at, &n, &facts, &batch->arena) == 0);
	CHECK(n == batch->n - at);
}

static void
test_entries(size_t n_names, size_t n_known_min)
{
	AUTO_FINI(record_batch_fini) struct record_batch all = RECORD_BATCH_INIT;
	AUTO_FINI(record_batch_fini) struct record_batch one = RECORD_BATCH_INIT;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct field fields[] = { { STR("env"), STR("6"), VALUE_STRING } };
	struct shape_options opt = { .fields = fields, .n_fields = 1 };
	AUTO(shape_free) struct shape *s = NULL;
	struct journal_convert cv, fresh;
	size_t i, k, n_known = 0;

	MUST(shape_new(&s, &opt, NULL) == 0);
	begin(&cv);
	for (i = 0; i < ENTRIES; i++) {
		AUTO_FINI(buf_fini) struct buf entry = BUF_INIT;
		uint32_t n_fields = 0;

		make_entry(&entry, &n_fields, n_names);
		convert(&cv, buf_view(&entry), n_fields, &arena, &all);
		MUST(all.n == i + 1);
		begin(&fresh);
		record_batch_clear(&one);
		convert(&fresh, buf_view(&entry), n_fields, &arena, &one);
		MUST(one.n == 1);
		check_same(&all.recs[i], &one.recs[0]);
		CHECK_STR(all.recs[i].line, one.recs[0].line);
		journal_convert_fini(&fresh);
		for (k = 0; k < all.recs[i].n_fields; k++)
			CHECK(!str_eq(all.recs[i].fields[k].name, STR("LEFT_OUT")));
		n_known += all.recs[i].layout != 0;
		/* cv may forget its streams */
		all.recs[i].stream = arena_dup(&arena, all.recs[i].stream);
		shape_all(s, &all, i);
	}
	CHECK(n_known >= n_known_min);
	check_promises(&all);
	check_blocks(&all);
	journal_convert_fini(&cv);
}

int
main(void)
{
	test_entries(2, ENTRIES / 3);
	test_entries(900, ENTRIES / 5);
	return check_done();
}

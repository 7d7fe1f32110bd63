/*
 * tests/unit/test_journal.c - the journal's positions, frames and records; no libsystemd needed.
 */
#include "base/arena.h"
#include "check.h"
#include "ingest/journal_convert.h"

static const char cursor_text[] =
    "s=f23a18bb39064df38d7c96bed5342574;i=1d333;"
    "b=a07aa9118c584bdbab50c7c07541504c;m=d133ce3a;t=660c06cb80429;x=8463e8a7f3e127c5";

static void
test_cursor(void)
{
	static const char *const bad[] = {
		"",
		"s=",
		"s=f23a18bb39064df38d7c96bed5342574",
		"s=f23a18bb39064df38d7c96bed534257;i=1;b=a07aa9118c584bdbab50c7c07541504c;m=1;t=1;x=1",
		"s=f23a18bb39064df38d7c96bed5342574;i=;b=a07aa9118c584bdbab50c7c07541504c;m=1;t=1;x=1",
		"s=f23a18bb39064df38d7c96bed5342574;i=11111111111111111;b=a07aa9118c584bdbab50c7c07541504c;m=1;t=1;x=1",
		"s=f23a18bb39064df38d7c96bed5342574;i=1;b=a07aa9118c584bdbab50c7c07541504c;m=1;t=1;x=1;y=1",
		"opaque",
	};
	struct journal_cursor c, d;
	char text[33];
	size_t i;

	MUST(journal_cursor_parse(cursor_text, &c));
	CHECK(c.seqnum == 0x1d333 && c.monotonic == 0xd133ce3a && c.realtime == 0x660c06cb80429 &&
	    c.xor_hash == 0x8463e8a7f3e127c5);
	journal_id_text(text, &c.seqnum_id);
	CHECK_STR(str_c(text), STR("f23a18bb39064df38d7c96bed5342574"));
	for (i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!journal_cursor_parse(bad[i], &d));
	d = c;
	d.seqnum = 9;
	d.seqnum_id.b[0] ^= 1;
	CHECK(journal_cursor_same_entry(&c, &d));
	d.xor_hash++;
	CHECK(!journal_cursor_same_entry(&c, &d));
}

static void
test_position(void)
{
	static struct journal_position p, q;
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	struct journal_cursor c;
	size_t i;

	MUST(journal_cursor_parse(cursor_text, &c));
	memcpy(p.cursor, cursor_text, sizeof(cursor_text));
	/* one more id than there is room for: the first, longest unseen, goes */
	for (i = 0; i <= JOURNAL_IDS_MAX; i++) {
		c.seqnum_id.b[15] = (uint8_t)i;
		c.seqnum = 100 + i;
		journal_position_set(&p, &c);
	}
	CHECK(p.n_marks == JOURNAL_IDS_MAX && p.marks[0].seqnum == 101);
	c.seqnum_id.b[15] = 1;
	c.seqnum = 7;
	journal_position_set(&p, &c);
	CHECK(p.n_marks == JOURNAL_IDS_MAX && p.marks[JOURNAL_IDS_MAX - 1].seqnum == 7 &&
	    p.marks[0].seqnum == 102);
	journal_position_encode(&p, &b);
	CHECK(b.n <= JOURNAL_POSITION_MAX);
	MUST(journal_position_decode(buf_view(&b), &q) == 0);
	CHECK(memcmp(&p, &q, sizeof(p)) == 0);
	for (i = 0; i < b.n; i++)
		CHECK(journal_position_decode(str_sub(buf_view(&b), 0, i), &q) ==
		        JOURNAL_POSITION_E_FORMAT &&
		    q.n_marks == 0 && q.cursor[0] == '\0');
}

static void
test_options(void)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT;
	struct str units[] = { STR("one"), STR("two.service") }, payload;
	struct journal_file_id aside[] = { { 1, 2, { { 3 } } }, { 4, 5, { { 6 } } } };
	struct journal_proto_options o = {
		.flags = JOURNAL_ONCE,
		.from = JOURNAL_FROM_TIME,
		.from_time = { -5 },
		.own_pid = 77,
		.own_unit = STR("weird.service"),
		.path = STR("/a"),
		.position = STR("pos"),
		.units = units,
		.n_units = 2,
		.aside = aside,
		.n_aside = 2,
	}, got;
	enum journal_frame_type type;
	size_t n, i;

	journal_proto_put_options(&b, &o);
	for (i = 0; i < b.n; i++)
		CHECK(journal_proto_frame(str_sub(buf_view(&b), 0, i), &type, &payload, &n) ==
		    JOURNAL_PROTO_E_MORE);
	MUST(journal_proto_frame(buf_view(&b), &type, &payload, &n) == 0);
	CHECK(type == JOURNAL_FRAME_OPTIONS && n == b.n);
	MUST(journal_proto_get_options(payload, &a, &got));
	CHECK(got.flags == JOURNAL_ONCE && got.from == JOURNAL_FROM_TIME && got.from_time.ns == -5);
	CHECK(got.own_pid == 77 && got.n_units == 2 && got.n_aside == 2);
	CHECK_STR(got.units[1], STR("two.service"));
	CHECK(journal_file_id_eq(&got.aside[1], &aside[1]) &&
	    !journal_file_id_eq(&got.aside[0], &aside[1]));
	for (i = 0; i < payload.n; i++)
		CHECK(!journal_proto_get_options(str_sub(payload, 0, i), &a, &got));
	b.p[4]++;
	CHECK(journal_proto_frame(buf_view(&b), &type, &payload, &n) == JOURNAL_PROTO_E_FORMAT);
}

struct entry_field {
	const char *name;
	struct str value;
};

static void
put_entry(struct buf *b, uint64_t realtime, const struct entry_field *f, size_t n)
{
	size_t i;

	buf_u64(b, realtime);
	buf_u32(b, (uint32_t)n);
	for (i = 0; i < n; i++) {
		buf_u32(b, (uint32_t)(strlen(f[i].name) + 1 + f[i].value.n));
		buf_c(b, f[i].name);
		buf_byte(b, '=');
		buf_str(b, f[i].value);
	}
}

/* One entry through a frame, as the daemon does it; the record lives in static memory. */
static struct record *
convert(struct journal_convert *cv, uint64_t realtime, const struct entry_field *f, size_t n)
{
	static struct buf frame, entries;
	static struct record_batch batch;
	struct journal_proto_batch b;
	enum journal_frame_type type;
	struct str payload;
	size_t size;

	buf_clear(&frame);
	buf_clear(&entries);
	record_batch_clear(&batch);
	put_entry(&entries, realtime, f, n);
	journal_proto_put_batch(&frame, STR("p"), 1, 1, buf_view(&entries));
	MUST(journal_proto_frame(buf_view(&frame), &type, &payload, &size) == 0);
	MUST(journal_proto_get_batch(payload, &b));
	MUST(journal_convert_batch(cv, &b, &batch) == 0);
	MUST(batch.n == 1);
	return &batch.recs[0];
}

static void
test_json_entry(struct journal_convert *cv)
{
	const struct entry_field f[] = {
		{ "_HOSTNAME", STR("web1") },
		{ "_SYSTEMD_UNIT", STR("shop.service") },
		{ "PRIORITY", STR("3") },
		{ "MESSAGE",
		    STR("{\"timestamp\":\"2024-05-06T05:08:09.5Z\",\"level\":\"warn\",\"unit\":\"u\",\"weir\":\"x\","
		        "\"PRIORITY\":\"9\",\"message\":\"down\"}") },
		{ "BLOB", STR("\0\377\n") },
		{ "TAG", STR("a") },
		{ "SKIP", STR("b") },
		{ "TAG", STR("b\"") },
		{ "TAG", STR("c") },
		{ "EMPTY", STR("") },
	};
	struct record *r = convert(cv, 1700000000000001, f, ARRAY_LEN(f));

	CHECK(r->time.ns == 1714972089500000000);
	CHECK_STR(r->stream, STR("{host=\"web1\",unit=\"shop.service\"}"));
	CHECK_STR(record_get(r, STR("_msg")), STR("down"));
	CHECK_STR(record_get(r, STR("level")), STR("warn"));
	CHECK_STR(record_get(r, STR("unit")), STR("u"));
	CHECK_STR(record_get(r, STR("host")), STR("web1"));
	CHECK_STR(record_get(r, STR("PRIORITY")), STR("9"));
	CHECK_STR(record_get(r, STR("weir_")), STR("x"));
	CHECK(record_get(r, STR("weir")).n == 0);
	CHECK_STR(record_get(r, STR("BLOB")), STR("\0\377\n"));
	CHECK_STR(record_get(r, STR("TAG")), STR("[\"a\",\"b\\\"\",\"c\"]"));
	CHECK_STR(record_get(r, STR("__REALTIME_TIMESTAMP")), STR("1700000000000001"));
	CHECK(record_get(r, STR("SKIP")).n == 0 && record_get(r, STR("MESSAGE")).n == 0);
}

static void
test_plain_entry(struct journal_convert *cv)
{
	const struct entry_field f[] = {
		{ "PRIORITY", STR("4") },
		{ "_TRANSPORT", STR("kernel") },
		{ "MESSAGE", STR("plain words") },
	};
	const struct entry_field none[] = { { "SYSLOG_IDENTIFIER", STR("cron") } };
	struct record *r = convert(cv, 1700000000000001, f, ARRAY_LEN(f));

	CHECK(r->time.ns == 1700000000000001000 && (r->flags & RECORD_HAS_TIME) != 0);
	CHECK_STR(r->stream, STR("{unit=\"kernel\"}"));
	CHECK_STR(record_get(r, STR("_msg")), STR("plain words"));
	CHECK_STR(record_get(r, STR("level")), STR("warning"));
	CHECK(record_get(r, STR("__REALTIME_TIMESTAMP")).n == 0);
	r = convert(cv, 5, none, 1);
	CHECK_STR(record_get(r, STR("unit")), STR("cron"));
	CHECK(r->time.ns == 5000 && record_get(r, STR("_msg")).n == 0);
}

static void
test_dropped(struct journal_convert *cv)
{
	struct entry_field f[] = {
		{ "_TRANSPORT", STR("driver") },
		{ "N_DROPPED", STR("312") },
		{ "MESSAGE", STR("Suppressed 312 messages from shop.service") },
	};

	(void)convert(cv, 5, f, 3);
	CHECK(cv->n_dropped == 1 && cv->dropped[0].n == 312);
	/* anybody may write such a field; only journald's own driver is believed */
	f[0].value = STR("stdout");
	(void)convert(cv, 5, f, 3);
	CHECK(cv->n_dropped == 0);
	f[0].value = STR("driver");
	f[1] = (struct entry_field){ "MESSAGE_ID", STR("e9bf28e6e834481bb6f48f548ad13606") };
	f[2].value = STR("Missed 12 kernel messages");
	(void)convert(cv, 5, f, 3);
	CHECK(cv->n_dropped == 1 && cv->dropped[0].n == 12);
}

static void
test_hostile_batch(struct journal_convert *cv)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	AUTO_FINI(record_batch_fini) struct record_batch out = RECORD_BATCH_INIT;
	struct journal_proto_batch batch;
	const struct entry_field f[] = { { "A", STR("b") }, { "MESSAGE", STR("c") } };
	size_t i;

	put_entry(&b, 1, f, 2);
	for (i = 0; i < b.n; i++) {
		batch = (struct journal_proto_batch){
			.n_entries = 1,
			.entries = SCAN_OF(str_sub(buf_view(&b), 0, i)),
		};
		record_batch_clear(&out);
		CHECK(journal_convert_batch(cv, &batch, &out) == JOURNAL_PROTO_E_FORMAT);
	}
}

int
main(void)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct str exclude[] = { STR("SKIP") };
	struct journal_source_options opt = { .exclude = exclude, .n_exclude = 1 };
	struct journal_convert cv;

	test_cursor();
	test_position();
	test_options();
	MUST(journal_convert_init(&cv, &opt, &error) == 0);
	test_json_entry(&cv);
	test_plain_entry(&cv);
	test_dropped(&cv);
	test_hostile_batch(&cv);
	journal_convert_fini(&cv);
	return check_done();
}

/*
 * ingest/journal_entry.c - one entry, read.
 * One job: all fields of the current entry into the batch, unless its unit is not wanted.
 * Floor: 3 (uses base).
 */
#include <stdio.h>

#include "ingest/journal.h"
#include "ingest/journal_reader.h"

struct entry_scan {
	struct buf *out;
	size_t start; /* of the entry in out */
	uint32_t n_fields;
	size_t n_bytes;
	bool wanted; /* some field names a unit that is wanted */
	bool own;    /* it is an entry of the daemon itself */
	bool has_unit;
	uint64_t n_cut; /* bytes that went beyond JOURNAL_ENTRY_MAX */
};

static bool
field_value(struct str field, struct str name, struct str *ret)
{
	if (field.n <= name.n || field.p[name.n] != '=' || !str_starts(field, name))
		return false;
	*ret = str_sub(field, name.n + 1, field.n);
	return true;
}

static bool
unit_wanted(const struct journal_proto_options *opt, struct str unit)
{
	size_t i;

	for (i = 0; i < opt->n_units; i++) {
		struct str want = opt->units[i];

		if (str_eq(want, unit))
			return true;
		if (unit.n == want.n + 8 && str_starts(unit, want) &&
		    str_ends(unit, STR(".service")))
			return true;
	}
	return false;
}

/* The names under which systemd says which unit an entry is of, and our own last resort. */
static bool
field_unit(struct str field, struct str *ret)
{
	static const struct str names[] = { STR_INIT("_SYSTEMD_UNIT"),
		STR_INIT("_SYSTEMD_USER_UNIT"), STR_INIT("UNIT"), STR_INIT("USER_UNIT"),
		STR_INIT("COREDUMP_UNIT"), STR_INIT("OBJECT_SYSTEMD_UNIT"),
		STR_INIT("SYSLOG_IDENTIFIER") };
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (field_value(field, names[i], ret))
			return true;
	return false;
}

static void
entry_filter(const struct journal_proto_options *opt, struct entry_scan *e, struct str field)
{
	struct str v;

	if (field.p[0] == '_' && field_value(field, STR("_PID"), &v)) {
		char pid[16];
		int n = snprintf(pid, sizeof(pid), "%u", opt->own_pid);

		e->own |= opt->own_pid != 0 && str_eq(v, str_of(pid, (size_t)n));
	} else if (opt->own_unit.n != 0 && field.p[0] == '_' &&
	    field_value(field, STR("_SYSTEMD_UNIT"), &v)) {
		e->own |= str_eq(v, opt->own_unit);
	}
	if (opt->n_units != 0 && !e->wanted && field_unit(field, &v))
		e->wanted = unit_wanted(opt, v);
}

static void
entry_field(const struct journal_proto_options *opt, struct entry_scan *e, struct str field)
{
	size_t keep = field.n;

	if (field.n == 0)
		return;
	if (keep > JOURNAL_ENTRY_MAX - e->n_bytes)
		keep = JOURNAL_ENTRY_MAX - e->n_bytes;
	e->n_cut += field.n - keep;
	if (keep == 0)
		return;
	entry_filter(opt, e, str_sub(field, 0, keep));
	buf_u32(e->out, (uint32_t)keep);
	buf_put(e->out, field.p, keep);
	e->n_bytes += keep;
	e->n_fields++;
}

static void
entry_end(struct journal_reader *rd, const struct entry_scan *e)
{
	uint32_t n = htole32(e->n_fields);

	memcpy(rd->entries.p + e->start + 8, &n, sizeof(n));
	rd->n_entries++;
	if (e->n_cut != 0)
		journal_reader_note(rd,
		    "journal entry cut: %llu bytes beyond the limit of %u: entry too large",
		    (unsigned long long)e->n_cut, (unsigned)JOURNAL_ENTRY_MAX);
}

int
journal_entry_put(struct journal_reader *rd, uint64_t realtime)
{
	struct entry_scan e = { .out = &rd->entries, .start = rd->entries.n };
	const void *p;
	size_t n;
	int r;

	buf_u64(e.out, realtime);
	buf_u32(e.out, 0);
	sd_journal_restart_data(rd->j);
	while ((r = sd_journal_enumerate_available_data(rd->j, &p, &n)) > 0)
		entry_field(&rd->opt, &e, str_of(p, n));
	if (r < 0 || e.own || (rd->opt.n_units != 0 && !e.wanted) || e.out->failed) {
		bool failed = e.out->failed;

		e.out->n = e.start;
		e.out->failed = false;
		if (failed)
			return err_origin(-ENOMEM);
		return r < 0 ? r : 1;
	}
	entry_end(rd, &e);
	return 0;
}

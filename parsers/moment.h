/*
 * parsers/moment.h - times as logs write them.
 * One job: from text to an instant, in the source's zone where the text has none.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/wall.h"

/*
 * How the last time with a fraction and a zone of its own was written.  Lines of a log follow each other, so the next one mostly
 * differs in its seconds and the digits of the fraction alone.
 * Invariant: n is 0 (none), or a text of n bytes that begins with minute ("yyyy-mm-ddThh:mm", eight bytes a word), has point at 19,
 * ${digits} digits behind it and the zone's bytes tail last, is start_ns and what its seconds and its fraction say.
 */
struct moment_form {
	size_t n;
	int64_t start_ns;
	uint64_t minute[2];
	uint64_t tail, tail_mask; /* of the last eight bytes */
	size_t at; /* of eight bytes in which the fraction stands, shift bits from the first */
	unsigned shift;
	unsigned digits; /* 1 to 7 */
	uint8_t point;
	uint64_t id; /* record.time_form */
};

/*
 * The zone of times without one, and what the last look-ups gave.
 * Invariants: offset_s holds for local times in bucket if have_bucket; days is the date of the ten
 * bytes in date if have_date.
 */
struct moment {
	bool zone_set; /* zone_s holds, else the host's zone */
	int zone_s;    /* seconds east of UTC */
	bool have_bucket;
	bool have_date;
	int64_t bucket; /* local quarter of an hour */
	int offset_s;
	int64_t days;
	uint8_t date[10];
	struct moment_form form;
	uint64_t last_form; /* moment_parse: of the text that it took last, or 0 */
};

/** moment_init(m, zone_set, zone_s) */
void moment_init(struct moment *m, bool zone_set, int zone_s);

/**
 * moment_parse(m, s, ret):
 * RFC 3339 with any offset or none, 2026/11/21 02:14:13, a plausible epoch, or a form that
 * moment_english knows.  False when it is none of them.
 */
bool moment_parse(struct moment *m, struct str s, struct wall *ret);

/** moment_prefix(m, s, ret): bytes of the RFC 3339 or 2026/11/21 time that ${s} begins with, or 0. */
size_t moment_prefix(struct moment *m, struct str s, struct wall *ret);

/** moment_english(m, s, ret): bytes of the time with an English month that ${s} begins with, or 0. */
size_t moment_english(struct moment *m, struct str s, struct wall *ret);

/**
 * moment_local(m, local_ns):
 * The instant of a local time given as if it were UTC.  In the hour that comes twice it is the first
 * one; in the hour that is left out the offset before the change holds.
 */
struct wall moment_local(struct moment *m, int64_t local_ns);

/** moment_month(s): 1 to 12 for the English three letters at the start of ${s}, else 0. */
int moment_month(struct str s);

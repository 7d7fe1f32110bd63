/*
 * ingest/journal_seek.c - where reading starts.
 * One job: to the saved cursor, or as near as can be told; or to a chosen point.
 * Floor: 3 (uses base).
 */
#include <stdio.h>

#include "ingest/journal.h"
#include "ingest/journal_reader.h"

/* How many entries after a lost cursor may be ones that were read under it. */
enum { SEEK_RESUME = 65536 };

/* The boot of the newest entry; that of this machine for its own journal. */
static bool
seek_boot_id(const struct journal_reader *rd, sd_journal *j, sd_id128_t *ret)
{
	uint64_t us;

	if (rd->path == NULL) {
		*ret = rd->boot;
		return true;
	}
	return sd_journal_seek_tail(j) >= 0 && sd_journal_previous(j) > 0 &&
	    sd_journal_get_monotonic_usec(j, &us, ret) >= 0;
}

/* The first entry of the boot; matches serve to find it, and never to read. */
static bool
seek_boot(const struct journal_reader *rd, sd_journal *j)
{
	char match[16 + SD_ID128_STRING_MAX], text[SD_ID128_STRING_MAX];
	AUTO_FREE char *cursor = NULL;
	sd_id128_t boot;
	bool found;

	if (!seek_boot_id(rd, j, &boot))
		return false;
	(void)snprintf(match, sizeof(match), "_BOOT_ID=%s", sd_id128_to_string(boot, text));
	found = sd_journal_add_match(j, match, 0) >= 0 && sd_journal_seek_head(j) >= 0 &&
	    sd_journal_next(j) > 0 && sd_journal_get_cursor(j, &cursor) >= 0;
	sd_journal_flush_matches(j);
	return found && sd_journal_seek_cursor(j, cursor) >= 0;
}

/* After the last entry that there is; previous() because next() after seek_tail() alone goes astray. */
static void
seek_end(sd_journal *j)
{
	(void)sd_journal_seek_tail(j);
	if (sd_journal_previous(j) <= 0)
		(void)sd_journal_seek_head(j);
}

static void
seek_start(const struct journal_reader *rd, sd_journal *j)
{
	switch ((enum journal_from)rd->opt.from) {
	case JOURNAL_FROM_BOOT:
		if (!seek_boot(rd, j))
			seek_end(j);
		break;
	case JOURNAL_FROM_BEGINNING:
		(void)sd_journal_seek_head(j);
		break;
	case JOURNAL_FROM_NOW:
		seek_end(j);
		break;
	case JOURNAL_FROM_TIME:
		(void)sd_journal_seek_realtime_usec(j,
		    rd->opt.from_time.ns < 0 ? 0 : (uint64_t)(rd->opt.from_time.ns / NS_PER_US));
		break;
	}
}

void
journal_seek_plain(const struct journal_reader *rd, sd_journal *j)
{
	if (rd->pos.cursor[0] == '\0')
		seek_start(rd, j);
	else if (sd_journal_seek_cursor(j, rd->pos.cursor) < 0)
		(void)sd_journal_seek_head(j);
}

/* Whether the current entry is the saved one, if need be under another number. */
static bool
seek_found(struct journal_reader *rd)
{
	struct journal_cursor saved, here;
	AUTO_FREE char *text = NULL;

	if (sd_journal_test_cursor(rd->j, rd->pos.cursor) > 0)
		return true;
	return sd_journal_get_cursor(rd->j, &text) >= 0 && journal_cursor_parse(text, &here) &&
	    journal_cursor_parse(rd->pos.cursor, &saved) &&
	    journal_cursor_same_entry(&here, &saved);
}

/* The entry at the position is the last one read; counting goes on from it. */
static void
seek_baseline(struct journal_reader *rd)
{
	struct journal_cursor c;

	if (!journal_cursor_parse(rd->pos.cursor, &c))
		return;
	journal_count_from(rd, &c);
	if (journal_position_mark(&rd->pos, &c.seqnum_id) == NULL)
		journal_position_set(&rd->pos, &c);
}

/* The entry at the position is gone: read on with the first after it, skipping what is known. */
static int
seek_lost(struct journal_reader *rd)
{
	struct journal_proto_loss loss = { .reason = STR("the saved position is gone") };
	struct journal_cursor here, saved;
	AUTO_FREE char *text = NULL;
	bool numbered;

	rd->resuming = SEEK_RESUME;
	if (sd_journal_seek_cursor(rd->j, rd->pos.cursor) < 0)
		(void)sd_journal_seek_head(rd->j);
	if (sd_journal_next(rd->j) <= 0) {
		/* nothing is behind it now: numbers tell what is missing before that which comes */
		seek_baseline(rd);
		return 0;
	}
	numbered = sd_journal_get_cursor(rd->j, &text) >= 0 && journal_cursor_parse(text, &here) &&
	    journal_cursor_parse(rd->pos.cursor, &saved) &&
	    journal_id_eq(&saved.seqnum_id, &here.seqnum_id);
	journal_reader_note(rd, "journal position is gone: %s: going on by time and number",
	    rd->pos.cursor);
	/* with a known number, counting finds what is missing; without one nobody can */
	if (numbered)
		seek_baseline(rd);
	else
		journal_proto_put_loss(&rd->out, &loss);
	/* back before this entry, so that it is read */
	if (text == NULL || sd_journal_seek_cursor(rd->j, text) < 0)
		(void)sd_journal_seek_cursor(rd->j, rd->pos.cursor);
	return 0;
}

/*
 * Where reading starts after the newest entry, that entry is the position at once, so that a crash before the
 * next one loses nothing.  The other start points have no current entry.
 */
static void
seek_keep_start(struct journal_reader *rd)
{
	AUTO_FREE char *text = NULL;

	if (sd_journal_get_cursor(rd->j, &text) < 0 || strlen(text) > JOURNAL_CURSOR_MAX)
		return;
	memcpy(rd->pos.cursor, text, strlen(text) + 1);
	seek_baseline(rd);
}

int
journal_seek(struct journal_reader *rd)
{
	bool first = !rd->started;

	memset(&rd->count, 0, sizeof(rd->count));
	rd->resuming = 0;
	rd->started = true;
	if (rd->pos.cursor[0] == '\0') {
		/* after an opening that found nothing at all, whatever comes is new */
		if (first)
			seek_start(rd, rd->j);
		else
			(void)sd_journal_seek_head(rd->j);
		seek_keep_start(rd);
		return 0;
	}
	if (sd_journal_seek_cursor(rd->j, rd->pos.cursor) < 0 || sd_journal_next(rd->j) < 0)
		return seek_lost(rd);
	if (!seek_found(rd))
		return seek_lost(rd);
	seek_baseline(rd);
	return 0;
}

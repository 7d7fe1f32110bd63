/*
 * ingest/journal_apart.c - files that lead the others astray.
 * One job: keep files that end in the future out of the common reading, and have them read all the same.
 * Floor: 3 (uses base).
 *
 * libsystemd merges files by number within one id, else by the boot's clock, else by the wall clock, and gives only what
 * is beyond the last entry given.  After an entry of the year 2114 (a damaged file, or a boot with a wrong clock)
 * everything of other boots lies behind it and is never given.  So such files are read by themselves, once, as far
 * as they go; a mark with an id made of theirs counts the entries read.  When the set of such files changes it is
 * read anew: rows of theirs may then stand twice.
 */
#include "base/hash.h"
#include "ingest/journal.h"
#include "ingest/journal_reader.h"

bool
journal_apart_is(const struct journal_reader *rd, sd_journal *j)
{
	uint64_t realtime, monotonic, now = (uint64_t)(wall_now().ns / NS_PER_US);
	sd_id128_t boot;

	if (sd_journal_seek_tail(j) < 0 || sd_journal_previous(j) <= 0 ||
	    sd_journal_get_realtime_usec(j, &realtime) < 0 ||
	    sd_journal_get_monotonic_usec(j, &monotonic, &boot) < 0)
		return false;
	/* entries of the boot that we live in go by its own clock */
	return !sd_id128_equal(boot, rd->boot) &&
	    realtime > now + READER_FUTURE_S * UINT64_C(1000000);
}

/* The same for the same files in any order. */
static bool
apart_id(const struct journal_reader *rd, struct journal_id *ret)
{
	uint64_t sum[2] = { 0, 0 };
	size_t i;

	for (i = 0; i < rd->files.n; i++) {
		const struct journal_file *f = &rd->files.files[i];
		struct str s = str_of(&f->id, sizeof(f->id));

		if (!f->apart || journal_reader_is_aside(rd, &f->id))
			continue;
		sum[0] += hash64(s);
		sum[1] += hash64_seed(s, 1) | 1;
	}
	memcpy(ret->b, sum, sizeof(ret->b));
	return sum[1] != 0;
}

static struct journal_mark *
apart_mark(struct journal_reader *rd, const struct journal_id *id)
{
	struct journal_cursor none = { .seqnum_id = *id };

	if (journal_position_mark(&rd->pos, id) == NULL)
		journal_position_set(&rd->pos, &none);
	return journal_position_mark(&rd->pos, id);
}

void
journal_apart_count(struct journal_reader *rd, uint64_t n)
{
	struct journal_id id;

	if (apart_id(rd, &id))
		apart_mark(rd, &id)->seqnum += n;
}

/* Their entries are of no boot that runs, and not of now. */
static bool
apart_wanted(const struct journal_reader *rd)
{
	return rd->pos.cursor[0] != '\0' || rd->opt.from == JOURNAL_FROM_BEGINNING ||
	    rd->opt.from == JOURNAL_FROM_TIME;
}

static int
apart_open(struct journal_reader *rd, sd_journal **ret)
{
	const char **paths;
	size_t i, n = 0;

	paths = arena_zalloc(&rd->paths, rd->files.n + 1, sizeof(*paths));
	if (paths == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < rd->files.n; i++)
		if (rd->files.files[i].apart &&
		    !journal_reader_is_aside(rd, &rd->files.files[i].id))
			paths[n++] = rd->files.files[i].path;
	/* one that has gone meanwhile: the next opening has another list */
	return sd_journal_open_files(ret, paths, 0) < 0 ? 1 : 0;
}

int
journal_apart_begin(struct journal_reader *rd, sd_journal **ret_main)
{
	struct journal_mark *mark;
	struct journal_id id;
	sd_journal *j = NULL;
	int r;

	if (!apart_id(rd, &id))
		return 1;
	mark = apart_mark(rd, &id);
	if (mark->seqnum == 0 && !apart_wanted(rd))
		mark->seqnum = INT64_MAX;
	if (mark->seqnum == INT64_MAX)
		return 1;
	r = apart_open(rd, &j);
	if (r != 0)
		return r;
	(void)sd_journal_set_data_threshold(j, 0);
	(void)sd_journal_seek_head(j);
	if (mark->seqnum > 0 && sd_journal_next_skip(j, mark->seqnum) < 0) {
		sd_journal_close(j);
		return 1;
	}
	*ret_main = rd->j;
	rd->j = j;
	return 0;
}

/*
 * ingest/journal_count.c - the numbers of entries.
 * One job: notice lost entries by their numbers, without asking for each number.
 * Floor: 3 (uses base).  The idea is told in journal_reader.h.
 */
#include <stdio.h>

#include "ingest/journal_reader.h"

/* A jump this large is a damaged number and no count of anything. */
#define COUNT_ABSURD (UINT64_C(1) << 40)

static const char *
count_reason(const struct journal_count *c)
{
	if (c->damaged)
		return "a damaged journal file";
	if (c->removed)
		return "removed before it was read";
	return "missing from the journal";
}

/* Entries first to last of id lack n. */
static void
count_lost(struct journal_reader *rd, const struct journal_id *id, uint64_t n, uint64_t first,
    uint64_t last)
{
	struct journal_count *c = &rd->count;

	if (rd->files.denied)
		return;
	if (c->have_loss && !journal_id_eq(&c->loss.seqnum_id, id))
		journal_count_loss(rd);
	if (n >= COUNT_ABSURD)
		n = 0;
	if (!c->have_loss) {
		c->loss = (struct journal_proto_loss){ .seqnum_id = *id, .first = first };
		(void)snprintf(c->reason, sizeof(c->reason), "%s", count_reason(c));
	}
	c->loss.n += n;
	c->loss.last = last;
	c->have_loss = true;
}

void
journal_count_loss(struct journal_reader *rd)
{
	struct journal_count *c = &rd->count;

	if (!c->have_loss)
		return;
	c->loss.reason = str_c(c->reason);
	journal_proto_put_loss(&rd->out, &c->loss);
	c->have_loss = false;
}

static struct journal_track *
track_find(struct journal_count *c, const struct journal_id *id)
{
	size_t i;

	for (i = 0; i < c->n_tracks; i++)
		if (journal_id_eq(&c->tracks[i].id, id))
			return &c->tracks[i];
	return NULL;
}

/* The track of an id that has none yet; when there are too many, that of the lowest number goes. */
static struct journal_track *
track_make(struct journal_count *c, const struct journal_id *id)
{
	size_t i, low = 0;

	if (c->n_tracks < JOURNAL_IDS_MAX) {
		low = c->n_tracks++;
	} else {
		for (i = 1; i < c->n_tracks; i++)
			if (c->tracks[i].last < c->tracks[low].last)
				low = i;
	}
	memset(&c->tracks[low], 0, sizeof(c->tracks[low]));
	c->tracks[low].id = *id;
	return &c->tracks[low];
}

static void
track_set(const struct journal_count *c, struct journal_track *t, const struct journal_cursor *cur)
{
	t->boot = cur->boot_id;
	t->last = cur->seqnum;
	t->others = 0;
	t->others_max = 0;
	t->since = c->exact_since;
}

/* Numbers missing between the last one of the track and ${seqnum} that no other id has. */
static uint64_t
track_missing(const struct journal_track *t, uint64_t seqnum)
{
	uint64_t gap;

	if (seqnum <= t->last)
		return 0;
	gap = seqnum - t->last - 1;
	/* numbers of others beyond this one: they count for themselves */
	if (t->others_max >= seqnum)
		return gap;
	return gap > t->others ? gap - t->others : 0;
}

/* Entry ${seqnum} and ${lost} ones before it are accounted for: other tracks of the boot need not miss them. */
static void
track_others(struct journal_count *c, const struct journal_cursor *cur, uint64_t lost)
{
	size_t i;

	for (i = 0; i < c->n_tracks; i++) {
		struct journal_track *t = &c->tracks[i];

		if (t->last >= cur->seqnum || journal_id_eq(&t->id, &cur->seqnum_id) ||
		    !journal_id_eq(&t->boot, &cur->boot_id))
			continue;
		t->others += 1;
		t->others += lost < cur->seqnum - 1 - t->last ? lost : cur->seqnum - 1 - t->last;
		if (t->others_max < cur->seqnum)
			t->others_max = cur->seqnum;
	}
}

/* One entry, followed exactly. */
static void
count_exact(struct journal_reader *rd, const struct journal_cursor *cur)
{
	struct journal_count *c = &rd->count;
	struct journal_track *t = track_find(c, &cur->seqnum_id);
	uint64_t lost = 0;

	if (t == NULL)
		t = track_make(c, &cur->seqnum_id);
	else if (t->since == c->exact_since &&
	    !(c->have && cur->seqnum == c->last + 1 && journal_id_eq(&c->boot, &cur->boot_id)))
		lost = track_missing(t, cur->seqnum);
	if (lost > 0)
		count_lost(rd, &cur->seqnum_id, lost, t->last + 1, cur->seqnum - 1);
	track_others(c, cur, lost);
	track_set(c, t, cur);
}

/* A cursor after entries that were only counted. */
static void
count_sampled(struct journal_reader *rd, const struct journal_cursor *cur)
{
	struct journal_count *c = &rd->count;
	uint64_t expected = c->last + c->n_since;
	struct journal_track *t;

	if (!c->have || cur->seqnum != expected) {
		if (c->have && cur->seqnum > expected && journal_id_eq(&c->cur, &cur->seqnum_id))
			count_lost(rd, &cur->seqnum_id, cur->seqnum - expected, c->last + 1,
			    cur->seqnum - 1);
		else
			c->exact = READER_EXACT;
	}
	/* entries of any id may have passed unseen */
	c->exact_since++;
	t = track_find(c, &cur->seqnum_id);
	track_set(c, t != NULL ? t : track_make(c, &cur->seqnum_id), cur);
}

static int
count_cursor(struct journal_reader *rd, struct journal_cursor *ret, bool *ret_known)
{
	AUTO_FREE char *text = NULL;
	size_t n;
	int r;

	r = sd_journal_get_cursor(rd->j, &text);
	if (r < 0)
		return r;
	n = strlen(text);
	if (n > JOURNAL_CURSOR_MAX)
		return -EMSGSIZE;
	memcpy(rd->pos.cursor, text, n + 1);
	*ret_known = journal_cursor_parse(text, ret);
	return 0;
}

static int
count_sample(struct journal_reader *rd, bool exactly)
{
	struct journal_count *c = &rd->count;
	struct journal_mark *m;
	struct journal_cursor cur;
	bool known;
	int r;

	r = count_cursor(rd, &cur, &known);
	if (r < 0)
		return r;
	if (!known) {
		/* another libsystemd's cursors: still a position, but no numbers */
		c->have = false;
		c->n_since = 0;
		return 0;
	}
	m = journal_position_mark(&rd->pos, &cur.seqnum_id);
	if (rd->resuming > 0 && exactly && m != NULL && cur.seqnum <= m->seqnum &&
	    cur.realtime <= m->realtime) {
		c->n_since--;
		return 1;
	}
	if (exactly)
		count_exact(rd, &cur);
	else
		count_sampled(rd, &cur);
	if (exactly && c->have && cur.seqnum != c->last + 1)
		c->exact = READER_EXACT;
	journal_position_set(&rd->pos, &cur);
	c->cur = cur.seqnum_id;
	c->last = cur.seqnum;
	c->boot = cur.boot_id;
	c->have = true;
	c->n_since = 0;
	c->damaged = false;
	c->removed = false;
	return 0;
}

int
journal_count_sample(struct journal_reader *rd)
{
	if (rd->count.n_since == 0)
		return 0;
	return count_sample(rd, rd->count.n_since == 1);
}

int
journal_count_entry(struct journal_reader *rd)
{
	struct journal_count *c = &rd->count;
	struct journal_id boot;
	sd_id128_t id;
	uint64_t us;
	bool look;
	int r;

	c->n_since++;
	r = sd_journal_get_monotonic_usec(rd->j, &us, &id);
	if (r < 0) {
		c->n_since--;
		return r;
	}
	memcpy(boot.b, id.bytes, sizeof(boot.b));
	look = !c->have || c->exact > 0 || rd->careful || rd->resuming > 0 ||
	    !journal_id_eq(&boot, &c->boot);
	if (c->exact > 0)
		c->exact--;
	if (!look)
		return 0;
	/* a new boot after entries that were only counted: those come up to it */
	r = count_sample(rd, c->n_since == 1 || !c->have);
	if (r < 0)
		c->n_since--;
	if (r == 0 && rd->resuming > 0)
		rd->resuming--;
	return r;
}

void
journal_count_from(struct journal_reader *rd, const struct journal_cursor *from)
{
	struct journal_count *c = &rd->count;

	c->have = true;
	c->cur = from->seqnum_id;
	c->boot = from->boot_id;
	c->last = from->seqnum;
	track_set(c, track_make(c, &from->seqnum_id), from);
}

void
journal_count_unread(struct journal_reader *rd)
{
	struct journal_count *c = &rd->count;

	if (c->n_since > 0)
		/* the next cursor is one further than expected, which tells the loss */
		c->n_since--;
	else if (c->have)
		count_lost(rd, &c->cur, 1, c->last, c->last);
}

/*
 * tests/unit/test_alerts_outbox.c - the outbox with a clock and a sender that the test plays.
 */
#include "alerts/outbox.h"
#include "check.h"

#define HOUR (3600 * NS_PER_S)

/* A receiver with one mail integration for three people and one webhook. */
static struct str people[] = { STR_INIT("a@x.org"), STR_INIT("b@x.org"), STR_INIT("c@x.org") };
static struct integration integrations[] = {
	{ .kind = RECEIVER_EMAIL, .to = people, .n_to = 3 },
	{ .kind = RECEIVER_WEBHOOK },
};
static const struct receiver ops = { STR_INIT("ops"), integrations, 2 };

struct play {
	struct statedb *db;
	struct outbox *o;
	struct wall now;
	/* what was handed out last */
	char id[64], mid[128], reply[128], to[200];
	unsigned tries, n_out, n_fates;
	int give; /* what handing out returns */
	enum outbox_state fate;
	char stored[4096];
	char ids[16][64]; /* all of them */
};

static void
copy(char *to, size_t cap, struct str s)
{
	(void)snprintf(to, cap, "%.*s", STR_ARG(s));
}

static void
on_fate(void *ctx, const struct outbox_item *it, struct str failed, struct wall at)
{
	struct play *p = ctx;

	p->n_fates++;
	p->fate = it->state;
	CHECK(at.ns == p->now.ns);
	(void)failed;
}

static void
play_open(struct play *p)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	memset(p, 0, sizeof(*p));
	MUST(statedb_open(&p->db, ":memory:", &why) == 0);
	MUST(outbox_new(&p->o, p->db) == 0);
	outbox_watch(p->o, on_fate, p);
	p->now.ns = 1000 * HOUR;
}

static void
play_close(struct play *p)
{
	(void)outbox_free(p->o);
	(void)statedb_close(p->db);
}

static int
put_in(struct play *p, const char *id, const char *group, enum notify_reason reason, unsigned in)
{
	AUTO_FINI(buf_fini) struct buf stored = BUF_INIT;
	struct label labels[] = { { STR("alertname"), STR("Down") } };
	struct route_alert alert = { .labels = { labels, 1 }, .starts_at = p->now };
	struct notification n = { .id = str_c(id),
		.receiver = &ops,
		.integration = &integrations[in],
		.group_key = str_c(group),
		.reason = reason,
		.firing = reason != NOTIFY_RESOLVED,
		.alerts = &alert,
		.n = 1,
		.at = p->now };
	int r;

	if (!n.firing)
		alert.ends_at = p->now;
	MUST(message_pack(&n, NULL, 0, "web1", &stored) == 0);
	MUST(statedb_begin(p->db) == 0);
	r = outbox_put(p->o, &n, buf_view(&stored), "web1", p->now);
	if (r == 0)
		r = statedb_commit(p->db);
	else
		statedb_rollback(p->db);
	return r;
}

static void
put(struct play *p, const char *id, const char *group, enum notify_reason reason)
{
	CHECK(put_in(p, id, group, reason, 0) == 0);
}

static int
on_due(void *ctx, const struct outbox_item *it)
{
	struct play *p = ctx;

	copy(p->id, sizeof(p->id), it->id);
	copy(p->mid, sizeof(p->mid), it->message_id);
	copy(p->reply, sizeof(p->reply), it->in_reply_to);
	copy(p->to, sizeof(p->to), it->to);
	copy(p->stored, sizeof(p->stored), it->stored);
	copy(p->ids[p->n_out % 16], sizeof(p->ids[0]), it->id);
	p->tries = it->n_tries;
	p->n_out++;
	return p->give;
}

/* How many were handed out now. */
static unsigned
due(struct play *p)
{
	p->n_out = 0;
	CHECK(outbox_due(p->o, p->now, 16, on_due, p) == 0);
	return p->n_out;
}

static void
result(struct play *p, const char *id, int outcome, const char *left, const char *failed,
    bool unsure)
{
	struct send_result r = { .id = str_c(id),
		.to_left = str_c(left),
		.to_failed = str_c(failed),
		.why = STR("because"),
		.unsure = unsure };

	r.outcome = outcome == 0 ? SEND_DONE : outcome == 1 ? SEND_LATER : SEND_NEVER;
	CHECK(outbox_result(p->o, &r, p->now) == 0);
}

static int
count_one(void *ctx, const struct outbox_item *it)
{
	(void)it;
	++*(unsigned *)ctx;
	return 0;
}

static unsigned
count(struct play *p, bool all)
{
	unsigned n = 0;

	CHECK(outbox_each(p->o, all, count_one, &n) == 0);
	return n;
}

#define ALL "a@x.org\nb@x.org\nc@x.org"

static void
test_once(void)
{
	struct play p;

	play_open(&p);
	put(&p, "n1", "g", NOTIFY_FIRST);
	put(&p, "n1", "g", NOTIFY_FIRST);
	CHECK(count(&p, true) == 1);
	CHECK(outbox_next(p.o).ns == p.now.ns);
	CHECK(due(&p) == 1 && strcmp(p.to, ALL) == 0);
	CHECK_STR(str_c(p.mid), STR("<n1@web1>"));
	CHECK(due(&p) == 0);
	CHECK(outbox_next(p.o).ns == INT64_MAX);
	result(&p, "n1", 0, "", "", false);
	CHECK(p.n_fates == 1 && p.fate == OUTBOX_DELIVERED);
	/* what is over stays known */
	put(&p, "n1", "g", NOTIFY_FIRST);
	CHECK(due(&p) == 0 && count(&p, false) == 0 && count(&p, true) == 1);
	play_close(&p);
}

static void
test_backoff(void)
{
	struct play p;
	int64_t before = 0;
	unsigned i, n_grew = 0;

	play_open(&p);
	put(&p, "n1", "g", NOTIFY_FIRST);
	for (i = 1; i < 20; i++) {
		int64_t wait;

		CHECK(due(&p) == 1 && p.tries == i);
		result(&p, "n1", 1, ALL, "", false);
		wait = outbox_next(p.o).ns - p.now.ns;
		CHECK(wait >= OUTBOX_BACKOFF_MIN_S * NS_PER_S &&
		    wait <= OUTBOX_BACKOFF_MAX_S * NS_PER_S);
		n_grew += wait > before;
		before = wait;
		p.now.ns += wait - 1;
		CHECK(due(&p) == 0);
		p.now.ns += 1;
	}
	CHECK(n_grew >= 8 && before >= 600 * NS_PER_S);
	play_close(&p);
}

static void
test_retry_after(void)
{
	static const int64_t asked[] = { 1, 40, 9999999 }, want[] = { 2, 40, 3600 };
	struct play p;
	size_t i;

	for (i = 0; i < 3; i++) {
		struct send_result r = { .id = STR("n1"),
			.outcome = SEND_LATER,
			.retry_after = { asked[i] * NS_PER_S } };

		play_open(&p);
		CHECK(put_in(&p, "n1", "g", NOTIFY_FIRST, 1) == 0);
		CHECK(due(&p) == 1);
		CHECK(outbox_result(p.o, &r, p.now) == 0);
		CHECK(outbox_next(p.o).ns == p.now.ns + want[i] * NS_PER_S);
		play_close(&p);
	}
}

/* The server is away for an hour: firing and resolved wait, become one, and go once. */
static void
test_hour_down(void)
{
	struct play p;
	struct wall end;

	play_open(&p);
	end.ns = p.now.ns + HOUR;
	put(&p, "n1", "g", NOTIFY_FIRST);
	while (p.now.ns < end.ns) {
		if (due(&p) == 1)
			result(&p, p.id, 1, ALL, "", false);
		if (p.now.ns > end.ns - HOUR / 2 && strcmp(p.id, "n1") == 0)
			put(&p, "n2", "g", NOTIFY_RESOLVED);
		CHECK(count(&p, false) == 1);
		p.now = outbox_next(p.o);
	}
	CHECK(due(&p) == 1 && strcmp(p.id, "n2") == 0 && strcmp(p.mid, "<n1@web1>") == 0);
	CHECK(strstr(p.stored, "\"firing\"") != NULL);
	result(&p, "n2", 0, "", "", false);
	CHECK(count(&p, false) == 0 && p.n_fates == 1);
	/* the thread is the first's */
	put(&p, "n3", "g", NOTIFY_CHANGED);
	CHECK(due(&p) == 1 && strcmp(p.reply, "<n1@web1>") == 0);
	play_close(&p);
}

/* b is greylisted; meanwhile it is resolved: b gets both in one, a and c the news alone, each once. */
static void
test_split(void)
{
	struct play p;

	play_open(&p);
	put(&p, "n1", "g", NOTIFY_FIRST);
	CHECK(due(&p) == 1);
	result(&p, "n1", 1, "b@x.org", "c@x.org", false);
	put(&p, "n2", "g", NOTIFY_RESOLVED);
	CHECK(count(&p, false) == 2);
	CHECK(due(&p) == 1 && strcmp(p.id, "n2") == 0 && strcmp(p.to, "a@x.org\nc@x.org") == 0);
	CHECK(strcmp(p.mid, "<n2@web1>") == 0 && strcmp(p.reply, "<n1@web1>") == 0);
	/* a third, before either is over: each has its own people */
	put(&p, "n3", "g", NOTIFY_CHANGED);
	result(&p, "n2", 1, "a@x.org\nc@x.org", "", false);
	CHECK(count(&p, false) == 2);
	p.now.ns += HOUR;
	CHECK(due(&p) == 1);
	CHECK(strcmp(p.to, "b@x.org") == 0 && strcmp(p.mid, "<n1@web1>") != 0);
	result(&p, p.id, 0, "", "", false);
	CHECK(due(&p) == 1 && strcmp(p.to, "a@x.org\nc@x.org") == 0);
	result(&p, p.id, 0, "", "", false);
	CHECK(count(&p, false) == 0);
	play_close(&p);
}

/* What may have arrived is not joined, goes first, and with its own Message-ID. */
static void
test_unsure(void)
{
	struct play p;

	play_open(&p);
	put(&p, "n1", "g", NOTIFY_FIRST);
	CHECK(due(&p) == 1);
	put(&p, "n2", "g", NOTIFY_RESOLVED);
	CHECK(due(&p) == 0);
	result(&p, "n1", 1, ALL, "", true);
	CHECK(count(&p, false) == 2);
	CHECK(due(&p) == 0);
	p.now = outbox_next(p.o);
	CHECK(due(&p) == 1 && strcmp(p.mid, "<n1@web1>") == 0);
	/* the process dies now: the same again, at once */
	CHECK(outbox_restart(p.o, p.now) == 0);
	CHECK(due(&p) == 1 && strcmp(p.mid, "<n1@web1>") == 0);
	/* main dies too */
	(void)outbox_free(p.o);
	MUST(outbox_new(&p.o, p.db) == 0);
	CHECK(due(&p) == 1 && strcmp(p.mid, "<n1@web1>") == 0);
	result(&p, "n1", 0, "", "", false);
	CHECK(due(&p) == 1 && strcmp(p.mid, "<n2@web1>") == 0);
	/* an answer from before the restart, to one that waits: nothing */
	CHECK(outbox_restart(p.o, p.now) == 0);
	result(&p, "n2", 0, "", "", false);
	CHECK(count(&p, false) == 1);
	play_close(&p);
}

static void
test_expiry(void)
{
	struct play p;

	play_open(&p);
	put(&p, "n1", "g", NOTIFY_FIRST);
	put(&p, "n2", "h", NOTIFY_FIRST);
	CHECK(due(&p) == 1);
	result(&p, p.id, 2, "", ALL, false);
	CHECK(p.n_fates == 1 && p.fate == OUTBOX_FAILED);
	while (p.now.ns < (1000 + OUTBOX_EXPIRE_H) * HOUR) {
		CHECK(due(&p) == 1);
		result(&p, "n2", 1, ALL, "", false);
		CHECK(p.n_fates == 1);
		p.now = outbox_next(p.o);
	}
	CHECK(due(&p) == 1);
	result(&p, "n2", 1, ALL, "", false);
	CHECK(p.n_fates == 2 && p.fate == OUTBOX_EXPIRED && count(&p, false) == 0);
	CHECK(outbox_next(p.o).ns == INT64_MAX);
	play_close(&p);
}

static void
test_clock(void)
{
	struct play p;

	play_open(&p);
	put(&p, "n1", "g", NOTIFY_FIRST);
	CHECK(due(&p) == 1);
	result(&p, "n1", 1, ALL, "", false);
	/* an hour back: it waits no longer than it would have */
	p.now.ns -= HOUR;
	CHECK(due(&p) == 0);
	CHECK(outbox_next(p.o).ns <= p.now.ns + OUTBOX_BACKOFF_MAX_S * NS_PER_S);
	p.now = outbox_next(p.o);
	CHECK(due(&p) == 1);
	result(&p, "n1", 1, ALL, "", false);
	/* an hour ahead: due at once, and not older for it */
	p.now.ns += HOUR;
	CHECK(due(&p) == 1);
	result(&p, "n1", 1, ALL, "", false);
	/* ten years ahead: the next try, no end */
	p.now.ns += 10 * 365 * 24 * HOUR;
	CHECK(due(&p) == 1);
	result(&p, "n1", 1, ALL, "", false);
	CHECK(p.n_fates == 0 && count(&p, false) == 1);
	/* and back */
	p.now.ns -= 10 * 365 * 24 * HOUR;
	(void)due(&p);
	CHECK(outbox_next(p.o).ns <= p.now.ns + OUTBOX_RETRY_AFTER_MAX_S * NS_PER_S);
	play_close(&p);
}

/* One of an integration at a time; another integration beside it; no room: later. */
static void
test_lanes(void)
{
	struct play p;

	play_open(&p);
	put(&p, "n1", "g", NOTIFY_FIRST);
	put(&p, "n2", "h", NOTIFY_FIRST);
	CHECK(put_in(&p, "w1", "g", NOTIFY_FIRST, 1) == 0);
	p.give = 1;
	CHECK(due(&p) == 2);
	CHECK(due(&p) == 0 && outbox_next(p.o).ns > p.now.ns);
	p.give = 0;
	p.now = outbox_next(p.o);
	CHECK(due(&p) == 2);
	CHECK(p.tries == 1);
	result(&p, "w1", 0, "", "", false);
	CHECK(due(&p) == 0);
	result(&p, "n1", 0, "", "", false);
	CHECK(due(&p) == 1 && strcmp(p.id, "n2") == 0);
	play_close(&p);
}

static void
pages(struct play *p, bool full)
{
	/* a limit at what is used: each new page fails as on a full disk */
	CHECK(statedb_exec(p->db,
	          full ? "PRAGMA max_page_count = 1" : "PRAGMA max_page_count = 1000000") == 0);
}

/* On a full disk nothing is sent that could not be recorded, and no result is lost. */
static void
test_full(void)
{
	char id[32];
	struct play p;
	unsigned n, i, k;
	int r = 0;

	play_open(&p);
	put(&p, "first", "g", NOTIFY_FIRST);
	CHECK(due(&p) == 1);
	pages(&p, true);
	for (n = 0; r == 0 && n < 2000; n++) {
		(void)snprintf(id, sizeof(id), "n%u", n);
		r = put_in(&p, id, id, NOTIFY_FIRST, 1);
	}
	CHECK(r != 0 && n < 2000);
	result(&p, "first", 1, ALL, "", false);
	/* small changes may still have room; what they bring is answered */
	k = due(&p);
	for (i = 0; i < k; i++)
		result(&p, p.ids[i], 0, "", "", false);
	pages(&p, false);
	while (count(&p, false) > 0) {
		p.now.ns += NS_PER_MIN;
		k = due(&p);
		for (i = 0; i < k; i++)
			result(&p, p.ids[i], 0, "", "", false);
		MUST(p.now.ns < 2000 * HOUR);
	}
	CHECK(p.n_fates == n);
	play_close(&p);
}

/* A storm is bounded: what is beyond is refused, joining goes on, and each still comes out in its turn. */
static void
test_storm(void)
{
	char id[32], group[32];
	struct outbox_counts n;
	struct play p;
	unsigned i, r = 0;

	play_open(&p);
	for (i = 0; i < OUTBOX_MAX + 10; i++) {
		(void)snprintf(id, sizeof(id), "n%u", i);
		r += put_in(&p, id, id, NOTIFY_FIRST, 1) == OUTBOX_E_FULL;
	}
	CHECK(r == 10);
	for (i = 0; i < 5; i++) {
		(void)snprintf(id, sizeof(id), "again%u", i);
		(void)snprintf(group, sizeof(group), "n%u", i);
		CHECK(put_in(&p, id, group, NOTIFY_RESOLVED, 1) == 0);
	}
	outbox_count(p.o, &n);
	CHECK(n.waiting == OUTBOX_MAX && n.joined == 5 && n.refused == 10);
	for (i = 0; i < 100; i++) {
		CHECK(due(&p) == 1);
		result(&p, p.id, 0, "", "", false);
	}
	CHECK(count(&p, false) == OUTBOX_MAX - 100);
	play_close(&p);
}

int
main(void)
{
	test_once();
	test_backoff();
	test_retry_after();
	test_hour_down();
	test_split();
	test_unsure();
	test_expiry();
	test_clock();
	test_lanes();
	test_full();
	test_storm();
	return check_done();
}

/*
 * tests/unit/test_alerts_state.c - tests alerts/state*.c and alerts/statedb*.c.
 * One job: every way through the states, and that a restart changes none of them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>

#include "alerts/state.h"
#include "check.h"

enum { MIN = 60 };

static struct rule rules[2];
static struct rule_group group;
static struct rule_set rule_set;

static struct wall
sec(int64_t s)
{
	return (struct wall){ (1000000 + s) * NS_PER_S };
}

static struct span
secs(int64_t s)
{
	return (struct span){ s * NS_PER_S };
}

/* One group, two rules; the first is the test's. */
static struct rule *
rule_begin(void)
{
	memset(rules, 0, sizeof(rules));
	rules[0].name = STR("Errors");
	rules[0].id = 0xfedcba9876543210u;
	rules[1].name = STR("Other");
	rules[1].id = 7;
	group = (struct rule_group){ .name = STR("g"), .interval = secs(MIN), .rules = rules };
	group.n_rules = 2;
	rule_set.groups = &group;
	rule_set.n_groups = 1;
	return &rules[0];
}

/* ---- what is told ---- */

static const char *const change_names[] = { "pending", "firing", "resolved", "dropped", "unknown",
	"known", "flapping", "steady" };

/* "firing host=a @60 #3" a line. */
static int
tell(void *ctx, const struct alert *a, enum alert_change c, struct wall at)
{
	struct str host = labels_get(&a->labels, STR("host"));

	if (host.n == 0)
		host = labels_get(&a->labels, STR("overflow"));
	buf_printf(ctx, "%s %.*s @%lld", change_names[c], STR_ARG(host),
	    (long long)(at.ns / NS_PER_S - 1000000));
	if (a->flapping)
		buf_c(ctx, " flapping");
	if (a->late_from.ns > 0)
		buf_printf(ctx, " late %lld", (long long)(a->late_from.ns / NS_PER_S - 1000000));
	buf_byte(ctx, '\n');
	return 0;
}

struct row {
	const char *host;
	double value;
	bool no, may_resolve;
	int64_t late;
};

struct bench {
	struct statedb *db;
	struct state *state;
	struct buf log;
	bool unknown, late;
};

static void
bench_begin(struct bench *b)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	memset(b, 0, sizeof(*b));
	MUST(statedb_open(&b->db, ":memory:", &why) == 0);
	MUST(state_new(&b->state, &rule_set, b->db) == 0);
}

static void
bench_end(struct bench *b)
{
	b->state = state_free(b->state);
	b->db = statedb_close(b->db);
	buf_fini(&b->log);
}

static void
bench_save(struct bench *b)
{
	CHECK(statedb_begin(b->db) == 0);
	CHECK(state_save(b->state) == 0);
	CHECK(statedb_commit(b->db) == 0);
	CHECK(!state_changed(b->state));
}

static void
bench_restart(struct bench *b)
{
	b->state = state_free(b->state);
	MUST(state_new(&b->state, &rule_set, b->db) == 0);
}

static void
rows(struct bench *b, int64_t at, const struct row *in, size_t n)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct eval_result *res = arena_zalloc(&arena, n + 1, sizeof(*res));
	struct eval_set set = { .rule = &rules[0], .group = &group, .at = sec(at) };
	size_t i;

	for (i = 0; i < n; i++) {
		struct label host = { STR("host"), str_c(in[i].host) };

		MUST(labels_make(&arena, &host, 1, &res[i].labels) == 0);
		res[i].value = in[i].value;
		res[i].holds = !in[i].no;
		res[i].may_resolve = in[i].may_resolve;
		res[i].late_from = in[i].late > 0 ? sec(in[i].late) : (struct wall){ 0 };
	}
	set.results = res;
	set.n = n;
	set.unknown = b->unknown;
	CHECK((b->late ? state_apply_late : state_apply)(b->state, &set, tell, &b->log) == 0);
}

/* A row that holds; one that holds no longer; one of an instant seen again. */
#define HAS(h, v)                         \
	{                                 \
		.host = (h), .value = (v) \
	}
#define NOT(h, v, may)                                                      \
	{                                                                   \
		.host = (h), .value = (v), .no = true, .may_resolve = (may) \
	}
#define LATE(h, v, t)                                  \
	{                                              \
		.host = (h), .value = (v), .late = (t) \
	}
#define ROWS(b, at, ...)                                                  \
	do {                                                              \
		const struct row rows_[] = { __VA_ARGS__ };               \
		rows((b), (at), rows_, sizeof(rows_) / sizeof(rows_[0])); \
	} while (0)
#define NONE(b, at) rows((b), (at), NULL, 0)

static void
told(struct bench *b, const char *want)
{
	CHECK_STR(buf_view(&b->log), str_c(want));
	buf_clear(&b->log);
}

static int
count_alert(void *ctx, const struct alert *a)
{
	unsigned *n = ctx;

	(void)a;
	(*n)++;
	return 0;
}

static unsigned
count(struct bench *b)
{
	unsigned n = 0;

	CHECK(state_each(b->state, count_alert, &n) == 0);
	return n;
}

/* ---- the ways ---- */

static void
test_at_once(void)
{
	struct bench b;

	(void)rule_begin();
	bench_begin(&b);
	ROWS(&b, 0, HAS("a", 1), HAS("b", 2));
	told(&b, "firing a @0\nfiring b @0\n");
	ROWS(&b, 60, HAS("a", 3));
	told(&b, "resolved b @60\n");
	CHECK(count(&b) == 1);
	NONE(&b, 120);
	told(&b, "resolved a @120\n");
	CHECK(count(&b) == 0);
	ROWS(&b, 180, HAS("a", 1), HAS("a", 2));
	told(&b, "firing a @180\n");
	bench_end(&b);
}

static void
test_for(void)
{
	struct bench b;

	rule_begin()->for_ = secs(2 * MIN);
	bench_begin(&b);
	ROWS(&b, 0, HAS("a", 1));
	told(&b, "pending a @0\n");
	ROWS(&b, 60, HAS("a", 1));
	told(&b, "");
	NONE(&b, 120);
	told(&b, "dropped a @120\n");
	ROWS(&b, 180, HAS("a", 1));
	bench_save(&b);
	bench_restart(&b);
	ROWS(&b, 240, HAS("a", 1));
	ROWS(&b, 300, HAS("a", 1));
	told(&b, "pending a @180\nfiring a @300\n");
	bench_end(&b);
}

static void
test_keep_firing(void)
{
	struct bench b;

	rule_begin()->keep_firing_for = secs(2 * MIN);
	bench_begin(&b);
	ROWS(&b, 0, HAS("a", 1));
	NONE(&b, 60);
	NONE(&b, 120);
	ROWS(&b, 180, HAS("a", 1));
	NONE(&b, 240);
	bench_save(&b);
	bench_restart(&b);
	NONE(&b, 300);
	told(&b, "firing a @0\n");
	NONE(&b, 360);
	told(&b, "resolved a @360\n");
	bench_end(&b);
}

static void
test_resolve_when(void)
{
	struct bench b;

	(void)rule_begin();
	bench_begin(&b);
	ROWS(&b, 0, NOT("a", 9, false), HAS("b", 10));
	told(&b, "firing b @0\n");
	ROWS(&b, 60, NOT("b", 5, false));
	told(&b, "");
	ROWS(&b, 120, NOT("b", 1, true));
	told(&b, "resolved b @120\n");
	ROWS(&b, 180, NOT("b", 5, false));
	told(&b, "");
	bench_end(&b);
}

static void
test_unknown(void)
{
	struct bench b;

	(void)rule_begin();
	bench_begin(&b);
	ROWS(&b, 0, HAS("a", 1), HAS("b", 1));
	told(&b, "firing a @0\nfiring b @0\n");
	b.unknown = true;
	ROWS(&b, 60, HAS("b", 1), HAS("c", 1));
	told(&b, "firing c @60\nunknown a @60\n");
	NONE(&b, 120);
	told(&b, "unknown b @120\nunknown c @120\n");
	bench_save(&b);
	bench_restart(&b);
	b.unknown = false;
	ROWS(&b, 180, HAS("a", 1));
	told(&b, "known a @180\nknown b @180\nresolved b @180\nknown c @180\nresolved c @180\n");
	/* That a host says nothing is no news while nothing can be heard. */
	rules[0].form = RULE_ABSENT;
	b.unknown = true;
	ROWS(&b, 240, HAS("a", 1), HAS("d", 1));
	told(&b, "");
	bench_end(&b);
}

static void
test_flap(void)
{
	struct rule *r = rule_begin();
	struct bench b;
	int64_t t;

	r->flap_changes = 4;
	r->flap_within = secs(10 * MIN);
	bench_begin(&b);
	for (t = 0; t < 6; t++) {
		bench_save(&b);
		bench_restart(&b);
		if (t % 2 == 0)
			ROWS(&b, t * MIN, HAS("a", 1));
		else
			NONE(&b, t * MIN);
	}
	told(&b,
	    "firing a @0\nresolved a @60\nfiring a @120\nresolved a @180 flapping\nflapping a @180 flapping\n"
	    "firing a @240 flapping\nresolved a @300 flapping\n");
	CHECK(count(&b) == 1);
	for (; t < 15; t++)
		NONE(&b, t * MIN);
	told(&b, "");
	NONE(&b, 15 * MIN);
	told(&b, "steady a @900\n");
	CHECK(count(&b) == 0);
	ROWS(&b, 16 * MIN, HAS("a", 1));
	told(&b, "firing a @960\n");
	bench_end(&b);
}

static void
test_late(void)
{
	struct rule *r = rule_begin();
	struct bench b;

	bench_begin(&b);
	NONE(&b, 600);
	/* A minute long, and over before anybody saw it. */
	b.late = true;
	ROWS(&b, 120, LATE("a", 5, 110));
	told(&b, "firing a @600 late 110\n");
	bench_save(&b);
	bench_restart(&b);
	NONE(&b, 180);
	told(&b, "resolved a @600 late 110\n");
	/* Seen again it is no news; another one is. */
	b.late = true;
	ROWS(&b, 120, LATE("a", 5, 100));
	told(&b, "");
	/* What is known does not resolve by an old instant. */
	b.late = false;
	ROWS(&b, 660, HAS("b", 5));
	b.late = true;
	NONE(&b, 300);
	ROWS(&b, 360, LATE("b", 5, 350));
	told(&b, "firing b @660\n");
	/* A run that reaches a pending one began earlier. */
	b.late = false;
	NONE(&b, 720);
	buf_clear(&b.log);
	r->for_ = secs(3 * MIN);
	ROWS(&b, 780, HAS("c", 5));
	b.late = true;
	ROWS(&b, 600, LATE("c", 5, 590));
	ROWS(&b, 660, LATE("c", 5, 590));
	bench_save(&b);
	bench_restart(&b);
	ROWS(&b, 720, LATE("c", 5, 590));
	told(&b, "pending c @780\nfiring c @780 late 590\n");
	/* One that does not reach it did not. */
	ROWS(&b, 300, LATE("d", 5, 290));
	told(&b, "pending d @300 late 290\n");
	b.late = false;
	ROWS(&b, 840, HAS("c", 5), HAS("d", 5));
	told(&b, "");
	ROWS(&b, 900, HAS("c", 5), HAS("d", 5));
	ROWS(&b, 960, HAS("c", 5), HAS("d", 5));
	told(&b, "");
	ROWS(&b, 1020, HAS("c", 5), HAS("d", 5));
	told(&b, "firing d @1020 late 290\n");
	bench_end(&b);
}

static void
test_limit(void)
{
	struct bench b;

	(void)rule_begin();
	group.limit = 2;
	bench_begin(&b);
	ROWS(&b, 0, HAS("a", 1), HAS("b", 1), HAS("c", 1), HAS("d", 1));
	told(&b, "firing a @0\nfiring b @0\nfiring true @0\n");
	ROWS(&b, 60, HAS("c", 1), HAS("b", 1));
	told(&b, "resolved a @60\n");
	NONE(&b, 120);
	CHECK(count(&b) == 0);
	bench_end(&b);
}

static void
test_rules_change(void)
{
	struct bench b;

	(void)rule_begin();
	bench_begin(&b);
	ROWS(&b, 0, HAS("a", 1));
	told(&b, "firing a @0\n");
	bench_save(&b);
	/* Gone while it was stopped. */
	rules[0].id = 99;
	bench_restart(&b);
	CHECK(count(&b) == 1);
	CHECK(state_orphans(b.state, sec(60), tell, &b.log) == 0);
	told(&b, "resolved a @60\n");
	bench_save(&b);
	bench_restart(&b);
	CHECK(count(&b) == 0);
	/* Another rule of that name is another one; the second stays. */
	ROWS(&b, 120, HAS("a", 1));
	told(&b, "firing a @120\n");
	rules[0].id = 98;
	CHECK(state_reload(b.state, &rule_set) == 0);
	ROWS(&b, 180, HAS("a", 1));
	CHECK(state_orphans(b.state, sec(180), tell, &b.log) == 0);
	told(&b, "firing a @180\nresolved a @180\n");
	CHECK(state_reload(b.state, &rule_set) == 0);
	NONE(&b, 240);
	told(&b, "resolved a @240\n");
	bench_end(&b);
}

static void
test_texts(void)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct rule_text label = { STR("team"), STR("{{ .Labels.host }}-ops"), NULL };
	struct rule_text note = { STR("summary"), STR("{{ $value }} on {{ $labels.host }}"), NULL };
	struct rule *r = rule_begin();
	struct bench b;

	MUST(gotmpl_parse(label.text, &arena, &label.tmpl, &why) == 0);
	MUST(gotmpl_parse(note.text, &arena, &note.tmpl, &why) == 0);
	r->labels = &label;
	r->n_labels = 1;
	r->annotations = &note;
	r->n_annotations = 1;
	bench_begin(&b);
	ROWS(&b, 0, HAS("a", 1));
	ROWS(&b, 60, HAS("a", 2.5));
	told(&b, "firing a @0\n");
	bench_end(&b);
}

/* ---- a restart at any moment ---- */

struct step {
	int64_t at;
	bool unknown, late;
	struct row row[6];
	size_t n;
};

static void
step_make(struct step *s, unsigned *seed, int64_t at)
{
	static const char *const hosts[] = { "a", "b", "c", "d", "e", "f" };
	size_t i;

	memset(s, 0, sizeof(*s));
	s->at = at;
	s->unknown = rand_r(seed) % 10 == 0;
	for (i = 0; i < ARRAY_LEN(hosts); i++) {
		if (rand_r(seed) % 3 == 0)
			continue;
		s->row[s->n++] = (struct row){ hosts[i], rand_r(seed) % 4,
			.no = rand_r(seed) % 4 == 0, .may_resolve = rand_r(seed) % 2 == 0 };
	}
}

static void
step_run(struct bench *b, const struct step *s)
{
	size_t i;
	struct step old = *s;

	b->unknown = s->unknown;
	b->late = false;
	rows(b, s->at, s->row, s->n);
	if (s->at % (7 * MIN) != 0)
		return;
	b->late = true;
	for (i = 0; i < old.n; i++)
		old.row[i].late = s->at - 3 * MIN;
	rows(b, s->at - 2 * MIN, old.row, old.n);
	rows(b, s->at - MIN, old.row, old.n / 2);
}

static int
dump_alert(void *ctx, const struct alert *a)
{
	labels_format(ctx, &a->labels);
	buf_printf(ctx, " %d %d %lld %lld %lld %lld %lld %lld %g %u %d %llu\n", a->state,
	    a->unknown, (long long)a->active_at.ns, (long long)a->fired_at.ns,
	    (long long)a->resolved_at.ns, (long long)a->keep_since.ns, (long long)a->last_seen.ns,
	    (long long)a->late_from.ns, a->value, a->n_flaps, a->flapping,
	    (unsigned long long)a->serial);
	return 0;
}

/* Saved now and then, killed now and then: what was not saved is made up. */
static void
run_killed(struct bench *b, const struct step *steps, size_t n, unsigned *seed)
{
	size_t i, saved = 0, log_saved = 0;

	for (i = 0; i < n; i++) {
		step_run(b, &steps[i]);
		if (rand_r(seed) % 3 == 0) {
			bench_save(b);
			saved = i + 1;
			log_saved = b->log.n;
		}
		if (rand_r(seed) % 4 == 0) {
			bench_restart(b);
			i = saved - 1;
			b->log.n = log_saved;
		}
	}
}

static void
test_kills(void)
{
	enum { STEPS = 60 };
	AUTO_FINI(buf_fini) struct buf one = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf two = BUF_INIT;
	struct step steps[STEPS];
	struct bench a, b;
	unsigned seed, round;
	size_t i;

	for (round = 0; round < 100; round++) {
		struct rule *r = rule_begin();

		seed = round;
		r->for_ = secs(round % 3 * MIN);
		r->keep_firing_for = secs(round % 4 * MIN);
		r->flap_changes = round % 2 * 4;
		r->flap_within = secs(5 * MIN);
		group.limit = round % 5 == 0 ? 3 : 0;
		for (i = 0; i < STEPS; i++)
			step_make(&steps[i], &seed, (int64_t)i * MIN);
		bench_begin(&a);
		bench_begin(&b);
		for (i = 0; i < STEPS; i++)
			step_run(&a, &steps[i]);
		run_killed(&b, steps, STEPS, &seed);
		CHECK_STR(buf_view(&b.log), buf_view(&a.log));
		CHECK(a.log.n > 100);
		buf_clear(&one);
		buf_clear(&two);
		(void)state_each(a.state, dump_alert, &one);
		(void)state_each(b.state, dump_alert, &two);
		CHECK_STR(buf_view(&two), buf_view(&one));
		bench_end(&a);
		bench_end(&b);
	}
}

/* ---- the database ---- */

static char place[] = "/tmp/weir-test-statedb.XXXXXX";

static const char *
path_of(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", place, name);
	return path;
}

static int64_t
ask(struct statedb *db, const char *sql)
{
	sqlite3_stmt *st;
	int64_t v = -1;

	MUST(statedb_prepare(db, sql, &st) == 0);
	if (sqlite3_step(st) == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	return v;
}

static void
test_damaged(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct statedb *db = NULL;
	struct dirent *e;
	unsigned n = 0;
	DIR *dir;
	int fd;

	MUST(statedb_open(&db, path_of("damaged.db"), &why) == 0);
	CHECK(why.n == 0);
	CHECK(statedb_exec(db, "CREATE TABLE t (x)") == 0);
	CHECK(ask(db, "PRAGMA synchronous") == 2);
	db = statedb_close(db);
	fd = open(path_of("damaged.db"), O_WRONLY | O_CLOEXEC);
	CHECK(pwrite(fd, "this is no database at all", 26, 0) == 26);
	(void)close(fd);
	MUST(statedb_open(&db, path_of("damaged.db"), &why) == 0);
	CHECK(str_find(buf_view(&why), STR("set aside as")) != SIZE_MAX);
	CHECK(statedb_exec(db, "CREATE TABLE t (x)") == 0);
	db = statedb_close(db);
	dir = opendir(place);
	while ((e = readdir(dir)) != NULL)
		n += strncmp(e->d_name, "damaged.db.damaged-", 19) == 0;
	(void)closedir(dir);
	CHECK(n >= 1);
}

static void
put_rows(struct statedb *db, const char *text, int n)
{
	static const char sql[] = "INSERT INTO t VALUES (?)";
	sqlite3_stmt *st;
	int i;

	for (i = 0; i < n; i++) {
		MUST(statedb_prepare(db, sql, &st) == 0);
		CHECK(statedb_bind(st, 1, str_c(text)) == 0);
		CHECK(statedb_run(db, st) == 0);
	}
}

static void
disk(rlim_t n)
{
	struct rlimit lim;

	MUST(getrlimit(RLIMIT_FSIZE, &lim) == 0);
	lim.rlim_cur = n < lim.rlim_max ? n : lim.rlim_max;
	MUST(setrlimit(RLIMIT_FSIZE, &lim) == 0);
}

/* A file that may not grow is a full disk. */
static void
test_full(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct statedb *db = NULL;
	char text[4096];
	int i, n = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	MUST(statedb_open(&db, path_of("full.db"), &why) == 0);
	CHECK(statedb_exec(db, "CREATE TABLE t (x)") == 0);
	disk(200 << 10);
	/* More than the disk holds, in kept steps: from the first that fails on, none begins. */
	for (i = 0; i < 50 && statedb_begin_kept(db) == 0; i++) {
		put_rows(db, text, 4);
		n += 4;
		if (statedb_commit(db) == STATEDB_E_FULL)
			CHECK(statedb_owes(db));
	}
	CHECK(i > 0 && i < 50);
	CHECK(statedb_begin_kept(db) == STATEDB_E_FULL);
	CHECK(statedb_begin(db) == STATEDB_E_FULL);
	disk(RLIM_INFINITY);
	CHECK(statedb_begin(db) == 0);
	put_rows(db, "y", 1);
	CHECK(statedb_commit(db) == 0);
	CHECK(!statedb_owes(db));
	CHECK(ask(db, "SELECT count(*) FROM t") == n + 1);
	CHECK(ask(db, "SELECT sum(length(x)) FROM t") ==
	    (int64_t)n * (int64_t)(sizeof(text) - 1) + 1);
	/* One that is given up is not owed. */
	CHECK(statedb_begin_kept(db) == 0);
	put_rows(db, "z", 1);
	statedb_rollback(db);
	CHECK(ask(db, "SELECT count(*) FROM t WHERE x = 'z'") == 0);
	db = statedb_close(db);
}

static void
clean(void)
{
	struct dirent *e;
	DIR *dir = opendir(place);

	while (dir != NULL && (e = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(place);
}

int
main(void)
{
	MUST(mkdtemp(place) != NULL);
	(void)signal(SIGXFSZ, SIG_IGN);
	test_at_once();
	test_for();
	test_keep_firing();
	test_resolve_when();
	test_unknown();
	test_flap();
	test_late();
	test_limit();
	test_rules_change();
	test_texts();
	test_kills();
	test_damaged();
	test_full();
	clean();
	return check_done();
}

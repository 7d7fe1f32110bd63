/*
 * cli/rules_test.c - weir rules test.
 * One job: run cases through parser, store, rules, routing and messages by a simulated clock, and say what differs.
 * Floor: 6 (uses alerts, store, base).
 */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>

#include "alerts/message.h"
#include "alerts/sim.h"
#include "base/io.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/rules.h"
#include "cli/rules_files.h"
#include "cli/rules_load.h"
#include "config/config.h"
#include "lib/print.h"

enum { FILE_MAX = 4 << 20 }; /* bytes of a file that is looked at */

/* A notification that would have been sent. */
struct sent {
	struct wall at;
	bool webhook;
	struct str receiver, to; /* to: recipients with blanks between */
	struct str subject, text;
};

/* One file of cases with its rules. */
struct suite {
	struct case_file *file;
	struct rule_set *set;
	struct routing *routing;
	struct buf out; /* to print */
	size_t n_passed, n_failed;
	/* of the test that runs */
	const struct case_test *test;
	struct sim *sim;
	struct sent *sent;
	size_t n_sent, cap_sent;
	struct arena arena;
	struct buf wrong; /* what differs */
};

/* ---- what was sent ---- */

static struct str
recipients(struct arena *arena, const struct integration *in)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < in->n_to; i++) {
		if (i > 0)
			buf_byte(&b, ' ');
		buf_str(&b, in->to[i]);
	}
	return arena_dup(arena, buf_view(&b));
}

static int
keep_mail(struct suite *s, struct sent *one, struct str stored)
{
	struct message_mail m = { BUF_INIT, BUF_INIT, BUF_INIT };
	int r = message_mail(stored, &m);

	if (r == 0) {
		one->subject = arena_dup(&s->arena, buf_view(&m.subject));
		one->text = arena_dup(&s->arena, buf_view(&m.text));
	}
	message_mail_fini(&m);
	return r;
}

static int
keep_webhook(struct suite *s, struct sent *one, struct str stored)
{
	AUTO_FINI(buf_fini) struct buf body = BUF_INIT;
	int r = message_webhook(stored, &body);

	if (r == 0)
		one->text = arena_dup(&s->arena, buf_view(&body));
	return r;
}

static int
on_notified(void *ctx, const struct notification *n, struct str stored)
{
	struct suite *s = ctx;
	struct sent *more, *one;
	int r;

	if (s->n_sent == s->cap_sent) {
		more = realloc(s->sent, (s->cap_sent * 2 + 16) * sizeof(*more));
		if (more == NULL)
			return err_origin(-ENOMEM);
		s->sent = more;
		s->cap_sent = s->cap_sent * 2 + 16;
	}
	one = &s->sent[s->n_sent];
	*one = (struct sent){ .at = n->at, .webhook = n->integration->kind == RECEIVER_WEBHOOK };
	one->receiver = arena_dup(&s->arena, n->receiver->name);
	one->to = recipients(&s->arena, n->integration);
	r = one->webhook ? keep_webhook(s, one, stored) : keep_mail(s, one, stored);
	if (r != 0)
		return err_fold(r);
	s->n_sent++;
	return 0;
}

/* ---- what differs ---- */

static void
begin_wrong(struct suite *s, unsigned line, const char *what, struct span at)
{
	char text[SPAN_TEXT_MAX];
	size_t n = span_format(text, at);

	buf_printf(&s->wrong, "    %.*s:%u: %s at %.*s: ", STR_ARG(s->file->name), line, what,
	    (int)n, text);
}

static void
put_labels(struct buf *out, const struct labels *l)
{
	labels_format(out, l);
}

struct got {
	struct suite *suite;
	struct str alertname;
	const struct alert *p[256];
	size_t n;
};

static int
on_alert(void *ctx, const struct alert *a)
{
	struct got *g = ctx;

	if (str_eq(labels_get(&a->labels, STR("alertname")), g->alertname) &&
	    g->n < ARRAY_LEN(g->p))
		g->p[g->n++] = a;
	return 0;
}

static bool
has_label(const struct label *p, size_t n, struct str name)
{
	size_t i = 0;

	while (i < n && !str_eq(p[i].name, name))
		i++;
	return i < n;
}

/* The same names and values; alertname and alertgroup need not be written. */
static bool
labels_same(const struct labels *got, const struct label *want, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!str_eq(labels_get(got, want[i].name), want[i].value))
			return false;
	for (i = 0; i < got->n; i++)
		if (!str_eq_c(got->p[i].name, "alertname") &&
		    !str_eq_c(got->p[i].name, "alertgroup") && !has_label(want, n, got->p[i].name))
			return false;
	return true;
}

static bool
alert_same(const struct alert *got, const struct case_alert *want)
{
	if ((got->state == ALERT_PENDING) != want->pending ||
	    !labels_same(&got->labels, want->labels, want->n_labels))
		return false;
	return !want->has_annotations ||
	    labels_same(&got->annotations, want->annotations, want->n_annotations);
}

static void
put_expected(struct suite *s, const struct case_alerts *want)
{
	struct labels l;
	size_t i;

	buf_c(&s->wrong, "\n        exp:[");
	for (i = 0; i < want->n_exp; i++) {
		const struct case_alert *a = &want->exp[i];

		buf_c(&s->wrong, i > 0 ? "\n            " : "");
		buf_c(&s->wrong, a->pending ? "pending " : "firing ");
		if (labels_make(&s->arena, a->labels, a->n_labels, &l) == 0)
			put_labels(&s->wrong, &l);
		if (a->has_annotations &&
		    labels_make(&s->arena, a->annotations, a->n_annotations, &l) == 0) {
			buf_c(&s->wrong, " ");
			put_labels(&s->wrong, &l);
		}
	}
	buf_c(&s->wrong, "]");
}

static void
put_got(struct suite *s, const struct got *got, bool pending_too)
{
	size_t i, n = 0;

	buf_c(&s->wrong, "\n        got:[");
	for (i = 0; i < got->n; i++) {
		if (got->p[i]->state == ALERT_PENDING && !pending_too)
			continue;
		buf_c(&s->wrong, n++ > 0 ? "\n            " : "");
		buf_c(&s->wrong, got->p[i]->state == ALERT_PENDING ? "pending " : "firing ");
		put_labels(&s->wrong, &got->p[i]->labels);
		buf_c(&s->wrong, " ");
		put_labels(&s->wrong, &got->p[i]->annotations);
	}
	buf_c(&s->wrong, "]\n");
}

/* Pending ones count only where some are expected. */
static int
check_alerts(struct suite *s, const struct case_alerts *want)
{
	struct got got = { .suite = s, .alertname = want->alertname };
	bool used[256] = { false }, pending_too = false, same = true;
	size_t i, k, n_got = 0;
	int r = sim_each(s->sim, on_alert, &got);

	if (r != 0)
		return r;
	for (i = 0; i < want->n_exp; i++)
		pending_too = pending_too || want->exp[i].pending;
	for (i = 0; i < got.n; i++)
		n_got += got.p[i]->state == ALERT_FIRING || pending_too;
	for (i = 0; i < want->n_exp; i++) {
		for (k = 0; k < got.n && (used[k] || !alert_same(got.p[k], &want->exp[i])); k++)
			;
		if (k < got.n)
			used[k] = true;
		else
			same = false;
	}
	if (same && n_got == want->n_exp)
		return 0;
	begin_wrong(s, want->line, "alerts", want->at);
	buf_str(&s->wrong, want->alertname);
	put_expected(s, want);
	put_got(s, &got, pending_too);
	return 0;
}

static bool
contains_all(struct str text, const struct str *parts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_find(text, parts[i]) == SIZE_MAX)
			return false;
	return true;
}

static bool
sent_matches(const struct sent *one, const struct case_message *want, struct wall until)
{
	if (one->webhook != want->webhook || one->at.ns > until.ns)
		return false;
	if (want->receiver.n > 0 && !str_eq(one->receiver, want->receiver))
		return false;
	if (want->to.n > 0 && str_find(one->to, want->to) == SIZE_MAX)
		return false;
	return contains_all(one->subject, want->subject, want->n_subject) &&
	    contains_all(one->text, want->text, want->n_text);
}

static void
put_sent(struct suite *s, const struct case_message *want)
{
	char text[SPAN_TEXT_MAX];
	size_t i;

	for (i = 0; i < s->n_sent; i++) {
		const struct sent *one = &s->sent[i];

		if (one->webhook != want->webhook)
			continue;
		buf_printf(&s->wrong, "        %.*s ",
		    (int)span_format(text, (struct span){ one->at.ns - s->test->start.ns }), text);
		buf_str(&s->wrong, one->receiver);
		buf_printf(&s->wrong, " %.*s: ", STR_ARG(one->to));
		buf_str(&s->wrong, one->webhook ? one->text : one->subject);
		buf_c(&s->wrong, "\n");
		if (!one->webhook && want->n_text > 0 &&
		    contains_all(one->subject, want->subject, want->n_subject)) {
			buf_str(&s->wrong, one->text);
			buf_c(&s->wrong, "\n");
		}
	}
}

static void
check_message(struct suite *s, const struct case_message *want)
{
	struct wall until = { s->test->start.ns + want->at.ns };
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s->n_sent; i++)
		n += sent_matches(&s->sent[i], want, until);
	if (want->has_count ? n == want->count : n > 0)
		return;
	begin_wrong(s, want->line, want->webhook ? "webhook" : "mail", want->at);
	if (want->has_count)
		buf_printf(&s->wrong, "%llu expected, %llu match; sent were\n",
		    (unsigned long long)want->count, (unsigned long long)n);
	else
		buf_c(&s->wrong, "none matches; sent were\n");
	put_sent(s, want);
}

/* ---- one test ---- */

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	return remove(path);
}

/* What is looked at at one time, after all that is due by then; the times in order. */
static int
check_all(struct suite *s)
{
	const struct case_test *t = s->test;
	int64_t at = INT64_MIN, next = 0;
	size_t i;
	int r = 0;

	while (r == 0 && next != INT64_MAX) {
		next = INT64_MAX;
		for (i = 0; i < t->n_alerts; i++)
			if (t->alerts[i].at.ns > at && t->alerts[i].at.ns < next)
				next = t->alerts[i].at.ns;
		for (i = 0; i < t->n_mails; i++)
			if (t->mails[i].at.ns > at && t->mails[i].at.ns < next)
				next = t->mails[i].at.ns;
		for (i = 0; i < t->n_webhooks; i++)
			if (t->webhooks[i].at.ns > at && t->webhooks[i].at.ns < next)
				next = t->webhooks[i].at.ns;
		if (next == INT64_MAX)
			break;
		at = next;
		r = sim_run(s->sim, (struct wall){ t->start.ns + at });
		for (i = 0; r == 0 && i < t->n_alerts; i++)
			if (t->alerts[i].at.ns == at)
				r = check_alerts(s, &t->alerts[i]);
	}
	for (i = 0; i < t->n_mails; i++)
		check_message(s, &t->mails[i]);
	for (i = 0; i < t->n_webhooks; i++)
		check_message(s, &t->webhooks[i]);
	return r;
}

static int
run_in(struct suite *s, const char *store)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	const struct sim_ops ops = { .notified = on_notified, .ctx = s };
	const struct sim_options opt = { .store = store,
		.set = s->set,
		.routing = s->routing,
		.host = "test",
		.evidence = true,
		.start = s->test->start };
	int r = rules_load_rows(store, s->test, &why);

	if (r == 0)
		r = sim_new(&s->sim, &opt, &ops, &why);
	if (r == 0)
		r = check_all(s);
	if (r != 0)
		buf_printf(&s->wrong, "    %.*s:%u: %s\n", STR_ARG(s->file->name), s->test->line,
		    why.n > 0 ? buf_c_str(&why) : err_str(r < 0 ? r : -EIO));
	s->sim = sim_free(s->sim);
	return 0;
}

static int
run_test(struct suite *s)
{
	const char *tmp = getenv("TMPDIR");
	char folder[PATH_MAX];

	(void)snprintf(folder, sizeof(folder), "%s/weir-rules-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(folder) == NULL)
		return cli_fail(CLI_FAILED, "rules test: %s: %s", folder, err_str(-errno));
	s->n_sent = 0;
	buf_clear(&s->wrong);
	(void)run_in(s, folder);
	/* Nobody needs it; what is left is the system's to clean. */
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	buf_printf(&s->out, "  %s ", s->wrong.n == 0 ? "ok" : "FAILED");
	print_escape(&s->out, s->test->name);
	buf_byte(&s->out, '\n');
	buf_str(&s->out, buf_view(&s->wrong));
	s->n_passed += s->wrong.n == 0;
	s->n_failed += s->wrong.n != 0;
	arena_clear(&s->arena);
	return 0;
}

/* ---- one file ---- */

/* A name in a file is beside that file. */
static struct str
beside(struct arena *arena, struct str file, struct str name)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	size_t n = file.n;

	while (n > 0 && file.p[n - 1] != '/')
		n--;
	if (name.n == 0 || name.p[0] != '/')
		buf_str(&b, str_sub(file, 0, n));
	buf_str(&b, name);
	buf_byte(&b, '\0');
	return str_sub(arena_dup(arena, buf_view(&b)), 0, b.n - 1);
}

static int
load_parts(struct suite *s, struct buf *errors)
{
	AUTO_FINI(buf_fini) struct buf notes = BUF_INIT;
	struct case_file *c = s->file;
	struct span interval = c->evaluation_interval;
	struct str path;
	size_t i;
	int r;

	for (i = 0; i < c->n_rule_files; i++)
		c->rule_files[i] = beside(&c->arena, c->name, c->rule_files[i]);
	if (interval.ns == 0)
		interval.ns = NS_PER_MIN;
	r = rules_load_by(c->rule_files, c->n_rule_files, 0, interval, &s->set, errors);
	if (r != 0 || c->alertmanager.n == 0)
		return r;
	path = beside(&c->arena, c->name, c->alertmanager);
	return routing_load((const char *)path.p, STR(""), &s->routing, errors, &notes);
}

static bool
has_rules(const char *path)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	return io_read_file(AT_FDCWD, path, FILE_MAX, &text) == 0 &&
	    config_kind(buf_view(&text)) == CONFIG_KIND_RULES;
}

static int
run_file(const char *path, struct buf *out, size_t *ret_failed, size_t *ret_passed)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	struct suite s = { .out = BUF_INIT };
	size_t i;
	int r = case_load(path, &s.file, &errors);

	if (r != 0 && has_rules(path)) {
		buf_clear(&errors);
		buf_printf(&errors,
		    "%s: has rules and no cases: a file with rule_files: and tests: is wanted\n",
		    path);
	}

	if (r == 0)
		r = load_parts(&s, &errors);
	rules_show(buf_view(&errors));
	if (r != 0 && errors.n == 0)
		(void)cli_fail(0, "rules test: %s: %s", path, err_str(r < 0 ? r : -EINVAL));
	for (i = 0; r == 0 && i < s.file->n_tests && !atomic_load(cli_stop_flag()); i++) {
		s.test = &s.file->tests[i];
		r = run_test(&s);
	}
	print_escape(out, str_c(path));
	buf_c(out, r == 0 ? "\n" : ": not run\n");
	buf_str(out, buf_view(&s.out));
	*ret_failed += s.n_failed;
	*ret_passed += s.n_passed;
	(void)case_free(s.file);
	(void)rules_free(s.set);
	(void)routing_free(s.routing);
	free(s.sent);
	arena_fini(&s.arena);
	buf_fini(&s.wrong);
	buf_fini(&s.out);
	return r != 0 ? CLI_USAGE : 0;
}

int
rules_test(struct options *opt)
{
	size_t i, n_failed = 0, n_passed = 0;
	struct buf text = BUF_INIT;
	struct out o;
	int r = 0, one;

	cli_catch_signals();
	out_init(&o, false, false);
	for (i = 1; i < opt->n_args && !atomic_load(cli_stop_flag()); i++) {
		one = run_file(opt->args[i], &text, &n_failed, &n_passed);
		r = one > r ? one : r;
		(void)out_write(&o, text.p, text.n);
		buf_clear(&text);
	}
	buf_printf(&text, "%zu passed, %zu failed\n", n_passed, n_failed);
	(void)out_write(&o, text.p, text.n);
	buf_fini(&text);
	if (atomic_load(cli_stop_flag()))
		r = CLI_STOPPED;
	return out_finish(&o, r != 0 ? r : n_failed > 0 ? CLI_NONE : CLI_DONE);
}
